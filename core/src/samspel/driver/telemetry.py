"""Signals upward: each with its own measurement time and quality, nothing restamped, nothing invented."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from samspel.contract.errors import BusError, LinkDown, NoAnswer
from samspel.contract.ports import Clock, Priority
from samspel.contract.signals import SIGNALS, Positive
from samspel.contract.telemetry import Quality, Reading
from samspel.driver.frozen import FrozenWatch
from samspel.driver.meaning import COMPANION_MAX_AGE_S, meaning
from samspel.driver.reader import Reader, Sample
from samspel.registers.model import Register, RegisterMap

__all__ = ["Telemetry"]

_GRID_DIRECTIONS = frozenset({Positive.IMPORT, Positive.EXPORT})

_TURNED = {"grid_imported_wh": "grid_exported_wh", "grid_exported_wh": "grid_imported_wh"}
"""What a meter that was mounted backwards counts instead."""


@dataclass(kw_only=True)
class Telemetry:
    """Reads the map's signals. `grid_sign` -1 turns the meter round.

    Companions are read with the rows that need them where they are in the same group or in none, where none of their
    values is new enough, and always where they say the direction.
    """

    reader: Reader
    map: RegisterMap
    clock: Clock
    frozen: FrozenWatch
    grid_sign: int = 1
    _last: dict[str, Reading] = field(default_factory=dict)
    _seen: dict[str, Sample] = field(default_factory=dict)

    async def read(self, groups: Sequence[str]) -> Mapping[str, Reading]:
        """The signals of these groups. Raises the `BusError` that kept every one of them from being read."""
        fresh: dict[str, Sample] = {}
        failure = await self._read(self._due(groups), groups, fresh)
        due = self._due(groups)
        stand_ins = [row for row in due if row.instead_of is not None and row.name not in fresh]
        if stand_ins and not isinstance(failure, LinkDown | NoAnswer):
            failure = await self._read(stand_ins, groups, fresh) or failure
            due = self._due(groups)
        if failure is not None and not fresh:
            raise failure
        frozen = self.frozen.look(due, fresh, self.clock.monotonic())
        return dict(self._reading(row, fresh, frozen) for row in due)

    # --- what is read ---

    def _due(self, groups: Sequence[str]) -> list[Register]:
        """The rows that carry the signals now: a stand-in only while the device has said that it lacks the first."""
        carriers = (row for row in self.map.registers.values() if row.signal is not None and row.instead_of is None)
        return [row for row in map(self._present, carriers) if row.poll in groups]

    def _present(self, row: Register) -> Register:
        stand_in = self.map.stand_in(row.name) if self.reader.absent(row.name) else None
        return stand_in or row

    async def _read(self, rows: list[Register], groups: Sequence[str], fresh: dict[str, Sample]) -> BusError | None:
        """Guards first: what they forbid is not even asked for, since asking can cost the connection."""
        priority = Priority.FAST_TELEMETRY if "fast" in groups else Priority.SLOW_TELEMETRY
        wanted = {row.name: row for row in (*rows, *self._companions(rows, groups))}
        guards = [self.map.registers[row.only_if[0]] for row in wanted.values() if row.only_if is not None]
        first = {row.name: row for row in (*(row for row in wanted.values() if row.only_if is None), *guards)}
        failure = await self.reader.read(first.values(), priority, fresh)
        if not isinstance(failure, LinkDown | NoAnswer):
            allowed = [row for row in wanted.values() if row.only_if is not None and _holds(row.only_if, fresh)]
            failure = await self.reader.read(allowed, priority, fresh) or failure
        self._seen.update(fresh)
        return failure

    def _companions(self, rows: list[Register], groups: Sequence[str]) -> Iterator[Register]:
        for row in rows:
            for name in row.companions:
                companion = self.map.registers[name]
                due = companion.poll in (*groups, "never") or _directs(row, name)
                if due or self._known(name) is None:
                    yield companion

    def _known(self, name: str) -> int | None:
        sample = self._seen.get(name)
        if sample is None or self.clock.monotonic() - sample.monotonic_s > COMPANION_MAX_AGE_S:
            return None
        return sample.raw

    # --- what it means ---

    def _reading(self, row: Register, fresh: Mapping[str, Sample], frozen: frozenset[str]) -> tuple[str, Reading]:
        signal = row.signal or ""
        reading = self._fresh_or_last(row, fresh, frozen)
        if row.name in fresh:
            self._last[signal] = reading
        return (_TURNED.get(signal, signal) if self.grid_sign < 0 else signal), reading

    def _fresh_or_last(self, row: Register, fresh: Mapping[str, Sample], frozen: frozenset[str]) -> Reading:
        last = self._last.get(row.signal or "")
        if row.name in fresh:
            return self._of_sample(row, fresh, Quality.FROZEN if row.name in frozen else Quality.GOOD)
        if self.reader.absent(row.name):
            return self._nothing(row, Quality.ABSENT)
        if row.only_if is not None and row.only_if[0] in fresh and not _holds(row.only_if, fresh):
            return self._nothing(row, Quality.INVALID)
        if last is not None:
            return replace(last, quality=Quality.INVALID if last.value is None else Quality.STALE)
        return self._nothing(row, Quality.INVALID)

    def _of_sample(self, row: Register, fresh: Mapping[str, Sample], quality: Quality) -> Reading:
        """A value that means nothing is invalid, however fresh it is."""
        sample, spec = fresh[row.name], SIGNALS[row.signal or ""]

        def raw_of(name: str) -> int | None:
            """A direction has to be of the same round: an old one could turn the number the wrong way."""
            if name in fresh:
                return fresh[name].raw
            return None if _directs(row, name) else self._known(name)

        value = meaning(self.map.registers, row, sample.raw, raw_of)
        if value is None:
            return Reading(None, spec.unit, sample.at, sample.monotonic_s, Quality.INVALID)
        if isinstance(value, int | float) and spec.positive in _GRID_DIRECTIONS:
            value *= self.grid_sign
        return Reading(value, spec.unit, sample.at, sample.monotonic_s, quality)

    def _nothing(self, row: Register, quality: Quality) -> Reading:
        unit = SIGNALS[row.signal or ""].unit
        return Reading(None, unit, self.clock.wall(), self.clock.monotonic(), quality)


def _directs(row: Register, name: str) -> bool:
    return row.sign_from is not None and row.sign_from.register == name


def _holds(guard: tuple[str, int], fresh: Mapping[str, Sample]) -> bool:
    name, wanted = guard
    return name in fresh and fresh[name].raw == wanted
