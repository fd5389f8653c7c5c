"""What only MQTT over a real wire can do wrong."""

from __future__ import annotations

import asyncio
import ctypes
import os
import random
import resource
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from aiomqtt import Client as Listener
from aiomqtt import ProtocolVersion
from samspel.clock import SystemClock
from samspel.contract.errors import ConfigError, TransportError
from samspel.contract.ports import Outbound
from samspel.transport import mqtt_connection
from samspel.transport.mqtt import MqttTransport
from samspel.transport.mqtt_connection import Connection
from samspel.transport.mqtt_options import MqttOptions, Protocol

from .conftest import Peer
from .scripted import CONNACK, PUBACK, ScriptedBroker, packet, publish


def make(port: int, **options) -> Peer:
    settings = {
        "host": "127.0.0.1",
        "port": port,
        "client_id": "site",
        "username": "site",
        "reconnect_min_s": 0.01,
        "reconnect_max_s": 0.05,
        **options,
    }
    return Peer(MqttTransport(MqttOptions(**settings), SystemClock()))


async def test_version_5_is_preferred(mosquitto_broker):
    site = await (await make(mosquitto_broker.port).start("t/+")).up()
    assert site.transport.protocol is Protocol.V5
    await site.transport.close()


async def test_a_broker_that_does_not_answer_version_5_is_asked_in_3_1_1_and_that_is_kept():
    async with ScriptedBroker() as broker:
        site = await (await make(broker.port, connect_timeout_s=0.3).start("t/+")).up()
        broker.break_all()
        await site.up(times=2)
        await site.transport.close()
    assert broker.levels == [5, 4, 4]


@pytest.mark.parametrize("refusal", [packet(CONNACK, b"\0\1"), packet(CONNACK, b"\0\x84\0")])
async def test_a_broker_that_refuses_version_5_is_asked_in_3_1_1(refusal):
    async with ScriptedBroker(level_answers={5: refusal, 4: packet(CONNACK, b"\0\0")}) as broker:
        site = await (await make(broker.port).start("t/+")).up()
        await site.transport.close()
    assert broker.levels == [5, 4]


async def test_a_wanted_version_is_never_changed():
    async with ScriptedBroker() as broker:
        site = await make(broker.port, connect_timeout_s=0.05, protocol=Protocol.V5).start("t/+")
        await broker.until(lambda: len(broker.levels) >= 3)
        await site.transport.close()
    assert set(broker.levels) == {5}


async def test_a_refused_subscription_is_not_up(caplog):
    async with ScriptedBroker(grant=0x80) as broker:
        site = await make(broker.port, protocol=Protocol.V311).start("t/+")
        await broker.until(lambda: len(broker.levels) >= 2)
        await site.transport.close()
    assert site.states == []
    assert "refuses to let us hear t/+" in caplog.text


async def test_a_publish_without_answer_fails_and_says_that_it_may_have_arrived():
    async with ScriptedBroker(acknowledge=False) as broker:
        site = make(broker.port, protocol=Protocol.V311, publish_timeout_s=0.2)
        await (await site.start()).up()
        with pytest.raises(TransportError, match="did not acknowledge") as caught:
            await site.say(b"?")
        await site.transport.close()
    assert caught.value.may_have_arrived


async def test_a_connection_lost_before_the_answer_fails_at_once():
    async with ScriptedBroker(acknowledge=False) as broker:
        site = await (await make(broker.port, protocol=Protocol.V311).start()).up()
        broker.hang_up = True
        with pytest.raises(TransportError, match="lost before it answered") as caught:
            await site.say(b"?")
        await site.transport.close()
    assert caught.value.may_have_arrived


async def test_what_waited_for_its_turn_when_the_connection_was_lost_fails_at_once_too():
    """Else the outbox would stand still for as long as an answer may take."""
    async with ScriptedBroker() as broker:
        site = await (await make(broker.port, protocol=Protocol.V311, publish_timeout_s=60.0).start()).up()
        busy = threading.Event()
        site.transport._connection._submit(lambda _: busy.wait(20) and None)
        saying = asyncio.create_task(site.say(b"?"))
        await asyncio.sleep(0)
        site.transport._connection.abandon("the wire is cut")
        async with asyncio.timeout(10):
            with pytest.raises(TransportError, match="lost before it answered"):
                await saying
        busy.set()
        await site.transport.close()


