"""`deploy/mosquitto`, with a real broker: who may connect, who hears what, and who may say what."""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from samspel.clock import SystemClock
from samspel.contract.errors import TransportError
from samspel.contract.ports import Outbound
from samspel.store.memory import MemoryStore
from samspel.transport.mqtt_options import Protocol
from samspel.transport.outbox_pump import drain

from .dispatcher import Dispatcher
from .edge_process import EdgeProcess
from .patience import until
from .real import battery_w, quick_twin, write_site
from .secured import Authority, Client, Fleet, deployed

pytestmark = [
    pytest.mark.mosquitto,
    # paho leaves the socket of a failed handshake to the garbage collector.
    pytest.mark.filterwarnings("ignore:unclosed <s:ResourceWarning"),
]

HOME, NEIGHBOUR, FLEET = "home-0001", "home-0002", "fleet-a"
ROOT = "samspel/v1"
COMMAND = f"{ROOT}/{HOME}/battery/command"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    made = Authority.make(tmp_path_factory.mktemp("authority") / "certificates")
    made.run("broker", "127.0.0.1", "broker.example")
    for name in (HOME, NEIGHBOUR, FLEET):
        made.run("client", name)
    return made


@pytest.fixture
def broker(mosquitto_factory, authority, tmp_path) -> Iterator:
    """Without any session of an earlier test."""
    made = mosquitto_factory(config=deployed(authority.folder, tmp_path))
    yield made
    made.kill()


@pytest.fixture
async def fleet(authority, broker) -> AsyncIterator[Fleet]:
    made = Fleet(authority, broker)
    yield made
    await made.close()


@pytest.fixture(params=[Protocol.V5, Protocol.V311])
def protocol(request) -> Protocol:
    """3.1.1 has no way to say "refused": the broker drops in silence."""
    return request.param


async def everything(fleet: Fleet) -> Client:
    return await (await fleet.client(FLEET).start(f"{ROOT}/#")).up()


async def try_to_say(client: Client, topic: str, payload: bytes, **options) -> None:
    """The broker may refuse aloud (5) or acknowledge and drop (3.1.1)."""
    if client.transport.protocol is Protocol.V311:
        await client.say(topic, payload, **options)
        return
    with pytest.raises(TransportError, match="Not authorized"):
        await client.say(topic, payload, **options)


# --- who hears what, and who may say what -----------------------------------------------------------------------------


async def test_a_site_hears_its_commands_and_is_heard(fleet, protocol):
    dispatcher = await everything(fleet)
    site = await (await fleet.client(HOME, protocol=protocol).start(f"{ROOT}/{HOME}/+/command")).up()
    await dispatcher.say(COMMAND, b"to the site")
    await site.hears(b"to the site")
    for leaf in ("battery/outcome", "battery/telemetry", "battery/fault", "headroom", "birth", "status"):
        await site.say(f"{ROOT}/{HOME}/{leaf}", leaf.encode())
        await dispatcher.hears(leaf.encode())


@pytest.mark.parametrize(
    "pattern",
    [COMMAND, f"{ROOT}/+/+/command", f"{ROOT}/#", "#", f"$share/all/{ROOT}/{HOME}/+/command"],
)
async def test_a_site_hears_nobody_elses_commands(fleet, protocol, pattern):
    """The broker grants the subscription and delivers nothing: the neighbour's own command, sent later, comes first."""
    dispatcher = await everything(fleet)
    neighbour = fleet.client(NEIGHBOUR, protocol=protocol)
    await (await neighbour.start(pattern, f"{ROOT}/{NEIGHBOUR}/+/command")).up()
    await dispatcher.say(COMMAND, b"for the other house")
    await dispatcher.say(f"{ROOT}/{NEIGHBOUR}/battery/command", b"for this house")
    await neighbour.hears(b"for this house")
    assert set(neighbour.payloads) == {b"for this house"}


