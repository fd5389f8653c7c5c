"""A dispatcher: publishes commands and listens to everything that the site says."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

__all__ = ["Dispatcher", "Message"]

Message = dict[str, Any]


class Dispatcher:
    """Speaks for one issuer to one device. Thread-safe; `wait_for` blocks the caller."""

    def __init__(self, port: int, *, site: str, device: str, issuer: str, mqtt5: bool) -> None:
        self._topic = f"samspel/v1/{site}/{device}/command"
        self._target, self._issuer = f"{site}/{device}", issuer
        self._seq = count(1)
        self._news = threading.Condition()
        self.messages: list[Message] = []
        self.latest: dict[str, Message] = {}
        self.listeners: list[Callable[[Message], None]] = []
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"dispatcher-{issuer}",
            protocol=paho.MQTTv5 if mqtt5 else paho.MQTTv311,
        )
        self._client.on_connect = lambda client, *_: client.subscribe(f"samspel/v1/{site}/#", qos=1)
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def close(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()

    # --- out ---

    def send(self, kind: str, *, ttl_s: float = 60.0, age_s: float = 0.0, **fields: object) -> str:
        """Publish a command; its id. `age_s`: pretend that it was issued so long ago."""
        seq = next(self._seq)
        status = self.latest.get("status", {})
        command = {
            "schema": "command/0.1",
            "id": f"{self._issuer}-{seq}",
            "issuer": self._issuer,
            "epoch": 1,
            "seq": seq,
            "issued_at": (datetime.now(UTC) - timedelta(seconds=age_s)).isoformat(timespec="milliseconds"),
            "ttl_s": ttl_s,
            "target": self._target,
            "kind": kind,
            **fields,
        }
        if status.get("nonce"):
            command["nonce"] = status["nonce"]
        self._client.publish(self._topic, json.dumps(command), qos=1).wait_for_publish(timeout=10)
        return str(command["id"])

    # --- in ---

    def _on_message(self, _client: paho.Client, _userdata: object, message: paho.MQTTMessage) -> None:
        leaf = message.topic.rsplit("/", 1)[-1]
        if leaf == "command":
            return
        document: Message = json.loads(message.payload)
        document["_leaf"], document["_at"] = leaf, time.monotonic()
        with self._news:
            self.messages.append(document)
            self.latest[leaf] = document
            self._news.notify_all()
        for listener in self.listeners:
            listener(document)

    def wait_for(self, fits: Callable[[Message], bool], within_s: float, *, since: int = 0) -> Message | None:
        """The first message from position `since` on that fits, or nothing in time."""
        until = time.monotonic() + within_s
        with self._news:
            position = since
            while True:
                for message in self.messages[position:]:
                    if fits(message):
                        return message
                position = len(self.messages)
                remaining = until - time.monotonic()
                if remaining <= 0:
                    return None
                self._news.wait(remaining)

    def outcome(self, command_id: str, within_s: float, *, since: int = 0, **wanted: object) -> Message | None:
        """An outcome of a command with these fields, or nothing in time."""
        return self.wait_for(
            lambda one: (
                one["_leaf"] == "outcome"
                and one["command_id"] == command_id
                and all(one.get(key) == value for key, value in wanted.items())
            ),
            within_s,
            since=since,
        )

    def reading(self, signal: str) -> float | None:
        """The newest good value of a signal."""
        reading = self.latest.get("telemetry", {}).get("readings", {}).get(signal, {})
        return reading.get("value") if reading.get("quality") == "good" else None

    def position(self) -> int:
        """How many messages there have been; to wait for later ones only."""
        with self._news:
            return len(self.messages)
