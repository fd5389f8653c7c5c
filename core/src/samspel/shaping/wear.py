"""Wear: a budget of writes to registers that are kept in the device's memory, for each day.

Protection: memory that takes some ten or hundred thousand writes is written to death · `writes_per_day` registers a
day, counted as they are sent, whoever caused it · the target is zero, the fault control.write_budget stands, control is
not taken any more, headroom is 0 W · the next day (UTC) · stop and release, which are counted and never refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

from samspel.contract.driver import Json
from samspel.contract.ports import Clock
from samspel.shaping.filter import Note, Shaped, ShapingContext

__all__ = ["DayCount", "WearBudget", "WearMeter"]

DAY_S = 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WearBudget:
    """Zero once `writes_per_day` is spent."""

    writes_per_day: int = 10_000
    name: str = "wear_budget"
    hard: bool = False

    def initial(self) -> None:
        """No state: the count belongs to the device and outlives stop, release and restart."""

    def apply(self, state: None, target_w: float, context: ShapingContext) -> Shaped[None]:
        """The target, or zero."""
        if context.worn < self.writes_per_day or not target_w:
            return Shaped(state, target_w)
        return Shaped(state, 0.0, (Note("write_budget", self.spent_text(context.worn)),))

    def spent_text(self, worn: int) -> str:
        """For the fault, the deviation and the refusal."""
        return f"{worn} writes of registers that wear today; the site allows {self.writes_per_day} a day"


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCount:
    """Writes of one day (UTC). `since` is when the day began for this process, in monotonic seconds."""

    day: date
    since: float
    writes: int = 0

    def on(self, day: date, now: float, synchronised: Callable[[], bool]) -> DayCount:
        """The count at this moment. A clock that nobody vouches for begins no day before one has passed."""
        if day == self.day or not (now - self.since >= DAY_S or synchronised()):
            return self
        return DayCount(day=day, since=now)

    def json(self) -> dict[str, Json]:
        """For the journal."""
        return {"day": self.day.isoformat(), "writes": self.writes}


class WearMeter:
    """Counts one device's writes over the days and restarts. `keep` journals a document; it must not block or raise."""

    def __init__(
        self,
        budget: WearBudget | None,
        found: dict[str, Json] | None,
        clock: Clock,
        keep: Callable[[dict[str, Json]], None],
    ) -> None:
        self.budget, self._clock, self._keep = budget, clock, keep
        self._sent = 0
        self._count = _found(found, clock)

    def note(self, sent: int) -> int:
        """Writes of today. `sent` is the driver's own count, since it was made; a lower one is a new driver's."""
        clock = self._clock
        today = self._count.on(clock.wall().date(), clock.monotonic(), clock.synchronised)
        fresh = sent - self._sent if sent >= self._sent else sent
        self._sent = sent
        if fresh or today is not self._count:
            self._count = replace(today, writes=today.writes + fresh)
            self._keep(self._count.json())
        return self._count.writes

    @property
    def left(self) -> int | None:
        """Writes that remain today; nothing where there is no budget."""
        return None if self.budget is None else max(0, self.budget.writes_per_day - self._count.writes)

    @property
    def spent(self) -> str:
        """Why control is not to be taken, or nothing."""
        return self.budget.spent_text(self._count.writes) if self.budget is not None and self.left == 0 else ""


def _found(document: dict[str, Json] | None, clock: Clock) -> DayCount:
    """What an earlier process left; nonsense counts as nothing, since the disk is ours alone."""
    now, today = clock.monotonic(), clock.wall().date()
    day, writes = (document or {}).get("day"), (document or {}).get("writes")
    try:
        kept = date.fromisoformat(str(day))
    except ValueError:
        return DayCount(day=today, since=now)
    return DayCount(day=kept, since=now, writes=writes if isinstance(writes, int) else 0)
