"""The queue towards the broker: an index in memory, kept on disk by a `Shelf`.

Two lanes: what may not be dropped (outcomes, faults, latest values) goes first, then what may (telemetry), each
oldest first. Above the bounds the oldest droppable row goes. Retained messages are latest values: a new one
replaces the waiting one of its topic, and they are never written to disk, since the next run states its own. What the
broker refuses is passed over, and kept like the rest; an earlier run's refusals are forgotten.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Protocol

from samspel.contract.ports import Outbound, OutboxRow

__all__ = ["Outbox", "OutboxLimits", "Shelf"]

_log = logging.getLogger(__name__)

_ROW_OVERHEAD_BYTES = 200


@dataclass(frozen=True, slots=True)
class OutboxLimits:
    """What may wait: rows, and bytes of payload plus overhead (they are held in memory too)."""

    max_rows: int = 50_000
    max_bytes: int = 16 * 1024 * 1024


class Shelf(Protocol):
    """Where rows survive. Only `kept` waits."""

    def keep(self, row: OutboxRow, *, droppable: bool) -> None:
        """Write or rewrite the row."""
        ...

    def discard(self, row_id: int) -> None:
        """Delete the row."""
        ...

    async def kept(self) -> None:
        """Everything so far has been written, or refused by the disk."""
        ...


class Outbox:
    """Implements `samspel.contract.ports.OutboxPort`.

    `waiting` are rows of an earlier run with their droppable flag, oldest first; each counts as tried, because the
    earlier run may have sent it. `dropped` counts droppable rows that had to go.
    """

    def __init__(self, shelf: Shelf, limits: OutboxLimits, waiting: Iterable[tuple[OutboxRow, bool]] = ()) -> None:
        self._shelf = shelf
        self._limits = limits
        self._firm: OrderedDict[int, OutboxRow] = OrderedDict()
        self._droppable: OrderedDict[int, OutboxRow] = OrderedDict()
        self._latest: dict[str, int] = {}
        self._refused: OrderedDict[int, None] = OrderedDict()
        self._bytes = 0
        self._next_id = 1
        self._filled = asyncio.Event()
        self.dropped = 0
        for row, droppable in waiting:
            self._place(replace(row, tries=max(row.tries, 1)), droppable=droppable)
            self._next_id = row.row_id + 1
        self._drop_excess()

    def __len__(self) -> int:
        """Rows that wait."""
        return len(self._firm) + len(self._droppable)

    def add(self, message: Outbound, *, droppable: bool) -> None:
        """Queue at once; the disk follows."""
        row = OutboxRow(row_id=self._next_id, message=message)
        self._next_id += 1
        if message.retain:
            self._replace_latest(row)
        else:
            self._shelf.keep(row, droppable=droppable)
        self._place(row, droppable=droppable and not message.retain)
        self._drop_excess()

    async def head(self, count: int) -> Sequence[OutboxRow]:
        """The next `count` rows, at least one. They stay until `sent`.

        The latest values go first: they are few, and a backlog must not keep the nonce from the dispatcher.
        """
        while len(self) == len(self._refused):
            self._filled.clear()
            await self._filled.wait()
        latest = (self._firm[row_id] for row_id in self._latest.values())
        lasting = (row for row in self._firm.values() if not row.message.retain)
        rows = chain(latest, lasting, self._droppable.values())
        return tuple(islice((row for row in rows if row.row_id not in self._refused), count))

    def refused(self, count: int) -> Sequence[OutboxRow]:
        """The next `count` rows that were refused. They stay until `sent`."""
        return tuple(self._firm.get(row_id) or self._droppable[row_id] for row_id in islice(self._refused, count))

    def sent(self, row_id: int) -> None:
        """Delete; a row that is gone already (dropped or replaced meanwhile) is no error."""
        self._remove(row_id)

    def failed(self, row_id: int) -> None:
        """Count one more try."""
        for lane in (self._firm, self._droppable):
            if row := lane.get(row_id):
                lane[row_id] = replace(row, tries=row.tries + 1)

    def refuse(self, row_id: int) -> None:
        """Set the row aside, behind those refused before."""
        if row_id in self._firm or row_id in self._droppable:
            self._refused[row_id] = None
            self._refused.move_to_end(row_id)

    async def kept(self) -> None:
        """Wait until what was added so far would survive kill -9, or the disk has refused it."""
        await self._shelf.kept()

    def rows(self) -> Iterable[tuple[OutboxRow, bool]]:
        """Every row that belongs on disk, with its droppable flag."""
        firm = ((row, False) for row in self._firm.values() if not row.message.retain)
        return chain(firm, ((row, True) for row in self._droppable.values()))

    def _place(self, row: OutboxRow, *, droppable: bool) -> None:
        (self._droppable if droppable else self._firm)[row.row_id] = row
        self._bytes += _size(row)
        self._filled.set()

    def _replace_latest(self, row: OutboxRow) -> None:
        topic = row.message.topic
        if (older := self._latest.get(topic)) is not None:
            self._remove(older)
        self._latest[topic] = row.row_id

    def _remove(self, row_id: int) -> None:
        row = self._firm.pop(row_id, None) or self._droppable.pop(row_id, None)
        if row is None:
            return
        self._bytes -= _size(row)
        self._refused.pop(row_id, None)
        if not row.message.retain:
            self._shelf.discard(row_id)
        elif self._latest.get(row.message.topic) == row_id:
            del self._latest[row.message.topic]

    def _drop_excess(self) -> None:
        while self._droppable and (len(self) > self._limits.max_rows or self._bytes > self._limits.max_bytes):
            self._remove(next(iter(self._droppable)))
            self.dropped += 1
            if self.dropped == 1 or self.dropped % 1000 == 0:
                _log.warning("outbox full: %d telemetry messages dropped so far", self.dropped)


def _size(row: OutboxRow) -> int:
    return len(row.message.payload) + _ROW_OVERHEAD_BYTES
