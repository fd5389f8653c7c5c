"""Register tables as the dossiers write them, and the codec between values and 16-bit words.

The table is a CSV with the columns ``name, address, count, function, access, type, word_order, scale,
unit, models, confidence, source`` (an address column may also be called ``wire_address`` or
``address_dec``). The codec is deliberately not shared with any driver.
"""

from __future__ import annotations

import csv
import re
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path

Words = tuple[int, ...]
Value = int | float | str

_WIDTH = {"u16": 1, "i16": 1, "u32": 2, "i32": 2, "u64": 4, "i64": 4, "f32": 2}
_SIGNED = frozenset({"i16", "i32", "i64"})
_ADDRESS_COLUMNS = ("address", "wire_address", "address_dec")


class Space(Enum):
    """The two address spaces of registers: holding (functions 3, 6, 16) and input (function 4)."""

    HOLDING = "holding"
    INPUT = "input"


class CodecError(ValueError):
    """A value that a register cannot hold, or words that it cannot be made of."""


@dataclass(frozen=True, slots=True)
class Register:
    """One row of a register table; ``scale`` multiplies the raw integer to give the unit."""

    name: str
    address: int
    count: int
    kind: str
    space: Space = Space.HOLDING
    low_word_first: bool = False
    scale: float = 1.0
    unit: str = ""
    readable: bool = True
    single_write: bool = False
    block_write: bool = False
    models: str = ""
    confidence: str = ""
    source: str = ""

    @property
    def addresses(self) -> range:
        """Every address that this register covers."""
        return range(self.address, self.address + self.count)

    @property
    def signed(self) -> bool:
        """True for two's complement integers."""
        return self.kind in _SIGNED

    @property
    def raw_range(self) -> tuple[int, int]:
        """The lowest and the highest raw integer that it can hold."""
        return _raw_range(self.kind, self.count)

    @property
    def numeric(self) -> bool:
        """True for everything that is one number (strings and blocks are not)."""
        return self.kind not in {"string", "block"}

    def encode(self, value: Value | Sequence[int]) -> Words:
        """Turn a value in ``unit`` (text for a string, words for a block) into words; CodecError if it does not fit."""
        if self.kind == "string":
            return _encode_text(self, value)
        if self.kind == "block":
            return _encode_block(self, value)
        if not isinstance(value, int | float):
            raise CodecError(f"{self.name} wants a number, not {value!r}")
        if self.kind == "f32":
            return self._order(struct.unpack(">2H", struct.pack(">f", value)))
        return self.encode_raw(round(value / self.scale))

    def encode_raw(self, raw: int) -> Words:
        """Turn a raw integer into words, in the register's word order; CodecError if it does not fit."""
        low, high = self.raw_range
        if not low <= raw <= high:
            raise CodecError(f"{self.name} holds {low}..{high} raw, not {raw}")
        if self.count == 1:
            return (raw & 0xFFFF,)
        unsigned = raw & ((1 << 16 * self.count) - 1)
        return self._order([unsigned >> 16 * place & 0xFFFF for place in reversed(range(self.count))])

    def decode(self, words: Sequence[int]) -> Value | Words:
        """Turn words into a value in ``unit``; strings end at their first NUL."""
        self.check_length(words)
        if self.kind == "string":
            text = b"".join(word.to_bytes(2, "big") for word in words)
            return text.split(b"\0", 1)[0].decode("ascii", "replace")
        if self.kind == "block":
            return tuple(words)
        if self.kind == "f32":
            return float(struct.unpack(">f", struct.pack(">2H", *self._order(words)))[0])
        raw = self.decode_raw(words)
        return raw if self.scale == 1 else raw * self.scale

    def decode_raw(self, words: Sequence[int]) -> int:
        """Turn words into the raw integer, sign included."""
        self.check_length(words)
        raw = 0
        for word in self._order(words):
            raw = raw << 16 | word
        half = 1 << 16 * self.count - 1
        return raw - 2 * half if self.signed and raw >= half else raw

    def not_available(self) -> Words:
        """Words of the usual "no value" mark: all ones, or the largest positive number if signed."""
        if not self.numeric:
            return (0,) * self.count
        return self.encode_raw((1 << 16 * self.count - (1 if self.signed else 0)) - 1)

    def _order(self, words: Sequence[int]) -> Words:
        return tuple(reversed(words)) if self.low_word_first else tuple(words)

    def check_length(self, words: Sequence[int]) -> None:
        """CodecError for a number of words that is not its own."""
        if len(words) != self.count:
            raise CodecError(f"{self.name} is made of {self.count} words, not {len(words)}")


