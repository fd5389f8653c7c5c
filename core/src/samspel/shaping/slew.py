"""Slew: the target moves at most so many watts a second.

Protection: a step of the target lets a fleet jerk the grid, or a battery its converter · `w_per_s` · the target moves
at that rate · when it has arrived · hard limits, stop and release, which move at once.

The rate runs on the time between ticks, never on the time since a command: a target that changes at every tick is
followed at the full rate. It goes on from the chain's last answer, so that a hard limit that lets go is no step either.
"""

from __future__ import annotations

from dataclasses import dataclass

from samspel.shaping.filter import Note, Shaped, ShapingContext

__all__ = ["Slew"]

FIRST_STEP_S = 1.0
"""The first step after a take is that of one tick."""

LONGEST_STEP_S = 5.0
"""After a pause (a lost link, a dwell) the target does not jump by what could have been moved meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slew:
    """Moves toward the target by at most `w_per_s` (> 0). The state is when it last moved, in monotonic seconds."""

    w_per_s: float
    name: str = "slew"
    hard: bool = False

    def initial(self) -> None:
        """Not moved yet."""

    def apply(self, state: float | None, target_w: float, context: ShapingContext) -> Shaped[float | None]:
        """From the last shaped target, else from what stands on the wire, else from 0 W."""
        elapsed_s = FIRST_STEP_S if state is None else min(max(context.now - state, 0.0), LONGEST_STEP_S)
        before_w = (context.written_w or 0.0) if context.shaped_w is None else context.shaped_w
        step_w = self.w_per_s * elapsed_s
        moved_w = min(max(target_w, before_w - step_w), before_w + step_w)
        text = f"on the way to {target_w:.0f} W by {self.w_per_s:g} W/s"
        return Shaped(context.now, moved_w, () if moved_w == target_w else (Note("slew", text),))
