"""What stands on the wire: since when, and which command waits to change it. The gate decides by that."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from samspel.contract.capability import Route
from samspel.shaping.gate import Action, Gate, decide

__all__ = ["ASK_AGAIN_S", "Change", "Wire"]

ASK_AGAIN_S = 60.0
"""How long a device's own ceiling is believed; the limits that it publishes are filters of their own."""


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
        self._asked_w = self._stands_w = 0.0

    def decide(self, change: Change, gate: Gate, route: Route | None, now: float) -> Action:
        """Write, feed or suppress. `gate` may be another one for each origin of a target."""
        ready = partial(
            decide,
            change.target_w,
            written_w=self._as_asked(change, now),
            force=change.force,
            granularity_w=route.granularity_w if route else 1.0,
            feed_due=route is not None and route.feed_s is not None and now - change.fed_at >= route.feed_s,
            quiet_left_s=self._wrote_at + gate.time_s - now,
            delta_w=gate.delta_w,
            limited=change.limited,
        )
        action = ready(spacing_left_s=self._wrote_at + route.spacing_s - now if route else 0.0)
        self.waiting = change.command_id if action is not Action.WRITE and ready() is Action.WRITE else None
        return action

    def _as_asked(self, change: Change, now: float) -> float | None:
        """The power in force, or what was asked for where the device made less of that: to ask again at every tick
        would change nothing. Now and then it is asked again.
        """
        asked = change.written_w == self._stands_w and now - self._wrote_at < ASK_AGAIN_S
        return self._asked_w if asked else change.written_w

    def wrote(self, now: float, asked_w: float, stands_w: float) -> None:
        """A write of `asked_w` has ended, and `stands_w` stands now."""
        self._wrote_at, self.waiting = now, None
        self._asked_w, self._stands_w = asked_w, stands_w
