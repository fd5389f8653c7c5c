"""A dispatcher over a real broker: it commands one site, and remembers everything that comes back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiomqtt
from samspel_contract.conversation import Conversation, Message

from .patience import PATIENCE_S, until


@dataclass
class Dispatcher(Conversation):
    """One client of the broker, for one site. `latest` is the newest message of each kind."""

    port: int
    site: str
    connection: Mapping[str, Any] = field(default_factory=dict)
    latest: dict[str, Message] = field(default_factory=dict)
    nonce: str | None = None
    _client: aiomqtt.Client | None = None
    _connected: asyncio.Event = field(default_factory=asyncio.Event)

    async def listen_for_ever(self) -> None:
        """Connect, and connect again when the broker has been away."""
        while True:
            with suppress(aiomqtt.MqttError):
                async with aiomqtt.Client(
                    *("127.0.0.1", self.port),
                    identifier=f"{self.site}-fleet",
                    protocol=aiomqtt.ProtocolVersion.V5,
                    **self.connection,
                ) as client:
                    await client.subscribe(f"samspel/v1/{self.site}/#", qos=1)
                    self._client = client
                    self._connected.set()
                    async for message in client.messages:
                        self._hear(str(message.topic), bytes(message.payload), retained=message.retain)
            self._connected.clear()
            await asyncio.sleep(0.1)

    def _hear(self, topic: str, payload: bytes, *, retained: bool) -> None:
        heard = self.hear(topic, payload, _retained=retained)
        if heard is None:
            return
        self.latest[heard["_leaf"]] = heard
        if heard["_leaf"] == "status":
            self.nonce = heard.get("nonce")

    # --- out ---

    async def publish(self, payload: bytes, *, device: str = "battery", retain: bool = False) -> None:
        """Any bytes on the command topic of a device."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                await self._connected.wait()
                with suppress(aiomqtt.MqttError):
                    return await self._publish(payload, device, retain=retain)
                await asyncio.sleep(0.05)

    async def _publish(self, payload: bytes, device: str, *, retain: bool) -> None:
        assert self._client is not None
        topic = f"samspel/v1/{self.site}/{device}/command"
        await self._client.publish(topic, payload, qos=1, retain=retain, timeout=2.0)

    def command(
        self, kind: str, *, device: str = "battery", issuer: str = "fleet-a", ttl_s: float = 60.0, **fields: Any
    ) -> Message:
        """A good command that echoes the newest nonce, so that no clock matters."""
        return self.say(
            kind,
            target=f"{self.site}/{device}",
            issuer=issuer,
            issued_at=datetime.now(UTC),
            ttl_s=ttl_s,
            nonce=self.nonce,
            **fields,
        )

    async def send(self, kind: str, *, device: str = "battery", **fields: Any) -> str:
        """Publish a good command, as soon as the edge is online; its id."""
        await until(lambda: self.nonce is not None, "an edge that is online")
        command = self.command(kind, device=device, **fields)
        await self.publish(json.dumps(command).encode(), device=device)
        return str(command["id"])

    # --- in ---

    async def outcome(self, command_id: str, *, within_s: float = PATIENCE_S, **wanted: Any) -> Message:
        """Wait for it."""
        try:
            await until(lambda: self.found(command_id, **wanted) is not None, within_s=within_s)
        except AssertionError:
            raise AssertionError(f"{command_id} never was {wanted}:\n{self.story(command_id)}") from None
        found = self.found(command_id, **wanted)
        assert found is not None
        return found

    def faults(self, code: str, device: str | None = "battery") -> list[str]:
        """See `Conversation`; of the usual device unless another is named."""
        return super().faults(code, device)
