"""paho's client, made and used the way we need it, for MQTT 5 and 3.1.1."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING

from paho.mqtt.client import Client, MQTTMessageInfo, error_string
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from samspel.contract.errors import TransportError
from samspel.contract.ports import Outbound
from samspel.transport.mqtt_options import MqttOptions, Protocol, tls_context

if TYPE_CHECKING:
    from paho.mqtt.client import SocketLike

__all__ = ["check", "connect", "make_client", "publish", "read", "subscribe"]

_MAXIMUM_PACKET_BYTES = 1024 * 1024
"""What a broker of version 5 may send at all, so that nobody can fill our memory."""

_TCP_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)


def make_client(options: MqttOptions, protocol: Protocol, will: Outbound | None) -> Client:
    """A client that neither reconnects nor acknowledges by itself. Raises ConfigError for unusable TLS files."""
    is_v5 = protocol is Protocol.V5
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=options.client_id,
        protocol=MQTTProtocolVersion.MQTTv5 if is_v5 else MQTTProtocolVersion.MQTTv311,
        clean_session=None if is_v5 else False,
        reconnect_on_failure=False,
        manual_ack=True,
    )
    client.connect_timeout = options.connect_timeout_s
    if options.username is not None:
        client.username_pw_set(options.username, options.password)
    if (context := tls_context(options)) is not None:
        client.tls_set_context(context)
    if will is not None:
        client.will_set(will.topic, will.payload, will.qos, will.retain)
    return client


def connect(client: Client, options: MqttOptions, protocol: Protocol) -> None:
    """Open the TCP connection and send the greeting; blocks. Raises OSError.

    Nothing is said of how many messages may be in flight to us (`ReceiveMaximum`): mosquitto 2.0 counts those that
    have expired while we were away, sends nothing in their place, and a stop behind more than that many would wait.
    """
    if protocol is Protocol.V5:
        greeting = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        greeting.SessionExpiryInterval = options.session_expiry_s
        greeting.MaximumPacketSize = _MAXIMUM_PACKET_BYTES
        client.connect(options.host, options.port, options.keepalive_s, clean_start=False, properties=greeting)
    else:
        client.connect(options.host, options.port, options.keepalive_s)
    _hurry(client.socket(), socket.TCP_NODELAY)


def subscribe(client: Client, patterns: Sequence[str], protocol: Protocol) -> None:
    """Ask for QoS 1. In version 5 the retain flag is kept as published, so that a retained command shows as one."""
    if protocol is Protocol.V5:
        options = SubscribeOptions(qos=1, retainAsPublished=True)
        client.subscribe([(pattern, options) for pattern in patterns])
    else:
        client.subscribe([(pattern, 1) for pattern in patterns])


def publish(client: Client, message: Outbound, protocol: Protocol) -> MQTTMessageInfo:
    """Queue a message. Raises ValueError for a topic or payload that cannot be sent."""
    properties = _properties(message) if protocol is Protocol.V5 else None
    return client.publish(message.topic, message.payload, message.qos, message.retain, properties)


def read(client: Client, wire: SocketLike) -> None:
    """Read all that has come. TLS may hold decrypted bytes that no selector sees."""
    # The kernel forgets this after a while, so it is said again.
    _hurry(wire, _TCP_QUICKACK)
    client.loop_read()
    pending = getattr(wire, "pending", None)
    while pending is not None and client.socket() is not None and pending() > 0:
        client.loop_read()


def _hurry(wire: SocketLike | None, option: int | None) -> None:
    """Small packets must not wait for a delayed TCP acknowledgement, ours or the broker's: 40 ms each on Linux."""
    if option is not None and isinstance(wire, socket.socket):
        wire.setsockopt(socket.IPPROTO_TCP, option, 1)


def check(code: MQTTErrorCode) -> None:
    """Raise TransportError unless paho is content."""
    if code != MQTTErrorCode.MQTT_ERR_SUCCESS:
        raise TransportError(f"the MQTT client says: {error_string(code)}")


def _properties(message: Outbound) -> Properties:
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.ContentType = "application/json"
    if message.expiry_s is not None:
        properties.MessageExpiryInterval = message.expiry_s
    if message.correlation is not None:
        properties.CorrelationData = message.correlation.encode("utf-8")
    return properties
