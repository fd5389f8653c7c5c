"""What stands on the wire: since when, and which command waits to change it. The gate decides by that."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from samspel.contract.capability import Route
from samspel.shaping.gate import Action, Gate, decide

__all__ = ["Change", "Wire"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A shaped target beside what stands. Powers in W, contract sign; `fed_at` is monotonic seconds.

    `force`: the first write after take or reconnect. `limited`: the power in force is more than a hard limit allows.
    """

    command_id: str
    target_w: float
    written_w: float | None
    force: bool
    limited: bool
    fed_at: float


class Wire:
    """One device's. `waiting` is the command whose power waits for the route's spacing."""

    def __init__(self) -> None:
        self.waiting: str | None = None
        self._wrote_at = float("-inf")

    def decide(self, change: Change, gate: Gate, route: Route | None, now: float) -> Action:
        """Write, feed or suppress. `gate` may be another one for each origin of a target."""
        ready = partial(
            decide,
            change.target_w,
            written_w=change.written_w,
            force=change.force,
            granularity_w=route.granularity_w if route else 1.0,
            feed_due=route is not None and route.feed_s is not None and now - change.fed_at >= route.feed_s,
            quiet_left_s=self._wrote_at + gate.time_s - now,
            delta_w=gate.delta_w,
            limited=change.limited,
        )
        action = ready(spacing_left_s=self._wrote_at + route.spacing_s - now if route else 0.0)
        if action is not Action.WRITE:
            self.waiting = change.command_id if ready() is Action.WRITE else None
        return action

    def wrote(self, now: float) -> None:
        """A write has ended."""
        self._wrote_at, self.waiting = now, None
