"""Runs a map's sequence step by step. Every write is handed out before it is sent, so that it can be told apart."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from samspel.contract.errors import (
    DeviceBusy,
    DeviceRefused,
    DriverError,
    RegisterAbsent,
    RequirementFailed,
    VerifyFailed,
)
from samspel.contract.ports import Clock, Priority
from samspel.driver.bank import Bank
from samspel.driver.values import Resolver
from samspel.registers.codec import from_raw, matches
from samspel.registers.model import Life, Register, Rung, Step, Value, Verb
from samspel.registers.model import Literal as MapLiteral
from samspel.registers.problems import listed

__all__ = ["FRESH_S", "SequenceRun", "climb_down"]

_log = logging.getLogger(__name__)

FRESH_S = 30.0
"""A register seen at most so long ago need not be read before `write_if_differs`."""

REREAD_S = 0.5
"""Between two looks of `verify` and `wait_until`."""

FRAME_REFUSALS = frozenset({1, 2, 3})
"""Exception codes by which a device says that it does not take this frame: function, address, value."""


@dataclass(kw_only=True)
class SequenceRun:
    """One run of one or several sequences on behalf of one call.

    `on_write(register, raw)` is called before each write is sent: after that the device may have it, whatever the
    answer says. `sparing` turns writes of persistent registers into writes of changed values.
    Results: `verified` when a verify step held, `power_w` the smallest magnitude really written for the target.
    """

    bank: Bank
    clock: Clock
    values: Resolver
    priority: Priority
    on_write: Callable[[str, int], None]
    not_after: float | None = None
    sparing: bool = False
    verified: bool = False
    power_w: float | None = None
    expected: dict[str, int] = field(default_factory=dict)

    async def run(self, steps: Sequence[Step]) -> None:
        """Run to the end. Raises any `BusError` or `DriverError`; what was written until then stays written."""
        for step in steps:
            self.values.ticket.check()
            await self._step(step)

    def start_over(self) -> None:
        """Forget what an earlier attempt has led to; what it wrote stays written."""
        self.expected.clear()
        self.verified, self.power_w = False, None

    async def _step(self, step: Step) -> None:
        match step.verb:
            case Verb.WRITE | Verb.WRITE_IF_DIFFERS:
                await self._write(step)
            case Verb.WRITE_BLOCK:
                await self._write_block(step)
            case Verb.SET_BITS | Verb.CLEAR_BITS:
                await self._change_bits(step)
            case Verb.WAIT:
                await self.values.ticket.sleep(step.seconds)
            case Verb.WAIT_UNTIL | Verb.REQUIRE:
                await self._require(step)
            case Verb.VERIFY:
                await self._verify(step)

    # --- writes ---

    async def _write(self, step: Step) -> None:
        row = self.bank.row(step.registers[0])
        raw = await self._resolve(row, step.values[0])
        spared = self.sparing and row.life is Life.PERSISTENT
        if (step.verb is Verb.WRITE_IF_DIFFERS or spared) and await self._holds(row, raw):
            self.expected[row.name] = raw
            return
        await self.send(row, raw)

    async def send(self, row: Register, raw: int) -> None:
        """One single write, announced first."""
        self.expected[row.name] = raw
        self.on_write(row.name, raw)
        await self.bank.write(row.name, raw, self.priority, self.not_after)

    async def _write_block(self, step: Step) -> None:
        raws = {
            name: await self._resolve(self.bank.row(name), value)
            for name, value in zip(step.registers, step.values, strict=True)
        }
        self.expected.update(raws)
        frame = await self._sparing_wear(raws)
        if not frame:
            return
        for name, raw in frame.items():
            self.on_write(name, raw)
        try:
            await self.bank.write_block(tuple(frame), tuple(frame.values()), self.priority, self.not_after)
        except DeviceRefused as refusal:
            if not step.fallback or refusal.code not in FRAME_REFUSALS:
                raise
            await self._one_by_one([name for name in step.fallback if name in frame], frame)

    async def _sparing_wear(self, raws: dict[str, int]) -> dict[str, int]:
        """A frame without the persistent registers at its ends that hold their value already. What a path reads may be
        old where nothing can be read back: there the whole frame is written.
        """
        names = list(raws)
        while names and await self._needs_no_write(names[0], raws):
            names.pop(0)
        while names and await self._needs_no_write(names[-1], raws):
            names.pop()
        return {name: raws[name] for name in names}

    async def _needs_no_write(self, name: str, raws: dict[str, int]) -> bool:
        row = self.bank.row(name)
        spared = row.life is Life.PERSISTENT and self.bank.read_back
        return spared and await self._holds(row, raws[name])

    async def _one_by_one(self, order: Sequence[str], raws: dict[str, int]) -> None:
        for name in order:
            self.values.ticket.check()
            await self.send(self.bank.row(name), raws[name])

    async def _change_bits(self, step: Step) -> None:
        row = self.bank.row(step.registers[0])
        before = await self._read(row.name, self.priority)
        mask = sum(1 << bit for bit in step.bits)
        after = before | mask if step.verb is Verb.SET_BITS else before & ~mask
        self.expected[row.name] = after
        if after != before:
            await self.send(row, after)

    async def _resolve(self, row: Register, value: Value) -> int:
        raw = await self.values.raw(row, value)
        power_w = await self.values.power_w(row, value, raw)
        if power_w is not None:
            self.power_w = power_w if self.power_w is None else min(self.power_w, power_w)
        return raw

    async def _holds(self, row: Register, raw: int) -> bool:
        if not row.readable:
            return False
        known = self.bank.known(row.name, FRESH_S)
        return raw == (await self._read(row.name, self.priority) if known is None else known)

    # --- looks ---

    async def _read(self, name: str, priority: Priority) -> int:
        return await self.values.ticket.unless_withdrawn(self.bank.read(name, priority))

    async def _require(self, step: Step) -> None:
        """`require` looks once; `wait_until` looks until its time is up."""
        row = self.bank.row(step.registers[0])
        give_up = self.clock.monotonic() + (step.seconds if step.verb is Verb.WAIT_UNTIL else 0.0)
        while not await self._satisfied(row, step):
            if self.clock.monotonic() >= give_up:
                raise RequirementFailed(self._unsatisfied(row, step))
            await self.values.ticket.sleep(REREAD_S)

    async def _satisfied(self, row: Register, step: Step) -> bool:
        """A register that a unit may lack, and lacks, cannot forbid anything."""
        try:
            raw = await self._read(row.name, self.priority)
        except RegisterAbsent:
            if row.optional:
                return True
            raise
        if row.optional and raw in row.invalid:
            return True
        words = from_raw(row, raw)
        return any(matches(row, words, one) for one in _literals(step)) is not step.negate

    def _unsatisfied(self, row: Register, step: Step) -> str:
        found = self.bank.known(row.name, FRESH_S)
        shown = row.labels.get(found, str(found)) if found is not None else "nothing"
        rule = "must not be" if step.negate else "must be"
        return f"{row.name} is {shown}, it {rule} {listed(_literals(step))}" + (
            f": {step.because}" if step.because else ""
        )

    async def _verify(self, step: Step) -> None:
        """Skipped where a reading proves nothing; the battery's own power is the proof there."""
        if not self.bank.read_back:
            return
        stated: list[float | str | None] = [*_literals(step)] or [None] * len(step.registers)
        wanted = dict(zip(step.registers, stated, strict=True))
        give_up = self.clock.monotonic() + step.seconds
        while wrong := [text for name in wanted if (text := await self._wrong(self.bank.row(name), wanted[name]))]:
            if self.clock.monotonic() >= give_up:
                raise VerifyFailed("read-back differs: " + "; ".join(wrong))
            await self.values.ticket.sleep(REREAD_S)
        self.verified = True

    async def _wrong(self, row: Register, wanted: float | str | None) -> str:
        """What is wrong with a register, in a sentence; nothing when it holds `wanted`, or what was written."""
        if not row.readable:
            return ""
        raw = await self._read(row.name, Priority.VERIFICATION)
        if wanted is not None:
            right = matches(row, from_raw(row, raw), wanted)
            return "" if right else f"{row.name} reads raw {raw}, not {wanted}"
        expected = self.expected.get(row.name, raw)
        return "" if raw == expected else f"{row.name} was written as raw {expected} and reads {raw}"


async def climb_down(run: SequenceRun, ladder: Sequence[Rung]) -> str:
    """Walk a ladder down until the device takes a rung; its name. Raises the last refusal when it takes none.

    Only a refusal or a failed read-back leads further down: a lost link, a passed deadline or a busy device would
    be no better one rung lower.
    """
    refused: list[str] = []
    for rung in ladder:
        try:
            run.start_over()
            await run.run(rung.steps)
        except DeviceBusy:
            raise
        except (DeviceRefused, VerifyFailed) as error:
            _log.warning("rung %s was not taken: %s", rung.name, error)
            refused.append(f"{rung.name}: {error}")
            last: DeviceRefused | VerifyFailed = error
        else:
            return rung.name
    if not refused:
        raise DriverError("the map has no way to zero")
    last.add_note("no rung was taken: " + "; ".join(refused))
    raise last


def _literals(step: Step) -> list[float | str]:
    return [value.value for value in step.values if isinstance(value, MapLiteral)]
