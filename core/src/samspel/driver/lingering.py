"""Readings that linger: on some paths a register reads as before for minutes after a write that landed."""

from __future__ import annotations

from dataclasses import dataclass, replace

from samspel.contract.ports import Clock

__all__ = ["LINGER_S", "Lingering"]

LINGER_S = 900.0
"""So long after a write an old reading counts as what was written. Later it is believed, and control reacts to it."""


@dataclass(frozen=True, slots=True)
class _Sent:
    raw: int
    before: frozenset[int]
    at: float


class Lingering:
    """Takes a reading that the register had before our write for what we wrote; anything else is news. Once it has read
    as we wrote it, the old one is news too: a second master that insists writes just that.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._read: dict[str, int] = {}
        self._sent: dict[str, _Sent] = {}

    def read(self, name: str, raw: int) -> int:
        """Note a reading; returns what is to be believed."""
        self._read[name] = raw
        sent = self._sent.get(name)
        if sent is not None and raw == sent.raw:
            self._sent[name] = replace(sent, before=frozenset())
        old = sent is not None and raw in sent.before and self._clock.monotonic() - sent.at <= LINGER_S
        return sent.raw if sent is not None and old else raw

    def wrote(self, name: str, raw: int) -> None:
        """Note a write that the device has acknowledged."""
        earlier = self._sent.get(name)
        before = {self._read[name]} if name in self._read else set()
        if earlier is not None:
            before |= earlier.before | {earlier.raw}
        self._sent[name] = _Sent(raw, frozenset(before - {raw}), self._clock.monotonic())