@pytest.mark.parametrize(
    "topic",
    [
        COMMAND,
        f"{ROOT}/{NEIGHBOUR}/battery/command",
        f"{ROOT}/{HOME}/battery/outcome",
        f"{ROOT}/{HOME}/battery/telemetry",
        f"{ROOT}/{HOME}/battery/fault",
        f"{ROOT}/{HOME}/headroom",
        f"{ROOT}/{HOME}/birth",
        f"{ROOT}/{HOME}/status",
        f"{ROOT}/{NEIGHBOUR}/anything",
        f"{ROOT}/{NEIGHBOUR}/battery/deep/outcome",
    ],
)
async def test_a_site_commands_nobody_not_even_itself_and_speaks_for_nobody_else(fleet, protocol, topic):
    dispatcher = await everything(fleet)
    neighbour = await (await fleet.client(NEIGHBOUR, protocol=protocol).start()).up()
    await try_to_say(neighbour, topic, b"forged", retain=True)
    await neighbour.say(f"{ROOT}/{NEIGHBOUR}/battery/outcome", b"its own")
    await dispatcher.hears(b"its own")
    assert dispatcher.payloads == [b"its own"]


@pytest.mark.parametrize("leaf", ["battery/outcome", "battery/telemetry", "battery/fault", "status", "birth"])
async def test_a_dispatcher_cannot_speak_for_a_site(fleet, protocol, leaf):
    dispatcher = await (await fleet.client(FLEET, protocol=protocol).start(f"{ROOT}/{HOME}/#")).up()
    await try_to_say(dispatcher, f"{ROOT}/{HOME}/{leaf}", b"forged", retain=True)
    await dispatcher.say(COMMAND, b"its own")
    await dispatcher.hears(b"its own")
    assert dispatcher.payloads == [b"its own"]


@pytest.mark.parametrize(("site", "heard"), [(NEIGHBOUR, [b"gone", b"next"]), (HOME, [b"next"])])
async def test_a_last_will_is_bound_by_the_same_rules(fleet, protocol, site, heard):
    """A site can declare itself offline, and not its neighbour."""
    dispatcher = await everything(fleet)
    will = Outbound(topic=f"{ROOT}/{site}/status", payload=b"gone", retain=True)
    neighbour = await (await fleet.client(NEIGHBOUR, protocol=protocol, will=will).start()).up()
    neighbour.transport._connection.abandon("the test cuts the wire")
    await neighbour.up(times=2)
    await neighbour.say(f"{ROOT}/{NEIGHBOUR}/battery/outcome", b"next")
    await dispatcher.hears(b"next")
    assert dispatcher.payloads == heard


async def test_a_certificates_name_is_all_that_counts(fleet, protocol):
    """Another client id or user name in the greeting opens nothing, and takes over nobody's session."""
    dispatcher = await everything(fleet)
    site = await (await fleet.client(HOME).start(f"{ROOT}/{HOME}/+/command")).up()
    claims = {"client_id": HOME, "username": FLEET, "password": "any"}
    neighbour = fleet.client(NEIGHBOUR, protocol=protocol, **claims)
    await (await neighbour.start(f"{ROOT}/+/+/command")).up()
    await try_to_say(neighbour, COMMAND, b"forged")
    await dispatcher.say(COMMAND, b"true")
    await site.hears(b"true")
    await dispatcher.say(f"{ROOT}/{NEIGHBOUR}/battery/command", b"last")
    await neighbour.hears(b"last")
    assert site.payloads == [b"true"]
    assert neighbour.payloads == [b"last"]
    assert site.transport.connections == 1


async def test_what_a_site_misses_waits_for_it_and_outlives_the_broker(fleet):
    site = await (await fleet.client(HOME).start(f"{ROOT}/{HOME}/+/command")).up()
    await site.transport.close()
    dispatcher = await everything(fleet)
    await dispatcher.say(COMMAND, b"while it was away")
    fleet.broker.restart()
    again = await (await fleet.client(HOME).start(f"{ROOT}/{HOME}/+/command")).up()
    await again.hears(b"while it was away")


@pytest.mark.parametrize("expired", [130, 1200])
async def test_a_stop_is_heard_behind_set_points_that_have_expired_meanwhile(fleet, protocol, expired):
    """More than the broker, or our own client, would have in flight, and more than it keeps if it is not told to."""
    site = await (await fleet.client(HOME, protocol=protocol).start(f"{ROOT}/{HOME}/+/command")).up()
    await site.transport.close()
    dispatcher = await everything(fleet)
    await asyncio.gather(*(dispatcher.say(COMMAND, b"%d" % number, expiry_s=1) for number in range(expired)))
    await asyncio.sleep(2.1)  # The broker counts in whole seconds, on a clock of its own.
    await dispatcher.say(COMMAND, b"stop")
    again = await (await fleet.client(HOME, protocol=protocol).start(f"{ROOT}/{HOME}/+/command")).up()
    await again.hears(b"stop")
    assert again.payloads == [b"stop"]


