"""Fifteen words of fault and alarm bits: set from outside, or raised by the device's condition."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from samspel_sim.behaviour import OptionError

from samspel_sungrow.twin.profile import facts

_BITS = 32
_EMPTY_HIGH_WORD = {"bms_alarm_2": 0xFFFF_0000}
"""The high word of 13078 reads 0xFFFF on every cable link seen, whatever the low word says."""


class Faults:
    """Bits by word."""

    def __init__(self) -> None:
        self._set: dict[str, set[int]] = {}

    def put(self, value: object) -> None:
        """Take ``{word: [bits]}``; words that are not given keep theirs. OptionError says what there is."""
        if not isinstance(value, Mapping):
            raise OptionError(f"faults wants an object of words and lists of bits, not {value!r}")
        for word, bits in value.items():
            self._check(word, bits)
        for word, bits in value.items():
            self._set[word] = set(bits)

    @staticmethod
    def _check(word: object, bits: object) -> None:
        words = facts()["fault_words"]
        if word not in words:
            raise OptionError(f"no fault word {word!r}; there are {', '.join(words)}")
        if not isinstance(bits, list) or not set(bits) <= set(range(_BITS)):
            raise OptionError(f"{word} wants a list of bits 0..31, not {bits!r}")

    def take(self, word: str, raw: int) -> None:
        """A word was overwritten from outside."""
        self._set[word] = {bit for bit in range(_BITS) if raw >> bit & 1}

    def standing(self, conditions: Iterable[str]) -> dict[str, set[int]]:
        """Bits that stand now by word; ``conditions`` are names in twin.toml's table of raised bits."""
        found = {word: set(bits) for word, bits in self._set.items() if bits}
        for condition in conditions:
            row = facts()["raised"][condition]
            found.setdefault(row["word"], set()).add(row["bit"])
        return found

    def stops(self, what: str) -> bool:
        """True while a bit that was set from outside takes the inverter or the battery down."""
        return any(bits and facts()["fault_words"][word] == what for word, bits in self._set.items())


def word_values(standing: Mapping[str, set[int]], *, dongle: bool) -> dict[str, int]:
    """All fifteen words as read."""
    empty = {} if dongle else _EMPTY_HIGH_WORD
    return {
        word: sum(1 << bit for bit in standing.get(word, ())) | empty.get(word, 0) for word in facts()["fault_words"]
    }
