"""The chain: filters in the site's order, hard limits last, one state for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from samspel.contract.errors import ConfigError
from samspel.shaping.filter import Filter, Note, ShapingContext

__all__ = ["Chain", "Result"]


@dataclass(frozen=True, slots=True)
class Result:
    """The target that may be written, and every reason why it differs from what was wanted."""

    wanted_w: float
    target_w: float
    notes: tuple[Note, ...]

    def bounded(self, target_w: float, reason: str, text: str) -> Result:
        """The same, with one more reason for less power."""
        return Result(self.wanted_w, target_w, (*self.notes, Note(reason, text)))


class Chain:
    """Runs every filter on every target. The only mutable thing is the tuple of filter states."""

    def __init__(self, filters: Sequence[Filter[Any]]) -> None:
        soft_after_hard = [late.name for early, late in pairwise(filters) if early.hard and not late.hard]
        if soft_after_hard:
            raise ConfigError(
                f"filter {soft_after_hard[0]!r} stands after a hard limit; hard limits come last in the list of filters"
            )
        self._filters = tuple(filters)
        self.reset()

    def reset(self) -> None:
        """Forget everything: after a stop, a release, or a start."""
        self._states = tuple(one.initial() for one in self._filters)

    def shape(self, wanted_w: float, context: ShapingContext) -> Result:
        """The wanted power (W, contract sign) after every filter."""
        target_w = wanted_w
        notes: list[Note] = []
        states: list[Any] = []
        for one, state in zip(self._filters, self._states, strict=True):
            shaped = one.apply(state, target_w, context)
            states.append(shaped.state)
            notes.extend(shaped.notes)
            target_w = shaped.target_w
        self._states = tuple(states)
        return Result(wanted_w, target_w, tuple(notes))
