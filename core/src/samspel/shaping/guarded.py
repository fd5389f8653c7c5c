"""A third party's filter may only move a target toward zero; whatever else it answers is bounded, and said."""

from __future__ import annotations

import math
from typing import Generic, TypeVar

from samspel.shaping.filter import Filter, Note, Shaped, ShapingContext

__all__ = ["TowardZero"]

State = TypeVar("State")


class TowardZero(Generic[State]):
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

    def initial(self) -> State | Exception:
        """The wrapped filter's. It is asked when a stop or a release resets the chain, and must not be in their way:
        where it fails, the next set-point does.
        """
        try:
            return self._inner.initial()
        except Exception as error:  # noqa: BLE001 - a third party's; raised again by `apply`
            return error

    def apply(self, state: State | Exception, target_w: float, context: ShapingContext) -> Shaped[State | Exception]:
        """The wrapped filter's answer, between zero and `target_w`. Raises whatever kept it from beginning."""
        if isinstance(state, Exception):
            raise state
        shaped = self._inner.apply(state, target_w, context)
        low, high = min(0.0, target_w), max(0.0, target_w)
        if low <= shaped.target_w <= high:
            return Shaped(shaped.state, shaped.target_w, shaped.notes)
        bounded_w = min(max(low, shaped.target_w), high) if math.isfinite(shaped.target_w) else 0.0
        note = Note("filter_bounded", f"filter {self.name!r} wanted {shaped.target_w:.0f} W; it may only reduce")
        return Shaped(shaped.state, bounded_w, (*shaped.notes, note))