async def test_a_topic_that_is_not_utf8_is_dropped_acknowledged_and_counted():
    script = publish(b"t/\xff\xfe", b"hostile", 7) + publish(b"t/1", b"good", 8)
    async with ScriptedBroker(after_subscribe=script) as broker:
        site = await (await make(broker.port, protocol=Protocol.V311).start("t/+")).up()
        assert await site.has_heard(1) == [b"good"]
        await broker.until(lambda: sum(kind == PUBACK for kind, _ in broker.seen) >= 2)
        await site.transport.close()
    assert (site.transport.dropped, site.transport.connections) == (1, 1)


async def test_a_broken_packet_costs_the_connection_and_no_more():
    async with ScriptedBroker(after_subscribe=b"\x31\xff\xff\xff\xff\xff\xff") as broker:
        site = await make(broker.port, protocol=Protocol.V311).start("t/+")
        await site.down()
        broker.after_subscribe = publish(b"t/1", b"good", 8)
        assert await site.has_heard(1) == [b"good"]
        await site.transport.close()


@pytest.mark.parametrize("protocol", [Protocol.V5, Protocol.V311])
async def test_an_oversized_message_is_dropped_and_the_next_one_arrives(mosquitto_broker, protocol):
    site = make(mosquitto_broker.port, protocol=protocol, max_inbound_bytes=1000)
    await (await site.start("t/+")).up()
    await site.say(b"x" * 1001)
    await site.say(b"x" * 1000)
    assert await site.has_heard(1) == [b"x" * 1000]
    assert site.transport.dropped == 1
    await site.transport.close()


async def test_expiry_and_correlation_travel_as_properties(mosquitto_broker):
    site = await (await make(mosquitto_broker.port).start()).up()
    async with Listener("127.0.0.1", mosquitto_broker.port, protocol=ProtocolVersion.V5) as listener:
        await listener.subscribe("t/+", qos=1)
        await site.say(b"{}", expiry_s=60, correlation="command-1")
        message = await anext(aiter(listener.messages))
    assert message.properties.CorrelationData == b"command-1"
    assert 0 < message.properties.MessageExpiryInterval <= 60
    await site.transport.close()


async def test_a_broker_of_version_5_forgets_what_has_expired(mosquitto_broker):
    site = await (await make(mosquitto_broker.port).start("t/+")).up()
    await site.transport.close()
    sender = await (await make(mosquitto_broker.port, client_id="sender").start()).up()
    await sender.say(b"old", expiry_s=1)
    await sender.say(b"fresh", expiry_s=600)
    await asyncio.sleep(2.1)  # the broker counts whole seconds
    again = await make(mosquitto_broker.port).start("t/+")
    assert await again.has_heard(1) == [b"fresh"]
    await asyncio.gather(again.transport.close(), sender.transport.close())


def fail_once(monkeypatch, method: str, error: BaseException) -> None:
    original = getattr(Connection, method)
    failures = iter([error])

    def fail(self, *arguments):
        if failure := next(failures, None):
            raise failure
        return original(self, *arguments)

    monkeypatch.setattr(Connection, method, fail)


async def test_a_message_that_cannot_be_handed_over_is_logged_and_dropped(mosquitto_broker, monkeypatch, caplog):
    """The trap: an exception in paho's callback ends its thread, while is_connected() still says True."""
    fail_once(monkeypatch, "_inbound", RuntimeError("a defect below"))
    site = await (await make(mosquitto_broker.port).start("t/+")).up()
    await site.say(b"dropped")
    await site.say(b"next")
    assert await site.has_heard(1) == [b"next"]
    assert (site.transport.dropped, site.transport.connections) == (1, 1)
    assert "a defect below" in caplog.text
    await site.transport.close()


async def test_an_exception_in_the_thread_costs_the_connection_and_no_more(mosquitto_broker, monkeypatch, caplog):
    fail_once(monkeypatch, "_on_message", RuntimeError("a defect below"))
    site = await (await make(mosquitto_broker.port).start("t/+")).up()
    sender = await (await make(mosquitto_broker.port, client_id="sender").start()).up()
    await sender.say(b"survives")
    await site.up(times=2)
    assert await site.has_heard(1) == [b"survives"]
    assert site.heard[0].duplicate
    assert "a defect below" in caplog.text
    await asyncio.gather(site.transport.close(), sender.transport.close())


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_a_killed_thread_is_replaced(mosquitto_broker):
    site = await (await make(mosquitto_broker.port).start("t/+")).up()
    kill(site.transport._connection.thread)
    await site.up(times=2)
    await site.say(b"alive")
    assert await site.has_heard(1) == [b"alive"]
    await site.transport.close()


