"""Raw numbers to contract values and back. The map loader has seen to it that a row's unit is its signal's."""

from __future__ import annotations

from samspel.registers.codec import Rounding, decode, encode, from_raw, to_raw
from samspel.registers.model import Register

__all__ = ["literal_raw", "number_of", "raw_from_number", "value_of"]


def value_of(row: Register, raw: int) -> float | str | None:
    """What a raw number means: a number in contract sign, a word, or nothing."""
    return decode(row, from_raw(row, raw))


def number_of(row: Register, raw: int) -> float | None:
    """The same where only a number will do."""
    value = value_of(row, raw)
    return float(value) if isinstance(value, int | float) else None


def raw_from_number(row: Register, number: float) -> int:
    """The raw number for a value, rounded toward zero: never more power than asked.

    Raises UnwritableValue for what the register cannot hold.
    """
    return to_raw(row, encode(row, number, rounding=Rounding.TOWARD_ZERO))


def literal_raw(row: Register, value: float | str) -> int:
    """The raw number for a map's literal: a label, or a number in the register's own unit."""
    return to_raw(row, encode(row, value))
