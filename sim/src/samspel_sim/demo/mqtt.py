"""The dispatcher's line to the broker. Beside the edge's transport the one place that knows paho."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from samspel_sim.demo.dispatcher import Command, Dispatcher
from samspel_sim.demo.inbox import Inbox, Message

__all__ = ["open_dispatcher"]

PUBLISH_S = 10.0


@contextmanager
def open_dispatcher(
    port: int, inbox: Inbox, *, site: str, device: str, issuer: str, mqtt5: bool
) -> Iterator[Dispatcher]:
    """Connected and subscribed to everything of the site, until the block ends."""
    client = paho.Client(
        CallbackAPIVersion.VERSION2,
        client_id=f"dispatcher-{issuer}-{site}",
        protocol=paho.MQTTv5 if mqtt5 else paho.MQTTv311,
    )
    client.on_connect = lambda client, *_: client.subscribe(f"samspel/v1/{site}/#", qos=1)
    client.on_message = lambda _client, _userdata, message: _take(inbox, message)
    client.connect("127.0.0.1", port)
    client.loop_start()

    def publish(command: Command) -> None:
        client.publish(f"samspel/v1/{site}/{device}/command", json.dumps(command), qos=1).wait_for_publish(PUBLISH_S)

    try:
        yield Dispatcher(inbox, publish, target=f"{site}/{device}", issuer=issuer)
    finally:
        client.disconnect()
        client.loop_stop()


def _take(inbox: Inbox, message: paho.MQTTMessage) -> None:
    leaf = message.topic.rsplit("/", 1)[-1]
    if leaf != "command":
        inbox.put(Message(leaf, json.loads(message.payload)))
