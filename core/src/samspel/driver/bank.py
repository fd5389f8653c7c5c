"""A device's registers by name: read, written, and remembered with the time at which they were seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from samspel.contract.errors import RequirementFailed
from samspel.contract.ports import BusLink, Clock, Priority
from samspel.registers.codec import from_raw, to_raw
from samspel.registers.model import Register, RegisterMap

__all__ = ["Bank"]


@dataclass(frozen=True, slots=True)
class _Seen:
    raw: int
    at: float


class Bank:
    """The named registers of one map on one link. Every method may raise any `BusError`."""

    def __init__(self, registers: RegisterMap, link: BusLink, clock: Clock) -> None:
        self.map = registers
        self.link = link
        self._clock = clock
        self._seen: dict[str, _Seen] = {}

    def row(self, name: str) -> Register:
        """The row of a name; the loader has checked that it exists."""
        return self.map.registers[name]

    def note(self, name: str, raw: int) -> None:
        """A value that came by another way, for example with a telemetry block."""
        self._seen[name] = _Seen(raw, self._clock.monotonic())

    def forget(self) -> None:
        """Nothing is known any more: the connection is new, or somebody else may have written."""
        self._seen.clear()

    def known(self, name: str, max_age_s: float) -> int | None:
        """The number seen at most `max_age_s` ago, if any."""
        seen = self._seen.get(name)
        if seen is None or self._clock.monotonic() - seen.at > max_age_s:
            return None
        return seen.raw

    async def read(self, name: str, priority: Priority) -> int:
        """Read a register's raw number now."""
        row = self.row(name)
        raw = to_raw(row, await self.link.read(row.table, row.address, row.count, priority=priority))
        self.note(name, raw)
        return raw

    async def recent(self, name: str, max_age_s: float, priority: Priority) -> int:
        """The number seen at most `max_age_s` ago, else read."""
        known = self.known(name, max_age_s)
        return await self.read(name, priority) if known is None else known

    async def write(self, name: str, raw: int, priority: Priority, not_after: float | None) -> None:
        """Write one register. After an error its value counts as unknown."""
        row = self.row(name)
        await self._send((row,), from_raw(row, raw), _function(row), priority, not_after)
        self.note(name, raw)

    async def write_block(
        self, names: Sequence[str], raws: Sequence[int], priority: Priority, not_after: float | None
    ) -> None:
        """Write neighbours in one frame; the loader has checked that they are neighbours."""
        pairs = sorted(zip(map(self.row, names), raws, strict=True), key=lambda pair: pair[0].address)
        words = tuple(word for row, raw in pairs for word in from_raw(row, raw))
        await self._send(tuple(row for row, _ in pairs), words, 16, priority, not_after)
        for row, raw in pairs:
            self.note(row.name, raw)

    async def _send(
        self,
        rows: Sequence[Register],
        words: Sequence[int],
        function: Literal[6, 16],
        priority: Priority,
        not_after: float | None,
    ) -> None:
        for row in rows:
            self._seen.pop(row.name, None)
        await self.link.write(rows[0].address, words, function=function, priority=priority, not_after=not_after)


def _function(row: Register) -> Literal[6, 16]:
    if row.write_function is None or row.never_write:
        raise RequirementFailed(f"{row.name} at {row.address} may not be written: {row.never_write or 'read only'}")
    return 6 if row.write_function == 6 and row.count == 1 else 16
