"""Words on the wire and the raw number in them: the type and the order of words, nothing else.

The raw number of a signed type is signed; of every other type, `f32` and `string` included, it is the bit pattern.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from samspel.contract.errors import DriverError
from samspel.registers.model import DataType, Register, WordOrder

__all__ = ["INTEGERS", "WORDS", "UnwritableValue", "from_raw", "raw_bounds", "to_raw"]

WORDS: Mapping[DataType, int] = {
    DataType.U16: 1,
    DataType.U32: 2,
    DataType.U48: 3,
    DataType.U64: 4,
    DataType.I16: 1,
    DataType.I32: 2,
    DataType.I48: 3,
    DataType.I64: 4,
    DataType.F32: 2,
    DataType.BITS16: 1,
    DataType.BITS32: 2,
}
"""Words per value; a string says its own count."""

_SIGNED = frozenset({DataType.I16, DataType.I32, DataType.I48, DataType.I64})
INTEGERS = frozenset(WORDS) - {DataType.F32}
"""The types whose raw number is a whole number that means something by itself."""


class UnwritableValue(DriverError):
    """A value that a register cannot hold: out of range, not a number, not a label. Nothing was written."""


def raw_bounds(register: Register) -> tuple[int, int]:
    """The smallest and the largest raw number that the words of a register can hold."""
    bits = 16 * register.count
    if register.type in _SIGNED:
        return -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    return 0, (1 << bits) - 1


def to_raw(register: Register, words: Sequence[int]) -> int:
    """The raw number in `words` (each 0..65535). Raises ValueError for a wrong number of words."""
    _check_words(register, words)
    pattern = 0
    for word in _high_first(register, words):
        pattern = pattern << 16 | word
    _, largest = raw_bounds(register)
    return pattern if pattern <= largest else pattern - (1 << 16 * register.count)


def from_raw(register: Register, raw: int) -> tuple[int, ...]:
    """The words of a raw number. Raises UnwritableValue when they cannot hold it: nothing ever wraps."""
    smallest, largest = raw_bounds(register)
    if not smallest <= raw <= largest:
        raise UnwritableValue(f"{register.name}: raw {raw} does not fit {register.type.value} ({smallest}..{largest})")
    words = tuple(raw >> 16 * place & 0xFFFF for place in reversed(range(register.count)))
    return tuple(_high_first(register, words))


def _high_first(register: Register, words: Sequence[int]) -> Sequence[int]:
    """Turn device order into high word first, and back. Text has no word order: it comes as it is sent."""
    turned = register.word_order is WordOrder.LOW_FIRST and register.type is not DataType.STRING
    return words[::-1] if turned else words


def _check_words(register: Register, words: Sequence[int]) -> None:
    if len(words) != register.count:
        raise ValueError(f"{register.name}: expected {register.count} words, got {len(words)}")
    if any(not 0 <= word <= 0xFFFF for word in words):
        raise ValueError(f"{register.name}: a word lies outside 0..65535: {list(words)}")
