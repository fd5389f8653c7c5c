"""What a row's number means once its companions are known: direction, factor, way between two others.

The order is fixed: the row's own value in contract sign, then its direction, then product or way. Whatever misses a
companion means nothing, so it is invalid and never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from samspel.driver.units import number_of, value_of
from samspel.registers.codec import sign
from samspel.registers.model import Register, SignFrom

__all__ = ["COMPANION_MAX_AGE_S", "RawOf", "meaning", "number_meant"]

COMPANION_MAX_AGE_S = 900.0
"""How old a factor or an end of a way may be. A direction has to be as new as the number that it turns."""

RawOf = Callable[[str], int | None]
"""The raw number of a companion, where one is known that is new enough."""


def meaning(rows: Mapping[str, Register], row: Register, raw: int, raw_of: RawOf) -> float | str | None:
    """The contract's value: a number in contract sign, a word, or nothing."""
    value = value_of(row, raw)
    if isinstance(value, int | float) and row.companions:
        return _with_companions(rows, row, float(value), raw_of)
    return value


def number_meant(rows: Mapping[str, Register], row: Register, raw: int, raw_of: RawOf) -> float | None:
    """The same where only a number will do."""
    value = meaning(rows, row, raw, raw_of)
    return float(value) if isinstance(value, int | float) else None


def _with_companions(rows: Mapping[str, Register], row: Register, value: float, raw_of: RawOf) -> float | None:
    number = value if row.sign_from is None else _directed(rows, row, row.sign_from, value, raw_of)
    if number is None:
        return None
    if row.times is not None:
        factor = _number(rows, row.times, raw_of)
        return None if factor is None else number * factor
    return number if row.between is None else _on_the_way(rows, row.between, number, raw_of)


def _directed(
    rows: Mapping[str, Register], row: Register, direction: SignFrom, value: float, raw_of: RawOf
) -> float | None:
    """A number that the device calls negative, or zero, needs no bit; a positive one needs exactly one of the two."""
    if value * sign(row) <= 0:
        return value
    bits = raw_of(direction.register)
    if bits is None or bits in rows[direction.register].invalid:
        return None
    negative, positive = bool(bits >> direction.negative & 1), bool(bits >> direction.positive & 1)
    if negative == positive:
        return None
    return -value if negative else value


def _on_the_way(rows: Mapping[str, Register], ends: tuple[str, str], pct: float, raw_of: RawOf) -> float | None:
    low, high = (_number(rows, name, raw_of) for name in ends)
    if low is None or high is None or high < low:
        return None
    return low + (high - low) * pct / 100


def _number(rows: Mapping[str, Register], name: str, raw_of: RawOf) -> float | None:
    raw = raw_of(name)
    return None if raw is None else number_of(rows[name], raw)