@cache
def _raw_range(kind: str, count: int) -> tuple[int, int]:
    half = 1 << 16 * count - 1
    return (-half, half - 1) if kind in _SIGNED else (0, 2 * half - 1)


def _encode_text(register: Register, value: object) -> Words:
    if not isinstance(value, str):
        raise CodecError(f"{register.name} wants text, not {value!r}")
    size = 2 * register.count
    data = value.encode("ascii", "replace").ljust(size, b"\0")
    if len(data) > size:
        raise CodecError(f"{register.name} holds {size} characters, not {len(data)}")
    return struct.unpack(f">{register.count}H", data)


def _encode_block(register: Register, value: object) -> Words:
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != register.count:
        raise CodecError(f"{register.name} wants {register.count} words, not {value!r}")
    return tuple(int(word) & 0xFFFF for word in value)


class Table:
    """Registers by name and by address."""

    def __init__(self, registers: Iterable[Register]) -> None:
        self._by_name: dict[str, Register] = {}
        self._by_address: dict[tuple[Space, int], Register] = {}
        for register in registers:
            self._add(register)

    def _add(self, register: Register) -> None:
        if register.name in self._by_name:
            raise ValueError(f"two registers are called {register.name}")
        self._by_name[register.name] = register
        for address in register.addresses:
            other = self._by_address.setdefault((register.space, address), register)
            if other is not register:
                raise ValueError(f"{register.name} and {other.name} both cover address {address}")

    def __iter__(self) -> Iterator[Register]:
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __getitem__(self, name: str) -> Register:
        return self._by_name[name]

    def at(self, address: int, space: Space = Space.HOLDING) -> Register | None:
        """The register that covers an address, or None."""
        return self._by_address.get((space, address))


def read_csv(path: Path) -> list[Register]:
    """Read a dossier table. ValueError names the file and the row that cannot be understood."""
    with path.open(encoding="utf-8", newline="") as lines:
        return [_row(path, number, row) for number, row in enumerate(csv.DictReader(lines), start=2)]


def _row(path: Path, number: int, row: dict[str, str]) -> Register:
    try:
        return _register(row)
    except (KeyError, ValueError, StopIteration) as error:
        raise ValueError(f"{path.name} line {number} is no register row: {error!r}") from error


def _register(row: dict[str, str]) -> Register:
    functions = {int(code, 16 if code == "10" else 10) for code in re.findall(r"\d+", row["function"])}
    kind, count = _kind(row["type"], int(row["count"]))
    return Register(
        name=row["name"],
        address=int(next(row[column] for column in _ADDRESS_COLUMNS if column in row)),
        count=count,
        kind=kind,
        space=Space.INPUT if 4 in functions else Space.HOLDING,
        low_word_first=row["word_order"].lower().startswith("low"),
        scale=_scale(row["scale"]),
        unit=row["unit"],
        readable="R" in row["access"],
        single_write="W" in row["access"] and 6 in functions,
        block_write="W" in row["access"] and 16 in functions,
        models=row["models"],
        confidence=row["confidence"],
        source=row["source"],
    )


def _kind(text: str, count: int) -> tuple[str, int]:
    if text.startswith("bitfield"):
        return f"u{16 * count}", count
    if text in {"string", "block", "bytes"}:
        return "block" if text == "bytes" else text, count
    if text in {"u16", "i16"} and count > 1:
        return "block", count  # several words of one kind in a row
    if _WIDTH.get(text) != count:
        raise ValueError(f"type {text} does not take {count} words")
    return text, count


def _scale(text: str) -> float:
    try:
        return float(text) if text else 1.0
    except ValueError:
        return 1.0  # a scale that depends on a mode ("0.1 % or 1 W") is served raw
