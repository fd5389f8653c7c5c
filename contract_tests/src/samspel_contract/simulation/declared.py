"""What the map declares of a write: which registers, which power, whether it wears the device's memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from samspel.registers.codec import decode, unpack
from samspel.registers.model import Pack, Register, RegisterMap, SignalValue, Step

__all__ = ["Declared"]

POWER = "target_power_w"


@dataclass(frozen=True)
class Declared:
    """Of one map. `now_of` gives the present value of a signal, `None` where there is none."""

    map: RegisterMap
    now_of: Callable[[str], float | None]
    rows: dict[int, Register] = field(init=False)

    def __post_init__(self) -> None:
        owned = [self.map.registers[name] for name in self.map.owned]
        places = {address: row for row in owned for address in range(row.address, row.address + row.count)}
        object.__setattr__(self, "rows", places)

    @property
    def addresses(self) -> frozenset[int]:
        """Every register that a sequence of the map may write."""
        return frozenset(self.rows)

    def names(self, address: int, count: int) -> tuple[str, ...]:
        """The rows that a write touches, in order; nothing for an address that is not declared."""
        found = [self.rows[place].name for place in range(address, address + count) if place in self.rows]
        return tuple(dict.fromkeys(found))

    def power_w(self, address: int, words: tuple[int, ...]) -> float | None:
        """The largest power (W, no sign) that a write puts into a register that carries the commanded power."""
        found = []
        for row, value, part in self._carriers:
            start = row.address - address
            if 0 <= start <= len(words) - row.count:
                found.append(self._watts(row, value, part, words[start : start + row.count]))
        return max((one for one in found if one is not None), default=None)

    def _watts(self, row: Register, value: SignalValue, part: str, words: tuple[int, ...]) -> float | None:
        number = unpack(row, words)[part] if part else decode(row, words)
        if not isinstance(number, int | float):
            return None
        if value.share_of is None:
            return abs(number)
        whole_w = self.now_of(value.share_of)
        return None if whole_w is None else abs(number) * whole_w

    @cached_property
    def _carriers(self) -> list[tuple[Register, SignalValue, str]]:
        """Row, value, and the bit field within it (empty: the whole row)."""
        steps = [step for name in ("charge", "discharge") for step in self.map.sequences.get(name, ())]
        return [(self.map.registers[name], value, part) for step in steps for name, value, part in _powers(step)]


def _powers(step: Step) -> list[tuple[str, SignalValue, str]]:
    found = []
    for name, value in zip(step.registers, step.values, strict=False):
        if isinstance(value, SignalValue) and value.name == POWER:
            found.append((name, value, ""))
        elif isinstance(value, Pack):
            packed = value.fields.items()
            found += [(name, one, part) for part, one in packed if isinstance(one, SignalValue) and one.name == POWER]
    return found
