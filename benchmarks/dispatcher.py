"""A dispatcher as small as can be: sends set-points to one device and hears what its site says."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

__all__ = ["Dispatcher", "Message"]

HOST = "127.0.0.1"
PUBLISH_S = 10.0
Message = dict[str, Any]


class Dispatcher:
    """Thread-safe; `wait_for` blocks the caller. Commands carry the site's newest nonce, where it publishes one."""

    def __init__(self, port: int, *, mqtt5: bool, site: str, device: str, issuer: str) -> None:
        self._site, self._device, self._issuer = site, device, issuer
        self._seq = count(1)
        self._news = threading.Condition()
        self._nonce: str | None = None
        self._messages: list[Message] = []
        version = mqtt.MQTTv5 if mqtt5 else mqtt.MQTTv311
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"bench-{issuer}", protocol=version)
        self._client.on_connect = lambda client, *_: client.subscribe(f"samspel/v1/{site}/#", qos=1)
        self._client.on_message = self._hear
        self._client.connect(HOST, port)
        self._client.loop_start()

    def close(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()

    def set_power(self, power_w: float, ttl_s: float) -> tuple[str, float]:
        """Publish a set-point; its id, and the monotonic instant just before the publish."""
        seq = next(self._seq)
        command = {
            "schema": "command/1.0",
            "id": f"{self._issuer}-{seq}",
            "issuer": self._issuer,
            "epoch": 1,
            "seq": seq,
            "issued_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "ttl_s": ttl_s,
            "target": f"{self._site}/{self._device}",
            "kind": "set_power",
            "power_w": power_w,
        }
        if self._nonce is not None:
            command["nonce"] = self._nonce
        topic, payload = f"samspel/v1/{self._site}/{self._device}/command", json.dumps(command)
        sent_s = time.monotonic()
        self._client.publish(topic, payload, qos=1).wait_for_publish(timeout=PUBLISH_S)
        return str(command["id"]), sent_s

    def _hear(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        leaf = message.topic.rsplit("/", 1)[-1]
        if leaf == "command":
            return
        document: Message = json.loads(message.payload)
        with self._news:
            if leaf == "status":
                self._nonce = document.get("nonce")
            self._messages.append({"leaf": leaf, **document})
            self._news.notify_all()

    def telemetry(self, within_s: float) -> Message | None:
        """The first telemetry of all."""
        return self._wait_for(lambda one: one["leaf"] == "telemetry", within_s)

    def stage(self, command_id: str, stage: str, within_s: float) -> Message | None:
        """The outcome that says that this command reached this stage; nothing if none does in time."""

        def fits(one: Message) -> bool:
            return one["leaf"] == "outcome" and one["command_id"] == command_id and one.get("stage") == stage

        return self._wait_for(fits, within_s)

    def _wait_for(self, fits: Callable[[Message], bool], within_s: float) -> Message | None:
        with self._news:
            self._news.wait_for(lambda: any(map(fits, self._messages)), within_s)
            return next(filter(fits, self._messages), None)

    def said(self) -> list[Message]:
        """Everything since `forget`."""
        with self._news:
            return list(self._messages)

    def forget(self) -> None:
        """What was said so far is of no interest any more."""
        with self._news:
            self._messages.clear()
