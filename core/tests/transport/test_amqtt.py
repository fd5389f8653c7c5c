"""A smoke test on a broker of the other kind: pure Python, 3.1.1 only, silent to a greeting of version 5."""

from __future__ import annotations

import socket

import pytest
from samspel.clock import SystemClock
from samspel.contract.ports import Outbound
from samspel.transport.mqtt import MqttTransport
from samspel.transport.mqtt_options import MqttOptions, Protocol

from .conftest import Peer

broker_module = pytest.importorskip("amqtt.broker")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_amqtt_is_spoken_to_in_3_1_1():
    port = free_port()
    broker = broker_module.Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        }
    )
    await broker.start()
    try:
        options = MqttOptions(host="127.0.0.1", port=port, client_id="site", username="site", connect_timeout_s=0.5)
        site = Peer(MqttTransport(options, SystemClock(), Outbound(topic="t/w", payload=b"w", retain=True)))
        await (await site.start("t/+")).up()
        assert site.transport.protocol is Protocol.V311
        await site.say(b"hello")
        assert await site.has_heard(1) == [b"hello"]
        await site.transport.close()
    finally:
        await broker.shutdown()
