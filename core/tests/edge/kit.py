"""The site's surroundings, recorded: what was queued, acknowledged, journaled and submitted."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from samspel.contract.errors import StoreError
from samspel.contract.ports import Inbound, Outbound

SITE, DEVICE = "home-0001", "battery"
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Clock:
    now: float = 100.0
    synced: bool = True

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> datetime:
        return EPOCH + timedelta(seconds=self.now)

    def synchronised(self) -> bool:
        return self.synced

    def boot_id(self) -> str:
        return "boot-1"


@dataclass
class Outbox:
    sent: list[tuple[Outbound, bool]] = field(default_factory=list)
    kept_so_far: int = 0

    def add(self, message: Outbound, *, droppable: bool) -> None:
        self.sent.append((message, droppable))

    async def kept(self) -> None:
        self.kept_so_far = len(self.sent)

    def documents(self, leaf: str) -> list[dict[str, Any]]:
        return [json.loads(one.payload) for one, _ in self.sent if one.topic.endswith(f"/{leaf}")]

    def said(self, command_id: str) -> list[str]:
        """Stages and ends of a command, in order."""
        mine = [one for one in self.documents("outcome") if one["command_id"] == command_id]
        return [one.get("stage") or one.get("end") for one in mine]


@dataclass
class Transport:
    acknowledged: list[bytes] = field(default_factory=list)

    def acknowledge(self, message: Inbound) -> None:
        self.acknowledged.append(message.payload)


@dataclass
class Journal:
    documents: dict[str, Any] = field(default_factory=dict)
    full: bool = False

    def get(self, name: str) -> Any:
        return self.documents.get(name)

    async def put(self, name: str, document: Any, *, durable: bool = False) -> None:
        if self.full:
            raise StoreError("the disk is full")
        self.documents[name] = document

    def note(self, name: str, document: Any) -> None:
        self.documents[name] = document


def command(kind: str = "set_power", **fields: Any) -> dict[str, Any]:
    document = {
        "schema": "command/1.0",
        "id": "c-1",
        "issuer": "fleet-a",
        "epoch": 1,
        "seq": 1,
        "issued_at": "2026-01-01T00:01:40.000Z",
        "ttl_s": 60,
        "target": f"{SITE}/{DEVICE}",
        "kind": kind,
        **fields,
    }
    return {"power_w": 1000.0, **document} if kind == "set_power" else document


def message(document: Any, *, device: str = DEVICE, retained: bool = False) -> Inbound:
    payload = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Inbound(topic=f"samspel/v1/{SITE}/{device}/command", payload=payload, received_at=100.0, retained=retained)
