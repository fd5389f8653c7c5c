"""A device's registers by name: read, written, and remembered with the time at which they were seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from samspel.contract.errors import RegisterAbsent, RequirementFailed
from samspel.contract.ports import BusLink, Clock, Priority, Table
from samspel.driver.further import FurtherUnit
from samspel.driver.lingering import Lingering
from samspel.registers.codec import from_raw, to_raw
from samspel.registers.model import Life, Register, RegisterMap

__all__ = ["Bank", "Wear"]


@dataclass(slots=True)
class Wear:
    """How many registers that wear have been handed to the bus; what came of it does not matter."""

    writes: int = 0


@dataclass(frozen=True, slots=True)
class _Seen:
    raw: int
    at: float


class Bank:
    """The named registers of one map on one link. Every method may raise any `BusError`.

    `further` are the other units at which rows may stand, by the map's names. `read_back` false says that readings
    may linger after a write (see `lingering`). `wear` counts for the whole life of a driver.
    """

    def __init__(
        self,
        registers: RegisterMap,
        link: BusLink,
        clock: Clock,
        *,
        further: Mapping[str, FurtherUnit] | None = None,
        read_back: bool = True,
        wear: Wear | None = None,
    ) -> None:
        self.map = registers
        self.wear = wear or Wear()
        self.read_back = read_back
        self._link = link
        self._clock = clock
        self._further = further or {}
        self._seen: dict[str, _Seen] = {}
        self._lingering = None if read_back else Lingering(clock)

    def row(self, name: str) -> Register:
        """The row of a name; the loader has checked that it exists."""
        return self.map.registers[name]

    def reaches(self, row: Register) -> bool:
        """Whether the unit of a row is known: without that the row counts as absent."""
        return row.at is None or row.at in self._further

    def noted(self, name: str, raw: int) -> int:
        """Remember what a register reads now; returns what is to be believed of it."""
        believed = raw if self._lingering is None else self._lingering.read(name, raw)
        self._seen[name] = _Seen(believed, self._clock.monotonic())
        return believed

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
        """Read a register's raw number now. Raises RegisterAbsent, too, when the site does not name its unit."""
        row = self.row(name)
        words = await self.read_words(row.at, row.table, row.address, row.count, priority)
        return self.noted(name, to_raw(row, words))

    async def read_words(
        self, at: str | None, table: Table, address: int, count: int, priority: Priority
    ) -> tuple[int, ...]:
        """Words of the device itself, or of the further unit `at`."""
        if at is None:
            return await self._link.read(table, address, count, priority=priority)
        unit = self._further.get(at)
        if unit is None:
            raise RegisterAbsent(f"the site names no unit {at!r}, where register {address} stands", code=0)
        return await unit.read(table, address, count, priority=priority)

    async def recent(self, name: str, max_age_s: float, priority: Priority) -> int:
        """The number seen at most `max_age_s` ago, else read."""
        known = self.known(name, max_age_s)
        return await self.read(name, priority) if known is None else known

    async def write(self, name: str, raw: int, priority: Priority, not_after: float | None) -> None:
        """Write one register. After an error its value counts as unknown."""
        row = self.row(name)
        await self._send((row,), from_raw(row, raw), _function(row), priority, not_after)
        self._keep_sent(name, raw)

    async def write_block(
        self, names: Sequence[str], raws: Sequence[int], priority: Priority, not_after: float | None
    ) -> None:
        """Write neighbours in one frame; the loader has checked that they are neighbours."""
        pairs = sorted(zip(map(self.row, names), raws, strict=True), key=lambda pair: pair[0].address)
        words = tuple(word for row, raw in pairs for word in from_raw(row, raw))
        await self._send(tuple(row for row, _ in pairs), words, 16, priority, not_after)
        for row, raw in pairs:
            self._keep_sent(row.name, raw)

    def _keep_sent(self, name: str, raw: int) -> None:
        self._seen[name] = _Seen(raw, self._clock.monotonic())
        if self._lingering is not None:
            self._lingering.wrote(name, raw)

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
        self.wear.writes += sum(row.life is Life.PERSISTENT for row in rows)
        await self._link.write(rows[0].address, words, function=function, priority=priority, not_after=not_after)


def _function(row: Register) -> Literal[6, 16]:
    if row.write_function is None or row.never_write:
        raise RequirementFailed(f"{row.name} at {row.address} may not be written: {row.never_write or 'read only'}")
    return 6 if row.write_function == 6 and row.count == 1 else 16
