"""What a filter is: a pure function of (state, target, context)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from samspel.contract.telemetry import Reading

__all__ = ["Filter", "Note", "Shaped", "ShapingContext"]

State = TypeVar("State")


@dataclass(frozen=True, slots=True)
class Note:
    """Why a filter changed the target: a closed word for programs, a sentence for people."""

    reason: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapingContext:
    """What a filter may know: the time, the last power written, and the newest readings.

    `shaped_w` is the chain's answer at the tick before, nothing at the first; `worn` counts today's writes of registers
    that wear.
    """

    now: float
    written_w: float | None
    shaped_w: float | None = None
    worn: int = 0
    readings: Mapping[str, Reading] = field(default_factory=dict)

    def fresh(self, signal: str, max_age_s: float) -> float | None:
        """A good, finite value that was measured at most `max_age_s` ago."""
        reading = self.readings.get(signal)
        if reading is None or self.now - reading.monotonic_s > max_age_s:
            return None
        value = reading.usable()
        return value if value is not None and math.isfinite(value) else None


@dataclass(frozen=True, slots=True)
class Shaped(Generic[State]):
    """A filter's answer: its next state, the target in W (contract sign), and why it changed."""

    state: State
    target_w: float
    notes: tuple[Note, ...] = ()


class Filter(Protocol[State]):
    """One station of the chain. Must not keep anything but what it returns as state."""

    @property
    def name(self) -> str:
        """As written in the site's list of filters."""
        ...

    @property
    def hard(self) -> bool:
        """True for limits that nothing may come after (fuse, battery, AC, export)."""
        ...

    def initial(self) -> State:
        """The state after a stop, a release or a start."""
        ...

    def apply(self, state: State, target_w: float, context: ShapingContext) -> Shaped[State]:
        """The target after this filter."""
        ...
