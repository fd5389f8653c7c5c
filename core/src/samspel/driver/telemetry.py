"""Signals upward: each with its own measurement time and quality, nothing restamped, nothing invented."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from samspel.contract.errors import LinkDown, NoAnswer
from samspel.contract.ports import Clock, Priority
from samspel.contract.signals import SIGNALS, Positive
from samspel.contract.telemetry import Quality, Reading
from samspel.driver.frozen import FrozenWatch
from samspel.driver.reader import Reader, Sample
from samspel.driver.units import value_of
from samspel.registers.model import Register, RegisterMap

__all__ = ["Telemetry"]

_GRID_DIRECTIONS = frozenset({Positive.IMPORT, Positive.EXPORT})

_TURNED = {"grid_imported_wh": "grid_exported_wh", "grid_exported_wh": "grid_imported_wh"}
"""What a meter that was mounted backwards counts instead."""


@dataclass(kw_only=True)
class Telemetry:
    """Reads the map's signals. `grid_sign` -1 turns the meter round."""

    reader: Reader
    map: RegisterMap
    clock: Clock
    frozen: FrozenWatch
    grid_sign: int = 1
    _last: dict[str, Sample] = field(default_factory=dict)

    async def read(self, groups: Sequence[str]) -> Mapping[str, Reading]:
        """The signals of these groups. Raises the `BusError` that kept every one of them from being read."""
        rows = [row for row in self.map.registers.values() if row.signal is not None and row.poll in groups]
        priority = Priority.FAST_TELEMETRY if "fast" in groups else Priority.SLOW_TELEMETRY
        fresh = await self._samples(rows, priority)
        self._last.update(fresh)
        frozen = self.frozen.look(rows, fresh, self.clock.monotonic())
        return dict(self._reading(row, fresh, frozen) for row in rows)

    async def _samples(self, rows: Sequence[Register], priority: Priority) -> dict[str, Sample]:
        """Guards first: what they forbid is not even asked for, since asking can cost the connection."""
        fresh: dict[str, Sample] = {}
        guards = [self.map.registers[row.only_if[0]] for row in rows if row.only_if is not None]
        first = {row.name: row for row in (*(row for row in rows if row.only_if is None), *guards)}
        failure = await self.reader.read(first.values(), priority, fresh)
        if not isinstance(failure, LinkDown | NoAnswer):
            allowed = [row for row in rows if row.only_if is not None and _holds(row.only_if, fresh)]
            failure = await self.reader.read(allowed, priority, fresh) or failure
        if failure is not None and not fresh:
            raise failure
        return fresh

    def _reading(self, row: Register, fresh: Mapping[str, Sample], frozen: frozenset[str]) -> tuple[str, Reading]:
        signal = row.signal or ""
        unit, turned = SIGNALS[signal].unit, self.grid_sign < 0
        sample = fresh.get(row.name)
        if sample is not None:
            quality = Quality.FROZEN if row.name in frozen else Quality.GOOD
            reading = self._of_sample(row, sample, quality)
        elif self.reader.absent(row.name):
            reading = self._nothing(unit, Quality.ABSENT)
        elif row.only_if is not None and row.only_if[0] in fresh and not _holds(row.only_if, fresh):
            reading = self._nothing(unit, Quality.INVALID)
        elif row.name in self._last:
            reading = self._of_sample(row, self._last[row.name], Quality.STALE)
        else:
            reading = self._nothing(unit, Quality.INVALID)
        return (_TURNED.get(signal, signal) if turned else signal), reading

    def _of_sample(self, row: Register, sample: Sample, quality: Quality) -> Reading:
        """A value that means nothing is invalid, however fresh it is."""
        spec = SIGNALS[row.signal or ""]
        value = value_of(row, sample.raw)
        if value is None:
            return Reading(None, spec.unit, sample.at, sample.monotonic_s, Quality.INVALID)
        if isinstance(value, int | float) and spec.positive in _GRID_DIRECTIONS:
            value *= self.grid_sign
        return Reading(value, spec.unit, sample.at, sample.monotonic_s, quality)

    def _nothing(self, unit: str, quality: Quality) -> Reading:
        return Reading(None, unit, self.clock.wall(), self.clock.monotonic(), quality)


def _holds(guard: tuple[str, int], fresh: Mapping[str, Sample]) -> bool:
    name, wanted = guard
    return name in fresh and fresh[name].raw == wanted
