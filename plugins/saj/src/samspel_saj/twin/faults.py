"""Fault and warning words: bits set from outside, and those that the device's condition raises."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from samspel_sim.behaviour import OptionError

WORDS: Mapping[str, int] = {
    "fault_h": 32, "fault_m1": 32, "fault_m2": 32, "fault_bms": 32,
    **{f"pack{pack}_{kind}": 16 for pack in range(1, 5) for kind in ("fault", "warning")},
}  # fmt: skip
"""Registers and how many bits each has."""

_WRAP = 60_000


class Faults:
    """Bits by word, how many faults are stored, and the number of the latest record."""

    def __init__(self) -> None:
        self._set: dict[str, frozenset[int]] = {}
        self._raised: dict[str, frozenset[int]] = {}
        self.stored = 0
        self.log_serial = 1

    @property
    def active(self) -> dict[str, list[int]]:
        """Bits that are on, by word; words without any are left out."""
        return {word: bits for word in WORDS if (bits := sorted(self._bits(word)))}

    def raw(self, word: str) -> int:
        """A word as its register holds it."""
        return sum(1 << bit for bit in self._bits(word))

    def _bits(self, word: str) -> frozenset[int]:
        return self._set.get(word, frozenset()) | self._raised.get(word, frozenset())

    def set(self, word: str, bits: Iterable[int]) -> None:
        """Take these bits of a word, from outside."""
        self._keep(self._set, {**self._set, word: frozenset(bits)})

    def replace(self, value: object) -> None:
        """Take {word: [bits]} in place of all that was set. OptionError for what is no word or no bit."""
        if not isinstance(value, Mapping):
            raise OptionError("faults wants an object of words and lists of bits")
        self._keep(self._set, {word: _checked(word, bits) for word, bits in value.items()})

    def raise_by_condition(self, raised: Mapping[str, Iterable[int]]) -> None:
        """Take what the device's condition raises now."""
        self._keep(self._raised, {word: frozenset(bits) for word, bits in raised.items()})

    def clear(self) -> None:
        """Forget what was set."""
        self._set = {}

    def _keep(self, where: dict[str, frozenset[int]], now: dict[str, frozenset[int]]) -> None:
        new = sum(len(bits - self._bits(word)) for word, bits in now.items())
        self.stored = min(0xFFFF, self.stored + new)
        self.log_serial = (self.log_serial - 1 + new) % _WRAP + 1
        where.clear()
        where.update(now)


def bits_of(raw: int) -> frozenset[int]:
    """The bits that are on in a number."""
    return frozenset(bit for bit in range(raw.bit_length()) if raw >> bit & 1)


def _checked(word: object, bits: object) -> frozenset[int]:
    if word not in WORDS:
        raise OptionError(f"no fault word {word!r}; there are {', '.join(WORDS)}")
    known = range(WORDS[str(word)])
    if not isinstance(bits, list) or not all(isinstance(bit, int) and bit in known for bit in bits):
        raise OptionError(f"{word} wants a list of bits 0..{known[-1]}, not {bits!r}")
    return frozenset(bits)