async def test_a_set_point_of_qos_0_does_not_wait_for_a_site_that_is_away(fleet):
    """So that a fast dispatcher cannot fill the room that a stop needs."""
    site = await (await fleet.client(HOME).start(f"{ROOT}/{HOME}/+/command")).up()
    await site.transport.close()
    dispatcher = await everything(fleet)
    await dispatcher.say(COMMAND, b"set-point", qos=0)
    await dispatcher.say(COMMAND, b"stop")
    again = await (await fleet.client(HOME).start(f"{ROOT}/{HOME}/+/command")).up()
    await again.hears(b"stop")
    await dispatcher.say(COMMAND, b"now", qos=0)
    await again.hears(b"now")
    assert again.payloads == [b"stop", b"now"]


async def test_what_the_broker_refuses_does_not_stop_what_it_takes(fleet):
    """A site with outcomes of an earlier name: more of them than are in flight at once."""
    dispatcher = await everything(fleet)
    site = await (await fleet.client(HOME, protocol=Protocol.V5).start()).up()
    outbox = MemoryStore().outbox
    for _ in range(20):
        outbox.add(Outbound(topic=f"{ROOT}/old-name/battery/outcome", payload=b"refused"), droppable=False)
    outbox.add(Outbound(topic=f"{ROOT}/{HOME}/battery/outcome", payload=b"taken"), droppable=False)
    pump = asyncio.create_task(drain(outbox, site.transport, SystemClock()))
    await dispatcher.hears(b"taken")
    await until(lambda: len(outbox) == 20, "the acknowledgement")
    pump.cancel()
    await asyncio.wait([pump])
    assert len(outbox) == len(outbox.refused(100)) == 20


# --- who is let in ----------------------------------------------------------------------------------------------------


async def refused(fleet: Fleet, caplog: pytest.LogCaptureFixture, sentence: str, name: str = HOME, **options) -> Client:
    """A client that is never up, says why in these words, and goes on trying."""
    caplog.set_level(logging.WARNING)
    client = await fleet.client(name, **options).start()
    await until(lambda: sentence in caplog.text, f"{sentence!r} in the log, which says:\n{caplog.text[-2000:]}", 30)
    attempts = len(caplog.records)
    await until(lambda: len(caplog.records) > attempts, "another attempt", 30)
    assert client.states == []
    return client


async def test_a_broker_of_another_authority_is_not_spoken_to(fleet, caplog, tmp_path):
    other = Authority.make(tmp_path / "other")
    sentence = "was not issued by the authority in"
    await refused(fleet, caplog, sentence, ca_file=other.folder / "authority.pem")


async def test_a_broker_of_another_name_is_not_spoken_to(fleet, caplog):
    await refused(fleet, caplog, "for another name than localhost", host="localhost")


async def test_a_certificate_of_another_authority_opens_nothing(fleet, caplog, tmp_path):
    other = Authority.make(tmp_path / "other")
    other.run("client", HOME)
    files = {**other.files(HOME), "ca_file": fleet.authority.folder / "authority.pem"}
    await refused(fleet, caplog, "issued by an authority that the broker does not know", **files)


async def test_nobody_comes_in_without_a_certificate(fleet, caplog):
    await refused(fleet, caplog, "wants a client certificate", cert_file=None, key_file=None, username=HOME)


async def test_plain_tcp_opens_nothing(fleet, caplog):
    none = {"ca_file": None, "cert_file": None, "key_file": None, "username": FLEET}
    await refused(fleet, caplog, "mqtt.url has to begin with mqtts://", **none)


async def test_an_expired_certificate_is_refused_and_its_renewal_is_picked_up(fleet, caplog):
    """The files are read anew at each attempt, so that nobody has to restart the edge."""
    fleet.authority.expired("home-0003")
    site = await refused(fleet, caplog, "it has expired; put a renewed one in its place", "home-0003")
    fleet.authority.run("client", "home-0003")
    await site.up()


