"""The chain: filters in the site's order, hard limits last, one state for each; and the gate that the list names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from samspel.contract.errors import ConfigError
from samspel.shaping.filter import Filter, Note, ShapingContext
from samspel.shaping.gate import OPEN, Gate
from samspel.shaping.wear import WearBudget

__all__ = ["Chain", "Result"]


@dataclass(frozen=True, slots=True)
class Result:
    """The target that may be written, and every reason why it differs from what was wanted.

    `limited`: the power in force is more than a hard limit allows now, so that less may not wait.
    """

    wanted_w: float
    target_w: float
    notes: tuple[Note, ...]
    limited: bool = False

    def bounded(self, target_w: float, reason: str, text: str) -> Result:
        """The same, with one more reason for less power, which may not wait either."""
        return Result(self.wanted_w, target_w, (*self.notes, Note(reason, text)), limited=True)


class Chain:
    """Runs every filter on every target. The only mutable things are the filters' states and the last answer."""

    def __init__(self, stations: Sequence[Filter[Any] | Gate]) -> None:
        soft_after_hard = [late.name for early, late in pairwise(stations) if early.hard and not late.hard]
        if soft_after_hard:
            raise ConfigError(
                f"filter {soft_after_hard[0]!r} stands after a hard limit; hard limits come last in the list of filters"
            )
        self.filters: tuple[Filter[Any], ...] = tuple(one for one in stations if not isinstance(one, Gate))
        self.gate = next((one for one in stations if isinstance(one, Gate)), OPEN)
        self.wear_budget = next((one for one in self.filters if isinstance(one, WearBudget)), None)
        self.reset()

    def reset(self) -> None:
        """Forget everything: after a stop, a release, or a start."""
        self._states = tuple(one.initial() for one in self.filters)
        self._shaped_w: float | None = None

    def shape(self, wanted_w: float, context: ShapingContext) -> Result:
        """The wanted power (W, contract sign) after every filter."""
        if self._shaped_w is not None:
            context = replace(context, shaped_w=self._shaped_w)
        target_w = wanted_w
        notes: list[Note] = []
        states: list[Any] = []
        for one, state in zip(self.filters, self._states, strict=True):
            shaped = one.apply(state, target_w, context)
            states.append(shaped.state)
            notes.extend(shaped.notes)
            target_w = shaped.target_w + 0.0  # Of a zero without its sign: nobody is to be told of -0 W.
        self._states, self._shaped_w = tuple(states), target_w
        return Result(wanted_w, target_w, tuple(notes), limited=self._exceeds(target_w, context))

    def hold_zero(self, shaped: Result) -> Result:
        """0 W instead, for the time being: what comes next is shaped from there."""
        self._shaped_w = 0.0
        return replace(shaped, target_w=0.0)

    def _exceeds(self, target_w: float, context: ShapingContext) -> bool:
        """Whether the power in force is more than the hard limits allow now; asked only where less is to be written."""
        allowed_w = written_w = context.written_w or 0.0
        if abs(target_w) >= abs(written_w):
            return False
        for one, state in zip(self.filters, self._states, strict=True):
            if one.hard:
                allowed_w = one.apply(state, allowed_w, context).target_w
        return abs(allowed_w) < abs(written_w)
