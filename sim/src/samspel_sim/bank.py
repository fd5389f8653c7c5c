"""The words behind one Modbus unit: what is stored, and which addresses may be read or written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from samspel_sim.registers import Register, Space, Table, Value, Words

Place = tuple[Space, int]


def _zero(_space: Space, _address: int) -> int:
    return 0


@dataclass(frozen=True, slots=True)
class Holes:
    """How addresses answer that no register covers, and what a unit makes of blocks.

    ``word``: what a hole reads as inside a block. ``at_start``: whether a read may start on one.
    ``inside``: registers that are holes here, read as such inside a block. ``refused``: addresses that spoil
    every block they are in. ``padded``: texts that have to be read alone
    and whole, as {first address: words}; any other read of theirs gets a frame longer than it says.
    """

    word: Callable[[Space, int], int] = _zero
    at_start: bool = True
    inside: tuple[Register, ...] = ()
    refused: frozenset[Place] = frozenset()
    padded: Mapping[Place, int] = field(default_factory=dict)


class Bank:
    """Storage of one unit id.

    ``gap`` is the largest hole inside a documented block that still reads; ``windows`` are further
    (first, count) ranges of holding registers that read although no row documents them.
    """

    def __init__(
        self, table: Table, *, gap: int = 0, windows: Iterable[tuple[int, int]] = (), holes: Holes | None = None
    ) -> None:
        self.table = table
        self._holes = holes or Holes()
        self.hidden = range(0)
        """Addresses whose registers read as "not available" for now, whatever is stored."""
        self.echoes: dict[int, int] = {}
        """Words that holding registers still show, by address, while what was written is not read back yet."""
        self._words: dict[str, Words] = {}
        self._raw: dict[str, int] = {}  # the same as numbers, where known: control logic asks for the same few
        self._measured: dict[str, float] = {}  # where they come from a measurement: most are what they were
        self._readable = {space: _readable([*table, *self._holes.inside], space, gap) for space in Space}
        for first, count in windows:
            self._readable[Space.HOLDING].update(range(first, first + count))
        for space, address in self._holes.refused:
            self._readable[space].discard(address)

    def has(self, space: Space) -> bool:
        """Whether anything can be read in a space: the function that reads an empty one is unknown to the device."""
        return bool(self._readable[space])

    def read(self, address: int, count: int, space: Space = Space.HOLDING) -> Words | None:
        """Words from ``address``, or None when one of them may not be read."""
        wanted = range(address, address + count)
        if not self._readable[space].issuperset(wanted):
            return None
        if not self._holes.at_start and self.table.at(address, space) is None:
            return None
        return tuple(self._shown(space, at) for at in wanted)

    def _shown(self, space: Space, address: int) -> int:
        register = self.table.at(address, space)
        if register is None:
            return self._holes.word(space, address)
        if address in self.hidden:
            return register.not_available()[address - register.address]
        if space is Space.HOLDING and address in self.echoes:
            return self.echoes[address]
        words = self._words.get(register.name)
        return 0 if words is None else words[address - register.address]

    def padding(self, address: int, count: int, space: Space) -> bytes:
        """Bytes by which the answer to a read is longer than it says."""
        wanted = range(address, address + count)
        touched = [
            (first, size)
            for (where, first), size in self._holes.padded.items()
            if where is space and first < wanted.stop and wanted.start < first + size
        ]
        return b"" if touched in ([], [(address, count)]) else b"\0\0"

    def covered(self, address: int, words: Sequence[int]) -> list[tuple[Register, Words]] | None:
        """Split a write into whole registers, or None when it touches a hole or half a register."""
        parts: list[tuple[Register, Words]] = []
        done = 0
        while done < len(words):
            register = self.table.at(address + done)
            if register is None or register.address != address + done or done + register.count > len(words):
                return None
            parts.append((register, tuple(words[done : done + register.count])))
            done += register.count
        return parts

    def store(self, register: Register, words: Sequence[int]) -> None:
        """Keep the words of one register. CodecError unless they fill it."""
        register.check_length(words)
        self._raw.pop(register.name, None)
        self._measured.pop(register.name, None)
        self._words[register.name] = tuple(words)

    def restore(self, kept: Mapping[str, Words]) -> None:
        """Keep words by name, as far as there are such registers."""
        for name, words in kept.items():
            if name in self.table:
                self.store(self.table[name], words)

    def words(self, name: str) -> Words:
        """The stored words of a register."""
        words = self._words.get(name)
        return (0,) * self.table[name].count if words is None else words

    def put(self, name: str, value: Value | Sequence[int]) -> None:
        """Store a value given in the register's unit."""
        register = self.table[name]
        self.store(register, register.encode(value))

    def put_clamped(self, name: str, value: float) -> None:
        """Store a measured number; what does not fit is stored as the nearest that does."""
        if self._measured.get(name) == value:
            return
        register = self.table[name]
        low, high = register.raw_range
        raw = max(low, min(high, round(value / register.scale)))
        if self._raw.get(name) != raw:
            self.store(register, register.encode_raw(raw))
        self._raw[name], self._measured[name] = raw, value

    def measure(self, values: Mapping[str, float]) -> None:
        """Store measured numbers by name, as far as there are such registers."""
        for name, value in values.items():
            if name in self.table:
                self.put_clamped(name, value)

    def number(self, name: str) -> float:
        """The stored value of a numeric register in its unit."""
        return self.raw(name) * self.table[name].scale

    def raw(self, name: str) -> int:
        """The stored raw integer of a numeric register."""
        if name not in self._raw:
            self._raw[name] = self.table[name].decode_raw(self.words(name))
        return self._raw[name]


def _readable(registers: Iterable[Register], space: Space, gap: int) -> set[int]:
    readable: set[int] = set()
    end: int | None = None
    for register in sorted(registers, key=lambda row: row.address):
        if register.space is not space or not register.readable:
            continue
        if end is not None and 0 < register.address - end <= gap:
            readable.update(range(end, register.address))
        readable.update(register.addresses)
        end = register.address + register.count
    return readable
