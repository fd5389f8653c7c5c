"""A third party's filter may only move a target toward zero; whatever else it answers is bounded, and said."""

from __future__ import annotations

import math
from typing import TypeVar

from samspel.shaping.filter import Filter, Note, Shaped, ShapingContext

__all__ = ["TowardZero"]

State = TypeVar("State")


class TowardZero(Filter[State]):
    """Wraps a filter that core does not know."""

    def __init__(self, inner: Filter[State]) -> None:
        self._inner = inner

    @property
    def name(self) -> str:
        """The wrapped filter's."""
        return self._inner.name

    @property
    def hard(self) -> bool:
        """The wrapped filter's."""
        return self._inner.hard

    def initial(self) -> State:
        """The wrapped filter's."""
        return self._inner.initial()

    def apply(self, state: State, target_w: float, context: ShapingContext) -> Shaped[State]:
        """The wrapped filter's answer, between zero and `target_w`."""
        shaped = self._inner.apply(state, target_w, context)
        low, high = min(0.0, target_w), max(0.0, target_w)
        if low <= shaped.target_w <= high:
            return shaped
        bounded_w = min(max(low, shaped.target_w), high) if math.isfinite(shaped.target_w) else 0.0
        note = Note("filter_bounded", f"filter {self.name!r} wanted {shaped.target_w:.0f} W; it may only reduce")
        return Shaped(shaped.state, bounded_w, (*shaped.notes, note))
