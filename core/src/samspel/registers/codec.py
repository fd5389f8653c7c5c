"""Register words to values of the contract and back: scale, offset, sign, sentinels, range, labels, bit fields.

Arithmetic is exact (a scale of 0.1 is a tenth, not the nearest binary fraction); only the result is a float.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from enum import Enum
from fractions import Fraction
from functools import lru_cache

from samspel.contract.signals import SIGNALS, Positive
from samspel.registers.model import DataType, Register
from samspel.registers.raw import UnwritableValue, from_raw, to_raw

__all__ = [
    "Rounding",
    "UnwritableValue",
    "decode",
    "encode",
    "from_raw",
    "label",
    "matches",
    "pack",
    "sign",
    "to_raw",
    "unpack",
]

_BITS = frozenset({DataType.BITS16, DataType.BITS32})


class Rounding(Enum):
    """How a value becomes a whole number of a register's steps."""

    NEAREST = "nearest"
    TOWARD_ZERO = "toward_zero"
    """Never further from zero than asked: for powers, so that no clamp is ever exceeded."""


def sign(register: Register) -> int:
    """+1, or -1 where the register's positive direction is the opposite of its signal's."""
    own = SIGNALS[register.signal].positive if register.signal else Positive.NONE
    return -1 if own is not Positive.NONE and register.positive is own.opposite else 1


def decode(register: Register, words: Sequence[int]) -> float | int | str | None:
    """The value in `words`: contract sign, the register's unit. None means that the device has no value now.

    Text for strings, the contract's word for registers with `states`, a whole number for bits, else a float.
    `None` for a sentinel, NaN, blank text, a reading outside the valid range and an unlisted state without
    `other_state`. Raises ValueError for a wrong number of words.
    """
    raw = to_raw(register, words)
    if raw in register.invalid:
        return None
    if register.type is DataType.STRING:
        return _text(words) or None
    if register.states:
        return register.states.get(raw, register.other_state)
    if register.type in _BITS:
        return raw
    value = _value(register, raw)
    return None if value is None or not _in_range(register, value) else float(value)


def encode(register: Register, value: float | str, *, rounding: Rounding = Rounding.NEAREST) -> tuple[int, ...]:
    """The words that say `value` (contract sign, the register's unit; or a label, or text for a string).

    Raises UnwritableValue for what the register cannot say: outside its valid range or its type, NaN, a sentinel,
    an unknown label. Nothing is clamped here and nothing wraps.
    """
    if register.type is DataType.STRING:
        return _text_words(register, value)
    raw = _label_raw(register, value) if isinstance(value, str) else _number_raw(register, value, rounding)
    if raw in register.invalid:
        raise UnwritableValue(f"{register.name}: {value} would read back as 'not available' (raw {raw})")
    return from_raw(register, raw)


def label(register: Register, words: Sequence[int]) -> str | None:
    """The enum word for what a register holds, if its row lists one."""
    return register.labels.get(to_raw(register, words))


def matches(register: Register, words: Sequence[int], wanted: float | str) -> bool:
    """Whether a register holds `wanted`: a label, a state, a text, or a number within half a step."""
    raw = to_raw(register, words)
    if isinstance(wanted, str):
        return wanted == register.labels.get(raw) or wanted == decode(register, words)
    value = _value(register, raw)
    if value is None or raw in register.invalid:
        return False
    return abs(value - _exact(wanted)) <= abs(_exact(register.scale)) / 2


def pack(register: Register, values: Mapping[str, float], *, rounding: Rounding = Rounding.NEAREST) -> tuple[int, ...]:
    """Values in the named bit fields of a register, zero in every other bit. Raises UnwritableValue."""
    raw = 0
    for name, value in values.items():
        bits = register.fields[name]
        number = _round(
            _finite(register, value) / _exact(bits.scale), rounding, rising=(bits.scale > 0) is (value >= 0)
        )
        if not 0 <= number < 1 << bits.width:
            raise UnwritableValue(f"{register.name}.{name}: {value} does not fit {bits.width} bits")
        raw |= number << bits.shift
    return from_raw(register, raw)


def unpack(register: Register, words: Sequence[int]) -> dict[str, float]:
    """The values of a register's named bit fields."""
    raw = to_raw(register, words)
    return {
        name: float((raw >> bits.shift & (1 << bits.width) - 1) * _exact(bits.scale))
        for name, bits in register.fields.items()
    }


