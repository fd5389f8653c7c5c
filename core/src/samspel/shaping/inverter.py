"""What the inverter and the grid connection carry besides the battery: AC limit with PV on it, and export. Hard limits.

Protections (unsafe condition · limit · reaction · recovery · outranked by):
* more leaves the inverter than it can, so that it throttles its PV · `limit_w`, else what the device states, less the
  PV measured last · discharging bounded; charging from the grid to the limit and the PV together · at once · stop
* more is fed into the grid than is allowed · `limit_w` beyond what the house draws, the battery's own share taken out ·
  discharging bounded · at once · stop
* the meter silent, offline or older than `stale_s` · 0 W of discharging · the first good reading · stop
"""

from __future__ import annotations

from dataclasses import dataclass

from samspel.shaping.filter import Note, Shaped, ShapingContext
from samspel.shaping.meter import house_power_w

__all__ = ["AcLimit", "ExportLimit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AcLimit:
    """`limit_w` (W at the AC terminal) outranks what the device states of itself; with neither nothing is bounded."""

    limit_w: float | None = None
    name: str = "ac_limit"
    hard: bool = True

    def initial(self) -> None:
        """No state."""

    def apply(self, state: None, target_w: float, context: ShapingContext) -> Shaped[None]:
        """PV comes first on the way out; on the way in it feeds the battery too."""
        limit_w = self._limit_w(context)
        if limit_w is None:
            return Shaped(state, target_w)
        pv_w = max(0.0, _last(context, "pv_power_w") or 0.0)
        bounded_w = min(max(target_w, -(limit_w + pv_w)), max(0.0, limit_w - pv_w))
        text = f"the inverter carries {limit_w:.0f} W, of which {pv_w:.0f} W are PV"
        return Shaped(state, bounded_w, () if bounded_w == target_w else (Note("ac_limit", text),))

    def _limit_w(self, context: ShapingContext) -> float | None:
        if self.limit_w is not None:
            return self.limit_w
        stated_w = _last(context, "max_ac_power_w")
        return _last(context, "rated_power_w") if stated_w is None else stated_w


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportLimit:
    """At most `limit_w` (>= 0) into the grid because of the battery; what PV exports by itself is not ours."""

    limit_w: float
    stale_s: float = 15.0
    name: str = "export_limit"
    hard: bool = True

    def initial(self) -> None:
        """No state."""

    def apply(self, state: None, target_w: float, context: ShapingContext) -> Shaped[None]:
        """Charging is never bounded here."""
        if target_w <= 0:
            return Shaped(state, target_w)
        house_w = house_power_w(context, self.stale_s)
        if house_w is None:
            return Shaped(state, 0.0, (Note("meter_stale", f"no meter reading for {self.stale_s:g} s"),))
        room_w = max(0.0, house_w + self.limit_w)
        if target_w <= room_w:
            return Shaped(state, target_w)
        return Shaped(state, room_w, (Note("export_limit", f"{room_w:.0f} W reach the export limit"),))


def _last(context: ShapingContext, signal: str) -> float | None:
    """The last good value, whatever its age: a nameplate does not age, and old sun is better than none."""
    reading = context.readings.get(signal)
    return None if reading is None else reading.usable()
