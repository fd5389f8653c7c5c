"""Who holds the control block: its owned registers compared with default, snapshot and what we wrote. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from samspel.contract.driver import ControlReading, ControlState
from samspel.driver.marks import Marks
from samspel.registers.codec import decode, from_raw
from samspel.registers.model import Authority, OnRelease, Register, RegisterMap

__all__ = ["ControlBlock"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlBlock:
    """Raw values of every owned register that could be read, and the neutral ones that could be told. Where a stop has
    written, only what it `held` there is ours: an older command's value, or a neutral one, may be another's power.
    """

    map: RegisterMap
    raws: Mapping[str, int]
    neutrals: Mapping[str, int]
    snapshot: Mapping[str, int] = field(default_factory=dict)
    marks: Marks = field(default_factory=Marks)
    held: Mapping[str, int] = field(default_factory=dict)

    def reading(self) -> ControlReading:
        """The verdict, with the registers that led to it."""
        stirred = self.stirred
        return ControlReading(
            state=self._state(bool(stirred)),
            fingerprint=_fingerprint(self.raws),
            text=", ".join(f"{name} = {self._shown(name)}" for name in stirred),
        )

    @property
    def stirred(self) -> list[str]:
        """The registers that keep the battery from its own logic."""
        return [name for name in self.raws if not self._at_rest(self.map.registers[name])]

    def _state(self, stirred: bool) -> ControlState:
        if not stirred:
            return ControlState.DEFAULT
        foreign = [name for name in self.raws if not self._ours(self.map.registers[name])]
        return ControlState.FOREIGN if foreign else ControlState.OURS

    def _at_rest(self, row: Register) -> bool:
        """Whether the register leaves the battery to the device's own logic. Parameters of a trigger say nothing while
        the trigger is neutral, or `resting`.
        """
        raw = self.raws[row.name]
        if raw in row.resting or raw in (self.neutrals.get(row.name), self.snapshot.get(row.name)):
            return True
        if row.on_release is OnRelease.LEAVE:
            return True
        if row.authority is Authority.CEILING:
            return self._lets_through(row)
        return not row.trigger and any(self.map.registers[name].trigger for name in self.raws)

    def _ours(self, row: Register) -> bool:
        """Whether the value is one that we found or (may) have written."""
        raw = self.raws[row.name]
        if row.name in self.held:
            return raw == self.held[row.name]
        known = (self.snapshot.get(row.name), self.neutrals.get(row.name))
        left = row.on_release is OnRelease.LEAVE or self._lets_through(row)
        return raw in known or left or self.marks.allow(row.name, raw)

    def _lets_through(self, row: Register) -> bool:
        """A limit that a person has set is nobody's business as long as it lets something through: only 0 (or a value
        that differs from an open snapshot) stirs.
        """
        return row.authority is Authority.CEILING and row.name not in self.snapshot and self.raws[row.name] != 0

    def _shown(self, name: str) -> str:
        row, raw = self.map.registers[name], self.raws[name]
        if raw in row.labels:
            return row.labels[raw]
        value = decode(row, from_raw(row, raw))
        if isinstance(value, int | float):
            return f"{value:g} {row.unit}".strip()
        return value or "not available"


def _fingerprint(raws: Mapping[str, int]) -> str:
    return hashlib.sha256(json.dumps(sorted(raws.items())).encode()).hexdigest()[:16]
