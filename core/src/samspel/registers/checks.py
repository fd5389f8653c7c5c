"""Whether rows fit together and sequences can be carried out: every name, unit, label, range and duty."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from samspel.contract.ports import Table
from samspel.contract.signals import SIGNALS
from samspel.registers import codec
from samspel.registers.model import (
    Authority,
    DataType,
    HhmmAfter,
    Limits,
    Literal,
    OnRelease,
    Pack,
    Register,
    Restore,
    Rung,
    Sequence,
    SignalValue,
    Step,
    Value,
    Verb,
)
from samspel.registers.problems import Place, Problems, listed
from samspel.registers.raw import INTEGERS
from samspel.registers.vocabulary import NAMEPLATE, TARGET
from samspel.wording import did_you_mean

__all__ = ["WRITES", "Names", "SequenceCheck", "written_by"]

WRITES = frozenset({Verb.WRITE, Verb.WRITE_BLOCK, Verb.WRITE_IF_DIFFERS, Verb.SET_BITS, Verb.CLEAR_BITS})
"""The verbs that change the device."""

_READS = frozenset({Verb.REQUIRE, Verb.WAIT_UNTIL, Verb.VERIFY, Verb.WRITE_IF_DIFFERS, Verb.SET_BITS, Verb.CLEAR_BITS})
_WITH_TARGET = frozenset({"wake", "charge", "discharge", "reverse", "feed"})
_NEVER_BARRED = frozenset({"stop", "release"})


def written_by(steps: Sequence) -> Iterator[str]:
    """The registers that steps write, in their order, with repeats."""
    for step in steps:
        if step.verb in WRITES:
            yield from step.registers


@dataclass(frozen=True)
class Names:
    """What a name may stand for. `off` are the rows of low confidence that are not switched on."""

    registers: Mapping[str, Register]
    off: frozenset[str]
    problems: Problems

    def register(self, name: str, place: Place) -> Register | None:
        """The row of this name, or a problem."""
        if name not in self.registers:
            self.problems.add(place, f"found {name!r}, which is no register{did_you_mean(name, self.registers)}")
            return None
        return self._trusted(self.registers[name], place)

    def source(self, name: str, place: Place) -> Register | None:
        """The row that carries the signal of this name, else the row of this name, or a problem."""
        carriers = (row for row in self.registers.values() if row.signal == name and row.instead_of is None)
        carrier = next(carriers, None)
        if carrier is not None:
            return self._readable(carrier, place)
        if name in self.registers:
            row = self._trusted(self.registers[name], place)
            return row and self._readable(row, place)
        if name in SIGNALS:
            self.problems.add(place, f"no register of this map carries the signal {name}")
        else:
            near = did_you_mean(name, [*self.registers, *SIGNALS, TARGET])
            self.problems.add(place, f"found {name!r}, which is neither signal nor register{near}")
        return None

    def _trusted(self, row: Register, place: Place) -> Register | None:
        if row.name in self.off:
            text = f"{row.name} rests on low confidence ({row.source}); a site must switch it on by name"
            self.problems.add(place, text)
            return None
        return row

    def _readable(self, row: Register, place: Place) -> Register | None:
        if not row.readable or row.type is DataType.STRING:
            self.problems.add(place, f"{row.name} does not read as a number")
            return None
        return row


@dataclass
class SequenceCheck:
    """Walks sequences and reports what cannot be meant. `writers` says which sequence writes which register."""

    names: Names
    limits: Limits
    problems: Problems
    writers: dict[str, str] = field(default_factory=dict)
    _remembered: dict[str, Place] = field(default_factory=dict)

    def sequence(self, name: str, steps: Sequence, place: Place) -> None:
        """Check one sequence, or the steps of one rung of ladder `name`."""
        written: set[str] = set()
        for number, step in enumerate(steps):
            self._step(name, step, (*place, number), written)
            if step.verb in WRITES:
                written.update(step.registers)
        for register in written:
            self.writers.setdefault(register, name)

    def ladder(self, name: str, rungs: tuple[Rung, ...], place: Place) -> None:
        """Check every rung; a stop must begin by removing power."""
        for number, rung in enumerate(rungs):
            self.sequence(name, rung.steps, (*place, number, "steps"))
            if name == "stop":
                self._first_write(rung, (*place, number))
        names = [rung.name for rung in rungs]
        for repeated in {rung for rung in names if names.count(rung) > 1}:
            self.problems.add(place, f"two rungs are called {repeated!r}")

    def duty(self, row: Register, place: Place) -> None:
        """Check that a register which a sequence writes says all that this demands."""
        why = f"the sequence {self.writers[row.name]} writes this register"
        for key, text in _duties(row):
            self.problems.add((*place, key), f"{text}; {why}")
        if row.count > self.limits.write_words:
            self.problems.add(place, f"{row.count} words; [limits] write_words is {self.limits.write_words}; {why}")
        if row.ceiling is not None:
            self._ceiling(row, (*place, "ceiling"))
        if row.neutral is not None:
            self._value(row, row.neutral, (*place, "neutral"), has_target=False)

    def snapshots(self) -> None:
        """Check, after all sequences, that what a value takes from the snapshot will be in it."""
        for name, place in self._remembered.items():
            if name not in self.writers:
                self.problems.add(place, f"the snapshot holds what sequences write; none writes {name}")

    # --- steps ---

    def _step(self, name: str, step: Step, place: Place, written: set[str]) -> None:
        self._allowed(name, step, place)
        rows = [self.names.register(register, (*place, step.verb.value)) for register in step.registers]
        for row in rows:
            if row is not None and step.verb in _READS and not row.readable:
                self.problems.add(place, f"{step.verb} reads {row.name}, which is write-only")
        found = [row for row in rows if row is not None]
        if len(found) < len(rows):
            return
        has_target = name in _WITH_TARGET
        match step.verb:
            case Verb.WRITE | Verb.WRITE_IF_DIFFERS:
                self._value(found[0], step.values[0], (*place, "value"), has_target=has_target)
            case Verb.WRITE_BLOCK:
                self._block(found, step, place, has_target=has_target)
            case Verb.SET_BITS | Verb.CLEAR_BITS:
                self._bit_numbers(found[0], step, place)
            case Verb.REQUIRE | Verb.WAIT_UNTIL:
                for value in step.values:
                    self._compared(found[0], value, (*place, "is_not" if step.negate else "is"))
            case Verb.VERIFY:
                self._verify(found, step, place, written)

    def _allowed(self, name: str, step: Step, place: Place) -> None:
        if name == "take" and step.verb not in {Verb.REQUIRE, Verb.WAIT_UNTIL, Verb.WAIT}:
            self.problems.add(place, f"take only looks: found {step.verb}, allowed: require, wait_until, wait")
        if name in _NEVER_BARRED and step.verb is Verb.REQUIRE:
            self.problems.add(place, f"nothing may bar a {name}: require is not allowed here")

    def _first_write(self, rung: Rung, place: Place) -> None:
        first = next(written_by(rung.steps), None)
        row = self.names.registers.get(first or "")
        if first is None:
            self.problems.add(place, f"the rung {rung.name} writes nothing, so it cannot stop anything")
        elif row is not None and row.authority is not Authority.BINDING:
            found = row.authority.value if row.authority else "none"
            self.problems.add(
                place, f"a stop's first write must remove power: {first} has authority {found}, expected binding"
            )

    def _block(self, rows: list[Register], step: Step, place: Place, *, has_target: bool) -> None:
        if len(step.values) != len(rows):
            text = f"found {len(step.values)} values for {len(rows)} registers; one each is expected"
            self.problems.add((*place, "values"), text)
        for number, (row, value) in enumerate(zip(rows, step.values, strict=False)):
            self._value(row, value, (*place, "values", number), has_target=has_target)
        for row, following in pairwise(rows):
            if row.address + row.count != following.address:
                text = f"{following.name} ({following.address}) does not follow {row.name} ({row.address}) directly"
                self.problems.add((*place, "write_block"), text)
        self._block_frame(rows, step, place)

    def _block_frame(self, rows: list[Register], step: Step, place: Place) -> None:
        words = sum(row.count for row in rows)
        if words > self.limits.write_words:
            text = f"{words} words in one frame; [limits] write_words is {self.limits.write_words}"
            self.problems.add((*place, "write_block"), text)
        for row in rows:
            if row.write_function == 6:
                self.problems.add((*place, "write_block"), f"{row.name} has write = 6, but a frame needs write = 16")
        for name in step.fallback:
            if name not in step.registers:
                text = f"found {name!r}, allowed: {listed(step.registers)}{did_you_mean(name, step.registers)}"
                self.problems.add((*place, "fallback"), text)
        if len(set(step.fallback)) < len(step.fallback):
            self.problems.add((*place, "fallback"), "names a register twice")

    def _bit_numbers(self, row: Register, step: Step, place: Place) -> None:
        if row.type not in INTEGERS:
            self.problems.add(place, f"{row.name} is {row.type}; only an integer has bits")
        for bit in step.bits:
            if not 0 <= bit < 16 * row.count:
                text = f"found {bit}; {row.name} has bits 0..{16 * row.count - 1}"
                self.problems.add((*place, "bits"), text)

    def _verify(self, rows: list[Register], step: Step, place: Place, written: set[str]) -> None:
        if step.values:
            for row, value in zip(rows, step.values, strict=False):
                self._compared(row, value, (*place, "is"))
            return
        for row in rows:
            if row.name not in written:
                text = f"{row.name} is not written before in these steps; say with `is` what it should hold"
                self.problems.add((*place, "verify"), text)

    # --- values ---

    def _compared(self, row: Register, value: Value, place: Place) -> None:
        """A value that a register is compared with."""
        if not isinstance(value, Literal) or not isinstance(value.value, str) or row.type is DataType.STRING:
            return
        words = [*row.labels.values(), *row.states.values(), *([row.other_state] if row.other_state else [])]
        if value.value not in words:
            near = did_you_mean(value.value, words)
            text = f"found {value.value!r}; {row.name} has the words {listed(dict.fromkeys(words))}{near}"
            self.problems.add(place, text)

    def _value(self, row: Register, value: Value, place: Place, *, has_target: bool) -> None:
        """A value that is written."""
        match value:
            case Literal():
                self._literal(row, value.value, place)
            case SignalValue():
                self._signal_value(row, value, place, has_target=has_target)
            case Restore():
                self._restore(row, value, place, has_target=has_target)
            case HhmmAfter():
                self._hhmm(row, value, place)
            case Pack():
                self._pack(row, value, place, has_target=has_target)

    def _hhmm(self, row: Register, value: HhmmAfter, place: Place) -> None:
        if row.count > 1 or row.type not in INTEGERS or row.labels or (row.scale, row.offset) != (1.0, 0.0):
            self.problems.add(place, f"{row.name} cannot hold hour * 256 + minute: one plain word is needed")
        clock = None if value.clock is None else self.names.register(value.clock, (*place, "clock"))
        if clock is None:
            return
        if not clock.readable or not {"hour", "minute"} <= clock.fields.keys():
            text = f"{clock.name} is no clock: it must be readable and have the fields hour and minute"
            self.problems.add((*place, "clock"), text)

    def _literal(self, row: Register, value: float | str, place: Place) -> None:
        if row.labels and value not in {*row.labels, *row.labels.values()}:
            near = did_you_mean(value, row.labels.values())
            text = f"found {value!r}; the labels of {row.name} are {listed(row.labels.values())}{near}"
            self.problems.add(place, text)
            return
        try:
            codec.encode(row, value)
        except codec.UnwritableValue as error:
            self.problems.add(place, f"found {value!r}; {error}")

    def _signal_value(self, row: Register, value: SignalValue, place: Place, *, has_target: bool) -> None:
        unit = self._unit(value.name, (*place, "signal"), has_target=has_target)
        for key, other in (("clamp_to", value.clamp_to), ("share_of", value.share_of)):
            other_unit = None if other is None else self._bound_unit(other, (*place, key), has_target=has_target)
            if unit is not None and other_unit is not None and unit != other_unit:
                self.problems.add((*place, key), f"{other} is in {other_unit!r}, but {value.name} is in {unit!r}")
        result = "" if value.share_of is not None else unit
        if unit is not None and result != row.unit:
            text = f"gives {result!r}, but {row.name} is in {row.unit!r}"
            share = " (a share is a plain number: 1 is the whole; the row's scale makes it per mille or percent)"
            self.problems.add(place, text + (share if value.share_of is not None else ""))
        if row.labels:
            self.problems.add(place, f"{row.name} is an enum; a measured value does not fit")

    def _unit(self, name: str, place: Place, *, has_target: bool) -> str | None:
        if name == TARGET:
            if not has_target:
                self.problems.add(place, f"found {TARGET}, but no command's power is known here")
            return "W" if has_target else None
        row = self.names.source(name, place)
        return None if row is None else row.value_unit

    def _bound_unit(self, name: str, place: Place, *, has_target: bool) -> str | None:
        """The same where a number from the nameplate will do, which a site can give when no register states it."""
        spec = SIGNALS.get(name)
        stated = any(name in (row.name, row.signal) for row in self.names.registers.values())
        if spec is not None and spec.group == NAMEPLATE and not stated:
            return spec.unit
        return self._unit(name, place, has_target=has_target)

    def _restore(self, row: Register, value: Restore, place: Place, *, has_target: bool) -> None:
        if value.register is not None:
            self.names.register(value.register, (*place, "snapshot"))
            self._remembered.setdefault(value.register, (*place, "snapshot"))
        if value.otherwise is not None:
            self._value(row, value.otherwise, (*place, "otherwise"), has_target=has_target)
        elif row.neutral is None:
            self.problems.add(
                place, f"without a snapshot there is nothing to write: say otherwise, or {row.name} neutral"
            )

    def _pack(self, row: Register, value: Pack, place: Place, *, has_target: bool) -> None:
        for name, part in value.fields.items():
            where = (*place, "pack", name)
            if name not in row.fields:
                text = f"{row.name} has no such field: {listed(row.fields)}{did_you_mean(name, row.fields)}"
                self.problems.add(where, text)
            elif isinstance(part, SignalValue):
                self._signal_value(row, part, where, has_target=has_target)
            else:
                self._packed_literal(row, name, part, where)

    def _packed_literal(self, row: Register, name: str, part: Literal, place: Place) -> None:
        try:
            codec.pack(row, {name: float(part.value)})
        except codec.UnwritableValue as error:
            self.problems.add(place, f"found {part.value!r}; {error}")

    def _ceiling(self, row: Register, place: Place) -> None:
        if row.ceiling == row.name:
            self.problems.add(place, "a register cannot be its own ceiling")
        unit = self._bound_unit(row.ceiling or "", place, has_target=False)
        if unit is not None and unit != row.unit:
            self.problems.add(place, f"{row.ceiling} is in {unit!r}, but {row.name} is in {row.unit!r}")


def _duties(row: Register) -> Iterator[tuple[str, str]]:
    if row.never_write is not None:
        yield "never_write", f"nobody may ever write it ({row.never_write})"
        return
    if row.write_function is None:
        yield "write", "is missing: 6 or 16"
        return
    yield from _shape_duties(row)
    if row.authority is None:
        yield "authority", f"is missing: {listed(Authority)}"
    yield from _release_duties(row)


def _shape_duties(row: Register) -> Iterator[tuple[str, str]]:
    if row.companions:
        yield "write", f"its meaning needs {listed(row.companions)}, so nothing can be written to it"
    if row.at is not None:
        yield "at", f"another unit ({row.at}) is never written"
    if row.table is not Table.HOLDING or row.type is DataType.STRING or row.magnitude:
        yield "type", "only a holding register with a plain number can be written"


def _release_duties(row: Register) -> Iterator[tuple[str, str]]:
    if row.on_release is None:
        yield "on_release", f"is missing: {listed(OnRelease)}"
    elif row.on_release is OnRelease.LEAVE and row.trigger:
        yield "on_release", "found leave, but a trigger would stay in force: reset or restore"
    elif row.on_release is not OnRelease.LEAVE and row.neutral is None:
        yield "neutral", f"is missing: {row.on_release} needs to know what to write without a snapshot"
    if row.on_release is OnRelease.RESTORE and not row.readable:
        yield "on_release", "found restore, but a write-only register cannot be remembered"
