"""How long the battery has stood at zero since it last moved, and how much of a reversal's dwell is left of that."""

from __future__ import annotations

from dataclasses import dataclass

from samspel.contract.capability import Direction
from samspel.contract.ports import Clock

__all__ = ["Rest"]


@dataclass(kw_only=True)
class Rest:
    """What this object has commanded. A rest outlives the command it began for: a set-point that expires in the middle
    of a dwell leaves the next one only what is left of it. It does not outlive the process: the next begins it anew.
    """

    clock: Clock
    moved: Direction | None = None
    since: float | None = None

    def moves(self, direction: Direction) -> None:
        """The battery was told to move this way."""
        self.moved, self.since = direction, None

    def begins(self) -> None:
        """The battery was told to stand still; it may have been told so before."""
        if self.since is None:
            self.since = self.clock.monotonic()

    def forget(self) -> None:
        """The battery is in the device's own hands."""
        self.moved, self.since = None, None

    def left_s(self, direction: Direction, dwell_s: float, before: Direction | None = None) -> float:
        """How long it has to stand still before it may move this way; 0 unless that is a reversal. `before`: which way
        it went when this object has moved it nowhere yet.
        """
        if (self.moved or before) in (None, direction) or self.since is None:
            return 0.0
        return max(0.0, self.since + dwell_s - self.clock.monotonic())