# --- numbers ---


@lru_cache(maxsize=512)
def _exact(number: float) -> Fraction:
    """The number as it is written: 0.1 is a tenth."""
    return Fraction(repr(float(number)))


def _finite(register: Register, value: float) -> Fraction:
    if not math.isfinite(value):
        raise UnwritableValue(f"{register.name}: {value} is not a number that can be written")
    return _exact(value)


def _value(register: Register, raw: int) -> Fraction | None:
    """The value of a raw number in contract sign; None for a float that is not a number."""
    number = _float_of(raw) if register.type is DataType.F32 else raw
    if number is None:
        return None
    value = _exact(register.scale) * number
    if register.offset:
        value += _exact(register.offset)
    if register.magnitude:
        return abs(value)
    return value if sign(register) > 0 else -value


def _in_range(register: Register, value: Fraction) -> bool:
    if register.valid is None:
        return True
    low, high = register.valid
    return _exact(low) <= value <= _exact(high)


def _number_raw(register: Register, value: float, rounding: Rounding) -> int:
    wanted = _finite(register, value)
    forward = sign(register) > 0
    exact = ((wanted if forward else -wanted) - _exact(register.offset)) / _exact(register.scale)
    rising = (register.scale > 0) is ((wanted >= 0) is forward)
    if register.type is DataType.F32:
        raw = _float_pattern(register, exact, rounding)
    else:
        raw = _round(exact, rounding, rising=rising)
    _check_written(register, wanted, _value(register, raw), rounding)
    return raw


def _round(exact: Fraction, rounding: Rounding, *, rising: bool) -> int:
    """To a whole number. `rising`: a larger raw number lies further from zero."""
    if rounding is Rounding.NEAREST:
        return round(exact)
    return math.floor(exact) if rising else math.ceil(exact)


def _check_written(register: Register, wanted: Fraction, written: Fraction | None, rounding: Rounding) -> None:
    """Refuse what the valid range forbids, before and after rounding, and what could only be rounded outward."""
    if written is None or not (_in_range(register, wanted) and _in_range(register, written)):
        raise UnwritableValue(
            f"{register.name}: {float(wanted):g} {register.unit} lies outside the valid range {register.valid}"
        )
    if rounding is Rounding.TOWARD_ZERO and abs(written) > abs(wanted):
        raise UnwritableValue(f"{register.name}: no step of the register lies between 0 and {float(wanted):g}")


# --- floats ---


def _float_of(pattern: int) -> Fraction | None:
    number: float = struct.unpack(">f", pattern.to_bytes(4, "big"))[0]
    return Fraction(number) if math.isfinite(number) else None


def _float_pattern(register: Register, exact: Fraction, rounding: Rounding) -> int:
    try:
        pattern = int.from_bytes(struct.pack(">f", float(exact)), "big")
    except OverflowError:
        raise UnwritableValue(f"{register.name}: {float(exact):g} does not fit f32") from None
    written = _float_of(pattern)
    outward = written is not None and abs(written) > abs(exact)
    # The next smaller pattern is the next float towards zero.
    return pattern - 1 if rounding is Rounding.TOWARD_ZERO and outward else pattern


# --- words ---


def _label_raw(register: Register, text: str) -> int:
    numbers = [number for number, name in register.labels.items() if name == text]
    if len(numbers) != 1:
        known = ", ".join(sorted(set(register.labels.values()))) or "none"
        raise UnwritableValue(f"{register.name}: {text!r} names {len(numbers)} numbers; labels: {known}")
    return numbers[0]


def _text(words: Sequence[int]) -> str:
    """Big-endian bytes up to the first NUL; what is not ASCII becomes U+FFFD; outer blanks are dropped."""
    octets = b"".join(word.to_bytes(2, "big") for word in words)
    return octets.split(b"\0", 1)[0].decode("ascii", errors="replace").strip()


def _text_words(register: Register, value: float | str) -> tuple[int, ...]:
    if not isinstance(value, str) or not value.isascii() or len(value) > 2 * register.count:
        raise UnwritableValue(f"{register.name}: {value!r} is not ASCII text of {2 * register.count} characters")
    octets = value.encode("ascii").ljust(2 * register.count, b"\0")
    return tuple(int.from_bytes(octets[place : place + 2], "big") for place in range(0, len(octets), 2))
