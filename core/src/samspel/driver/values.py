"""What a step writes: a map's value, made a raw number for one register now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from samspel.contract.errors import RegisterAbsent, RequirementFailed
from samspel.contract.ports import Clock, Priority
from samspel.driver.bank import Bank
from samspel.driver.meaning import COMPANION_MAX_AGE_S, number_meant
from samspel.driver.turns import Ticket
from samspel.driver.units import literal_raw, number_of, raw_from_number
from samspel.registers.codec import Rounding, from_raw, pack, to_raw, unpack
from samspel.registers.model import HhmmAfter, Literal, Pack, Register, Restore, SignalValue, Value

__all__ = ["CEILING_MAX_AGE_S", "TARGET", "Resolver"]

TARGET = "target_power_w"

CEILING_MAX_AGE_S = 60.0
"""A live limit older than this is read again before it bounds a write."""

DAY_S = 86_400
LAST_MINUTE = 23 * 60 + 59
"""What a time past midnight becomes: a slot never crosses it."""


@dataclass(kw_only=True)
class Resolver:
    """Values for one running sequence. `target_w` is the commanded magnitude, >= 0.

    `constants` are signals from the nameplate: where the device does not state one, they bound and divide.

    Every method that reads may raise a `BusError`, SequenceAbandoned while it waits, and RequirementFailed when a
    value cannot be had or would lie outside the register's range.
    """

    bank: Bank
    clock: Clock
    ticket: Ticket
    priority: Priority
    target_w: float = 0.0
    snapshot: Mapping[str, int] = field(default_factory=dict)
    constants: Mapping[str, float] = field(default_factory=dict)

    async def raw(self, row: Register, value: Value) -> int:
        """What to write, bounded by the register's live ceiling."""
        return await self.bounded(row, await self._unbounded(row, value))

    async def bounded(self, row: Register, raw: int) -> int:
        """Not more than the ceiling allows now. Zero never needs one, so a stop is never refused for want of it."""
        if row.ceiling is None or raw <= 0:
            return raw
        return min(raw, raw_from_number(row, await self.bound(row.ceiling)))

    async def look(self, name: str) -> float:
        """The present value of a signal or register in contract units, at most a minute old."""
        number, why = await self._stated(name)
        if number is None:
            raise RequirementFailed(f"{why}, and the sequence needs {name}")
        return number

    async def bound(self, name: str) -> float:
        """The same for what only bounds or divides: the site's constant serves where the device states nothing."""
        number, why = await self._stated(name)
        number = self.constants.get(name) if number is None else number
        if number is None:
            raise RequirementFailed(
                f"{why}, and the sequence needs {name}; if it stands on the nameplate, "
                f"give it in site.toml: constants = {{ {name} = ... }}"
            )
        return number

    async def _stated(self, name: str) -> tuple[float | None, str]:
        """What the device states, or why that is nothing."""
        why = f"this device has no {name}"
        for row in self.bank.map.carriers(name):
            try:
                raw = await self._recent(row.name)
            except RegisterAbsent:
                continue
            raws = {companion: await self._companion(row, companion) for companion in row.companions}
            number = number_meant(self.bank.map.registers, row, raw, raws.get)
            if number is not None:
                return number, ""
            why = f"{row.name} reads 'not available' (raw {raw})"
        return None, why

    async def _companion(self, row: Register, name: str) -> int | None:
        directs = row.sign_from is not None and row.sign_from.register == name
        try:
            return await self._recent(name, CEILING_MAX_AGE_S if directs else COMPANION_MAX_AGE_S)
        except RegisterAbsent:
            return None

    async def _recent(self, name: str, max_age_s: float = CEILING_MAX_AGE_S) -> int:
        return await self.ticket.unless_withdrawn(self.bank.recent(name, max_age_s, self.priority))

    async def power_w(self, row: Register, value: Value, raw: int) -> float | None:
        """The power in W that a raw number means, where the value carries the command's target."""
        if isinstance(value, SignalValue) and value.name == TARGET:
            number = number_of(row, raw)
            return None if number is None else await self._unshared(value, number)
        if isinstance(value, Pack):
            for name, part in value.fields.items():
                if isinstance(part, SignalValue) and part.name == TARGET:
                    return await self._unshared(part, unpack(row, from_raw(row, raw))[name])
        return None

    async def _unbounded(self, row: Register, value: Value) -> int:
        match value:
            case Literal():
                return literal_raw(row, value.value)
            case SignalValue():
                return raw_from_number(row, await self._number(value))
            case Restore():
                return await self._restored(row, value)
            case HhmmAfter():
                return await self._hhmm(value)
            case Pack():
                return await self._packed(row, value)

    async def _number(self, value: SignalValue) -> float:
        """A share is at most the whole: a live limit may allow more than the device has."""
        number = self.target_w if value.name == TARGET else await self.look(value.name)
        if value.clamp_to is not None:
            number = min(number, await self.bound(value.clamp_to))
        if value.share_of is not None:
            number = min(1.0, number / await self._whole(value.share_of))
        return number

    async def _unshared(self, value: SignalValue, number: float) -> float:
        return number if value.share_of is None else number * await self._whole(value.share_of)

    async def _whole(self, name: str) -> float:
        whole = await self.bound(name)
        if whole <= 0:
            raise RequirementFailed(f"{name} is {whole:g}: a share of it means nothing")
        return whole

    async def _restored(self, row: Register, value: Restore) -> int:
        name = value.register or row.name
        if name in self.snapshot:
            return self.snapshot[name]
        substitute = value.otherwise or row.neutral
        if substitute is None:
            raise RequirementFailed(f"the snapshot has no {name}, and the map gives nothing instead")
        return await self._unbounded(row, substitute)

    async def _hhmm(self, value: HhmmAfter) -> int:
        """By the device's clock if the map names it, else by this site's in its own zone: inverters keep local time."""
        now_s = await self._seconds_of_day(value.clock)
        later_s = now_s + value.seconds
        minutes = (later_s - later_s % value.floor_s) // 60 if later_s < DAY_S else LAST_MINUTE
        return minutes // 60 * 256 + minutes % 60

    async def _seconds_of_day(self, clock: str | None) -> int:
        if clock is None:
            moment = self.clock.wall().astimezone()
            return moment.hour * 3600 + moment.minute * 60 + moment.second
        row = self.bank.row(clock)
        raw = await self.ticket.unless_withdrawn(self.bank.read(clock, self.priority))
        parts = unpack(row, from_raw(row, raw))
        hour, minute, second = (int(parts.get(name, 0)) for name in ("hour", "minute", "second"))
        if raw in row.invalid or hour > 23 or minute > 59 or second > 59:
            raise RequirementFailed(f"{clock} reads {hour:02}:{minute:02}:{second:02}, which is no time of day")
        return hour * 3600 + minute * 60 + second

    async def _packed(self, row: Register, value: Pack) -> int:
        numbers = {name: await self._field(part) for name, part in value.fields.items()}
        return to_raw(row, pack(row, numbers, rounding=Rounding.TOWARD_ZERO))

    async def _field(self, part: Literal | SignalValue) -> float:
        return await self._number(part) if isinstance(part, SignalValue) else float(part.value)
