"""The same ports without a disk, for simulation: keep the object, and a "restarted" edge finds its past."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from samspel.contract.driver import Json
from samspel.contract.errors import StoreError
from samspel.contract.ports import OutboxRow
from samspel.store.journal import Lost, read_document
from samspel.store.oplog import Sample
from samspel.store.outbox import Outbox, OutboxLimits

__all__ = ["MemoryJournal", "MemoryLog", "MemoryStore"]


class MemoryJournal:
    """A journal in memory. While `full`, a durable `put` fails as on a full disk."""

    def __init__(self) -> None:
        self._documents: dict[str, str] = {}
        self._synced: dict[str, str] = {}
        self.full = False
        self.lost = Lost()

    def get(self, name: str) -> dict[str, Json] | None:
        """A copy of the document, or nothing."""
        text = self._documents.get(name)
        return None if text is None else read_document(name, text, self.lost)

    def doubt(self, name: str, why: str) -> None:
        """Its reader can make nothing of this document."""
        self.lost.add(name, why)

    async def put(self, name: str, document: Mapping[str, Json], *, durable: bool = False) -> None:
        """Replace the document. Raises StoreError for a durable one while `full`."""
        if self.full and durable:
            raise StoreError("store: the disk is full (simulated)")
        self.note(name, document)
        if durable:
            self._synced = dict(self._documents)

    def note(self, name: str, document: Mapping[str, Json]) -> None:
        """Replace the document."""
        self._documents[name] = json.dumps(document, allow_nan=False)

    def lose_power(self) -> None:
        """What a successor then finds: everything up to the last durable `put`, and nothing after it."""
        self._documents = dict(self._synced)


class MemoryLog:
    """An operation log in memory: `samples` are (device, at, values)."""

    def __init__(self) -> None:
        self.samples: list[tuple[str, datetime, Sample]] = []

    def log_sample(self, device: str, at: datetime, values: Sample) -> None:
        """Record one sample."""
        self.samples.append((device, at, values))

    def prune(self, now: datetime) -> None:
        """Keep everything: a simulation ends."""


class MemoryStore:
    """`samspel.store.store.Store` without a file."""

    recovered: Path | None = None
    failures = 0

    def __init__(self, limits: OutboxLimits | None = None) -> None:
        self.journal = MemoryJournal()
        self.outbox = Outbox(_NoShelf(), limits or OutboxLimits())
        self.oplog = MemoryLog()

    @property
    def failing(self) -> bool:
        """Whether a durable `put` would fail."""
        return self.journal.full

    async def flush(self) -> bool:
        """Nothing waits."""
        return True

    async def close(self) -> None:
        """Nothing to close."""


class _NoShelf:
    """Memory is all there is."""

    def keep(self, row: OutboxRow, *, droppable: bool) -> None:
        """Nothing to write."""

    def discard(self, row_id: int) -> None:
        """Nothing to delete."""

    async def kept(self) -> None:
        """Nothing waits."""
