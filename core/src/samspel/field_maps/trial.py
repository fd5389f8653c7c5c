"""A new map on probation: each direction at little power until the battery has moved the right way. Pure.

Unsafe condition: a map that charges when told to discharge, or the other way round. Measured: battery power against
the commanded sign, once the route's latency has passed. Reaction: the map fails, control goes back, the map before
it returns. Recovery: only another file. A stop outranks all of it. What proves nothing (a full battery, a command
too small, a reading too old) neither passes nor fails.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from samspel.contract.capability import Direction
from samspel.contract.telemetry import Reading

__all__ = ["TRIAL_W", "Trial"]

TRIAL_W = 1000.0
"""The most that a direction gets before it is proven: enough to tell from noise, little enough to do no harm."""

LEAST_W = 300.0
"""A smaller command proves nothing beside what the electronics take and a regulator hunts by."""

MOVED = 0.5
"""Share of the commanded power that counts as having moved the right way."""

WRONG_W = 200.0
WRONG_READINGS = 3
"""So many readings in a row the wrong way, and beyond this power, fail a map."""

PATIENCE_S = 5.0
"""Beside the route's latency: a telemetry cycle and a slow look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """`unproven`: directions still to be shown. `since`: monotonic s since which the present direction is commanded.

    `read_at` is the time of the newest reading that was judged; `wrong` counts the wrong ones in a row.
    """

    digest: str
    unproven: frozenset[Direction] = frozenset({Direction.CHARGE, Direction.DISCHARGE})
    direction: Direction = Direction.ZERO
    since: float = 0.0
    read_at: float = float("-inf")
    wrong: int = 0

    @property
    def passed(self) -> bool:
        """Whether every direction has been shown."""
        return not self.unproven

    @property
    def failed(self) -> bool:
        """Whether the battery has moved the wrong way."""
        return self.wrong >= WRONG_READINGS

    def bound(self, target_w: float) -> float:
        """What may be written (W, contract sign) while this direction is unproven."""
        if _direction(target_w) not in self.unproven:
            return target_w
        return max(-TRIAL_W, min(TRIAL_W, target_w))

    def judge(self, target_w: float, latency_s: float, now: float, reading: Reading | None) -> Trial:
        """After one more reading of the battery power, while `target_w` stands in the registers."""
        direction = _direction(target_w)
        if direction is not self.direction:
            return replace(self, direction=direction, since=now, wrong=0)
        if direction not in self.unproven or abs(target_w) < LEAST_W or reading is None:
            return self
        battery_w = reading.usable()
        if battery_w is None or reading.monotonic_s <= max(self.read_at, self.since + latency_s + PATIENCE_S):
            return self
        return self._after(direction, target_w, battery_w, reading.monotonic_s)

    def _after(self, direction: Direction, target_w: float, battery_w: float, at: float) -> Trial:
        along_w = battery_w if target_w > 0 else -battery_w
        if along_w >= MOVED * abs(target_w):
            return replace(self, unproven=self.unproven - {direction}, read_at=at, wrong=0)
        return replace(self, read_at=at, wrong=self.wrong + 1 if along_w < -WRONG_W else 0)


def _direction(power_w: float) -> Direction:
    if power_w == 0:
        return Direction.ZERO
    return Direction.DISCHARGE if power_w > 0 else Direction.CHARGE
