"""A dongle that goes on showing a holding register's old value for a while after a write that landed."""

from __future__ import annotations

from collections.abc import Iterable

from samspel_sim.bank import Bank
from samspel_sim.registers import Register


class ReadBack:
    """Keeps what a write replaces on show for ``stale_s`` seconds; 0 shows the new value at once."""

    def __init__(self, stale_s: float = 0.0) -> None:
        self.stale_s = stale_s
        self._left_s: dict[int, float] = {}

    def remember(self, bank: Bank, registers: Iterable[Register]) -> None:
        """A write is about to replace these: what is shown now goes on being shown."""
        if self.stale_s <= 0:
            return
        for register in registers:
            for address, word in zip(register.addresses, bank.words(register.name), strict=True):
                bank.echoes.setdefault(address, word)
                self._left_s.setdefault(address, self.stale_s)

    def step(self, bank: Bank, dt_s: float) -> None:
        """Let time pass; what has been shown long enough gives way."""
        for address in list(self._left_s):
            self._left_s[address] -= dt_s
            if self._left_s[address] <= 0:
                del self._left_s[address]
                bank.echoes.pop(address, None)