async def test_a_system_without_room_for_a_thread_is_tried_again(mosquitto_broker, monkeypatch, caplog):
    start, failures = threading.Thread.start, iter([RuntimeError("can't start new thread")])

    def fail(thread):
        if thread.name == "samspel-mqtt" and (failure := next(failures, None)):
            raise failure
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", fail)
    site = await (await make(mosquitto_broker.port).start("t/+")).up()
    assert "can't start new thread" in caplog.text
    await site.transport.close()


async def test_a_hanging_thread_is_given_up(mosquitto_broker, monkeypatch):
    site = await (await make(mosquitto_broker.port).start("t/+")).up()
    release = threading.Event()
    monkeypatch.setattr(mqtt_connection, "_STALLED_S", 0.2)
    site.transport._connection._submit(lambda _: release.wait(30) and None)
    await site.down()
    monkeypatch.undo()
    await site.up(times=2)
    release.set()
    await site.say(b"alive")
    assert await site.has_heard(1) == [b"alive"]
    await site.transport.close()


async def test_a_descriptor_above_1023_works(mosquitto_broker):
    """The trap: paho's own loop uses select(), which fails there and only says "connection lost"."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2048:
        pytest.skip(f"this system allows only {hard} open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (2048, hard))
    taken = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    try:
        site = await (await make(mosquitto_broker.port).start("t/+")).up()
        await site.say(b"high")
        assert await site.has_heard(1) == [b"high"]
        await site.transport.close()
    finally:
        for descriptor in taken:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_closing_before_the_broker_was_ever_there_is_quick():
    site = await make(9).start("t/+")
    async with asyncio.timeout(10):
        await site.transport.close(Outbound(topic="t/status", payload=b"bye"))
    assert site.states == []


async def test_unusable_tls_files_are_named_at_the_start():
    site = make(1, ca_file=Path("no-such-file.pem"))
    with pytest.raises(ConfigError, match=r"no-such-file\.pem"):
        await site.start("t/+")


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 that is its own authority, and its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is absent")
    files = tmp_path / "broker.pem", tmp_path / "broker.key"
    subject = ["-subj", "/CN=broker", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-out", files[0], "-keyout", files[1], *subject],
        check=True,
        capture_output=True,
    )
    return files


@pytest.fixture
def tls_port(mosquitto_factory, certificate) -> int:
    port = random.randrange(32_000, 32_700)
    for file in certificate:
        file.chmod(0o644)
    mosquitto_factory(
        f"listener {port} 127.0.0.1\ncertfile {certificate[0]}\nkeyfile {certificate[1]}\n"
        f"cafile {certificate[0]}\nrequire_certificate true"
    )
    return port


async def test_tls_with_certificates_on_both_sides(tls_port, certificate):
    files = {"ca_file": certificate[0], "cert_file": certificate[0], "key_file": certificate[1]}
    site = await (await make(tls_port, **files).start("t/+")).up()
    payload = b"x" * 50_000  # more than one TLS record
    await site.say(payload)
    assert await site.has_heard(1) == [payload]
    await site.transport.close()


# paho leaves the socket of a failed handshake to the garbage collector.
@pytest.mark.filterwarnings("ignore:unclosed <ssl:ResourceWarning")
async def test_a_broker_with_a_strange_certificate_is_not_spoken_to(tls_port, caplog):
    site = await make(tls_port, tls=True).start("t/+")
    async with asyncio.timeout(10):
        while "certificate verify failed" not in caplog.text:  # noqa: ASYNC110 -- a log has no event
            await asyncio.sleep(0.01)
    await site.transport.close()
    assert site.states == []


async def test_name_and_password_are_sent():
    async with ScriptedBroker() as broker:
        site = await (await make(broker.port, protocol=Protocol.V311, password="secret").start()).up()
        await site.transport.close()
    assert b"\0\4site\0\6secret" in broker.seen[0][1]


def test_a_password_is_not_shown():
    assert "secret" not in repr(MqttOptions(host="h", client_id="c", username="u", password="secret"))


def kill(thread: threading.Thread) -> None:
    affected = ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit))
    assert affected == 1