async def test_a_withdrawn_certificate_is_refused(fleet, caplog):
    fleet.authority.run("client", "home-0004")
    site = await (await fleet.client("home-0004").start()).up()
    fleet.authority.run("revoke", "home-0004")
    fleet.broker.restart()
    await until(lambda: "it has been withdrawn" in caplog.text, f"refused:\n{caplog.text[-2000:]}", 30)
    assert site.transport.connections == 1


async def test_withdrawing_a_name_withdraws_every_certificate_of_it(fleet, caplog, tmp_path):
    """A renewal leaves the older one, of which somebody may hold a copy, good until it expires."""
    name, neighbour = "home-0005", "home-0005.b"
    for one in (neighbour, name):
        fleet.authority.run("client", one)
    older = {key: shutil.copy(file, tmp_path) for key, file in fleet.authority.files(name).items()}
    fleet.authority.run("client", name)
    fleet.authority.run("revoke", name)
    fleet.broker.restart()
    copy = await refused(fleet, caplog, "it has been withdrawn", name, **older)
    await copy.transport.close()
    caplog.clear()
    await refused(fleet, caplog, "it has been withdrawn", name)
    await (await fleet.client(neighbour).start()).up()


def test_a_name_without_a_good_certificate_is_not_withdrawn(authority):
    authority.run("client", "home-0006")
    authority.run("revoke", "home-0006")
    for name in ("home-0006", "home-9999", "home.0001"):
        with pytest.raises(AssertionError, match=f"no certificate of {name} that could be withdrawn"):
            authority.run("revoke", name)


# --- the script -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a/b", "+", "#", "home 1", "", "x" * 64, "broker", "authority"])
def test_a_name_that_could_open_more_gets_no_certificate(authority, name):
    before = sorted(authority.folder.iterdir())
    with pytest.raises(AssertionError, match="the name"):
        authority.run("client", name)
    assert sorted(authority.folder.iterdir()) == before


def test_a_second_authority_does_not_replace_the_first(authority):
    before = (authority.folder / "authority.key").read_bytes()
    with pytest.raises(AssertionError, match="holds an authority already"):
        authority.run("authority")
    assert (authority.folder / "authority.key").read_bytes() == before


def test_keys_are_for_their_owner_alone(authority):
    assert {file.stat().st_mode & 0o777 for file in authority.folder.glob("*.key")} == {0o600}


# --- the edge itself --------------------------------------------------------------------------------------------------


def secured_site(folder: Path, fleet: Fleet, twin_port: int) -> Path:
    """The usual site, but over TLS."""
    path = write_site(folder, HOME, fleet.broker.port, {"battery": twin_port})
    files = fleet.authority.files(HOME)
    keys = "".join(f'\n{name} = "{file}"' for name, file in files.items())
    text = (
        path.read_text("utf-8").replace("mqtt://", "mqtts://").replace("\nkeepalive_s = 5", f"\nkeepalive_s = 5{keys}")
    )
    path.write_text(text, encoding="utf-8")
    return path


async def test_an_edge_is_commanded_over_tls_and_ignores_what_somebody_retained(fleet, tmp_path):
    context = ssl.create_default_context(cafile=fleet.authority.folder / "authority.pem")
    context.load_cert_chain(fleet.authority.folder / f"{FLEET}.pem", fleet.authority.folder / f"{FLEET}.key")
    dispatcher = Dispatcher(fleet.broker.port, HOME, {"tls_context": context})
    listening = asyncio.create_task(dispatcher.listen_for_ever())
    async with quick_twin() as served:
        edge = EdgeProcess(secured_site(tmp_path, fleet, served.port), tmp_path)
        try:
            await edge.start()
            await until(lambda: dispatcher.nonce is not None, "an edge that is online")
            retained = dispatcher.command("set_power", power_w=1000.0)
            await dispatcher.publish(json.dumps(retained).encode(), retain=True)
            refusal = await dispatcher.outcome(retained["id"], end="refused")
            assert refusal["reason"] == "retained"
            command = await dispatcher.send("set_power", power_w=3000.0, ttl_s=120.0)
            await dispatcher.outcome(command, stage="verified")
            await until(lambda: abs(battery_w(served.twin) - 3000) < 100, "the battery moves")
            await dispatcher.outcome(await dispatcher.send("release"), end="completed")
            assert await edge.terminate() == 0
        finally:
            await edge.close()
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
