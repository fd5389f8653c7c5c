"""What switches the machine off until somebody cycles its power: an empty battery, and reversing too fast."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from samspel_saj.twin.profile import facts

_RESTING_W = 50.0


@dataclass(slots=True)
class Protection:
    """``locked_out``: the battery's converter is off. ``tripped``: the BMS has opened."""

    locked_out: bool = False
    tripped: bool = False
    _reversed_at_s: deque[float] = field(default_factory=deque)
    _sign: int = 0
    _forced: bool = False

    @property
    def open(self) -> bool:
        """True while nothing works."""
        return self.locked_out or self.tripped

    def aim(self, now_s: float, target_w: float, *, forced: bool) -> None:
        """A target was set: too many reversals by command trip the BMS."""
        if abs(target_w) < _RESTING_W:
            return
        sign = 1 if target_w > 0 else -1
        if sign == -self._sign and (forced or self._forced):
            self._reversed(now_s)
        self._sign, self._forced = sign, forced

    def _reversed(self, now_s: float) -> None:
        control, times = facts()["control"], self._reversed_at_s
        times.append(now_s)
        while times[0] < now_s - control["trip_window_s"]:
            times.popleft()
        self.tripped = self.tripped or len(times) >= control["trip_reversals"]

    def arrive(self, battery_w: float, soc_pct: float, floor_pct: float) -> None:
        """A commanded discharge ran: at the floor it locks the converter out."""
        self.locked_out = self.locked_out or (battery_w > _RESTING_W and soc_pct <= floor_pct)
