"""Marks: which raw values a command may put into which registers. Lets a later look tell ours from foreign.

On disk a mark is `{"registers": {NAME: [entry, …]}}`; an entry is a raw number, or `[low, high]` where the number
depends on a reading (a live ceiling, the device's clock) that the plan does not wait for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

from samspel.contract.driver import Json, Mark
from samspel.driver.units import literal_raw, raw_from_number
from samspel.driver.values import TARGET
from samspel.registers.model import Literal, Register, RegisterMap, Restore, SignalValue, Step, Value, Verb
from samspel.registers.raw import raw_bounds

__all__ = ["Marks"]

Entry = int | tuple[int, int]

_WRITES = frozenset({Verb.WRITE, Verb.WRITE_IF_DIFFERS, Verb.WRITE_BLOCK})
_BITS = frozenset({Verb.SET_BITS, Verb.CLEAR_BITS})


class Marks:
    """A growing set of (register, raw) that are ours."""

    def __init__(self, marks: Iterable[Mark] = ()) -> None:
        self._entries: dict[str, set[Entry]] = {}
        for mark in marks:
            self._load(mark)

    def __bool__(self) -> bool:
        return bool(self._entries)

    def add(self, name: str, entry: Entry) -> None:
        """One more raw value, or a closed range of them."""
        self._entries.setdefault(name, set()).add(entry)

    def update(self, other: Marks) -> None:
        """Everything of another set too."""
        for name, entries in other._entries.items():
            self._entries.setdefault(name, set()).update(entries)

    def sharpen(self, sent: Marks) -> None:
        """What we know to have sent leaves no room: where `sent` names a register, its ranges say nothing more."""
        for name in sent._entries.keys() & self._entries.keys():
            self._entries[name] = {entry for entry in self._entries[name] if isinstance(entry, int)}

    def clear(self) -> None:
        """Nothing is ours any more."""
        self._entries.clear()

    def names(self, name: str) -> bool:
        """Whether anything is said about this register."""
        return name in self._entries

    def allow(self, name: str, raw: int) -> bool:
        """Whether we may have written `raw` into this register."""
        return any(
            entry[0] <= raw <= entry[1] if isinstance(entry, tuple) else entry == raw
            for entry in self._entries.get(name, ())
        )

    def json(self) -> Mark:
        """For the journal."""
        registers: dict[str, Json] = {}
        for name, entries in sorted(self._entries.items()):
            exact: list[Json] = [*sorted(entry for entry in entries if isinstance(entry, int))]
            ranges: list[Json] = [[*entry] for entry in sorted(e for e in entries if isinstance(e, tuple))]
            registers[name] = exact + ranges
        return {"registers": registers}

    def plan(self, registers: RegisterMap, steps: Iterable[Step], target_w: float) -> Marks:
        """Add what these steps may write for this magnitude; returns itself."""
        for step in steps:
            if step.verb in _WRITES:
                for name, value in zip(step.registers, step.values, strict=True):
                    self._plan_value(registers.registers[name], value, target_w)
            elif step.verb in _BITS:
                self.add(step.registers[0], raw_bounds(registers.registers[step.registers[0]]))
        return self

    def _plan_value(self, row: Register, value: Value, target_w: float) -> None:
        """What the snapshot restores is nobody's mark: it is compared with the snapshot itself."""
        if isinstance(value, Literal):
            self.add(row.name, literal_raw(row, value.value))
        elif not isinstance(value, Restore):
            self.add(row.name, _reach(row, value, target_w))

    def _load(self, mark: Mark) -> None:
        registers = cast("Mapping[str, list[int | list[int]]]", mark.get("registers") or {})
        for name, entries in registers.items():
            for entry in entries:
                self.add(name, entry if isinstance(entry, int) else (entry[0], entry[1]))


def _reach(row: Register, value: Value, target_w: float) -> Entry:
    """The plain target is known now; whatever bounds it can only lower it. The rest depends on readings."""
    if not isinstance(value, SignalValue) or value.name != TARGET or value.share_of is not None:
        return raw_bounds(row)
    raw = raw_from_number(row, target_w)
    return raw if value.clamp_to is None and row.ceiling is None else (0, raw)
