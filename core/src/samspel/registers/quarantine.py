"""Which registers a device turned out not to have, and when to ask again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain, pairwise

from samspel.registers.planner import Standing

__all__ = ["RECHECK_S", "Quarantine"]

RECHECK_S = 3600.0
"""How long a refused register is left in peace. Updates and new batteries bring registers, but rarely."""


@dataclass
class Quarantine:
    """What is known about one device's registers. Times are monotonic seconds.

    Only a refusal is evidence of absence, and only an answer of presence: a timeout says nothing about either.
    """

    recheck_s: float = RECHECK_S
    _refused_at: dict[str, float] = field(default_factory=dict)
    _suspect: set[str] = field(default_factory=set)
    _proven: set[str] = field(default_factory=set)
    _blocks: dict[tuple[str, ...], float] = field(default_factory=dict)

    def refused(self, registers: Iterable[str], now: float) -> None:
        """The device answered a request for these with "no such register".

        One register by itself is absent from now on. Of several nobody knows which it was: each becomes suspect,
        so that the next plan asks for it by itself. If none of them is absent, it was a word between them: the
        block is not tried again for as long as an absent register. Names in the order of their addresses.
        """
        names = tuple(registers)
        self._proven.difference_update(names)
        self._suspect.update(names)
        if len(names) > 1:
            self._blocks[names] = now
            return
        self._refused_at[names[0]] = now
        self._blocks = {block: at for block, at in self._blocks.items() if names[0] not in block}

    def answered(self, registers: Iterable[str]) -> None:
        """The device gave words for these."""
        for name in registers:
            self._refused_at.pop(name, None)
            self._suspect.discard(name)
            self._proven.add(name)

    def absent(self, register: str, now: float) -> bool:
        """Whether it was refused so lately that it is left in peace."""
        refused_at = self._refused_at.get(register)
        return refused_at is not None and now - refused_at < self.recheck_s

    def standing(self, now: float) -> Standing:
        """What a plan has to know. An absent register whose time has come is a suspect: asked, but by itself."""
        absent = frozenset(name for name in self._refused_at if self.absent(name, now))
        parted = (pairwise(block) for block, at in self._blocks.items() if now - at < self.recheck_s)
        return Standing(
            absent=absent,
            suspect=frozenset(self._suspect) - absent,
            proven=frozenset(self._proven),
            parted=frozenset(chain.from_iterable(parted)),
        )

    def forget(self) -> None:
        """Another firmware or device: everything has to be found out again."""
        self._refused_at.clear()
        self._suspect.clear()
        self._proven.clear()
        self._blocks.clear()
