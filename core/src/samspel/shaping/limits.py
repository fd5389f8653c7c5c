"""Limits: what the contract allows, then what the battery allows now.

Protection table (unsafe condition · limit · reaction · recovery · outranked by):
* contract limit exceeded · configured W each way · clamp · at once · nothing
* state of charge at its floor or ceiling · configured window · 0 W in that direction · `hysteresis_pct` back inside ·
  nothing
* more than the battery takes now · live charge/discharge limit, not older than `ceiling_stale_s` (else none) · clamp ·
  at once · nothing
* state of charge unknown · no good reading for `stale_s` · 0 W · first good reading · nothing
"""

from __future__ import annotations

from dataclasses import dataclass

from samspel.shaping.filter import Note, Shaped, ShapingContext

__all__ = ["BatteryLimits", "ContractLimits", "SocWindow"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractLimits:
    """Bounds the target to what the site's contract allows each way (W, both >= 0)."""

    charge_w: float
    discharge_w: float
    name: str = "contract_limits"
    hard: bool = False

    def initial(self) -> None:
        """No state."""

    def apply(self, state: None, target_w: float, context: ShapingContext) -> Shaped[None]:  # noqa: ARG002
        """Clamp to [-charge_w, discharge_w]."""
        bounded = min(max(target_w, -self.charge_w), self.discharge_w)
        notes = () if bounded == target_w else (Note("contract", f"the site allows {bounded:.0f} W"),)
        return Shaped(state, bounded, notes)


@dataclass(frozen=True, slots=True)
class SocWindow:
    """Which ends of the window are closed now."""

    floor_closed: bool = False
    ceiling_closed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryLimits:
    """Hard limits from the battery itself: state-of-charge window and live ceilings."""

    soc_min_pct: float
    soc_max_pct: float
    hysteresis_pct: float = 1.0
    stale_s: float = 120.0
    ceiling_stale_s: float = 300.0
    name: str = "battery_limits"
    hard: bool = True

    def initial(self) -> SocWindow:
        """Both ends open."""
        return SocWindow()

    def apply(self, state: SocWindow, target_w: float, context: ShapingContext) -> Shaped[SocWindow]:
        """Zero at the ends of the window or without a state of charge; else at most the live ceiling."""
        soc = context.fresh("soc_pct", self.stale_s)
        if soc is None:
            note = Note("soc_unknown", f"no valid state of charge for {self.stale_s:g} s")
            return Shaped(state, 0.0, (note,) if target_w else ())
        window = self._window(state, soc)
        if target_w > 0 and window.floor_closed:
            return Shaped(window, 0.0, (Note("soc", f"state of charge {soc:.1f} % is at the floor"),))
        if target_w < 0 and window.ceiling_closed:
            return Shaped(window, 0.0, (Note("soc", f"state of charge {soc:.1f} % is at the ceiling"),))
        return self._live_ceiling(window, target_w, context)

    def _window(self, state: SocWindow, soc: float) -> SocWindow:
        margin = self.hysteresis_pct
        return SocWindow(
            floor_closed=soc <= self.soc_min_pct + (margin if state.floor_closed else 0.0),
            ceiling_closed=soc >= self.soc_max_pct - (margin if state.ceiling_closed else 0.0),
        )

    def _live_ceiling(self, window: SocWindow, target_w: float, context: ShapingContext) -> Shaped[SocWindow]:
        if self._asleep(context):
            # A ceiling read while the battery sleeps is no ceiling: it would never be woken.
            return Shaped(window, target_w)
        signal = "discharge_limit_w" if target_w > 0 else "charge_limit_w"
        ceiling = context.fresh(signal, self.ceiling_stale_s)
        if ceiling is None:
            return Shaped(window, target_w)
        ceiling = max(ceiling, 0.0)  # A nonsensical reading may stop the battery, never turn it round.
        if abs(target_w) <= ceiling:
            return Shaped(window, target_w)
        bounded = ceiling if target_w > 0 else -ceiling
        return Shaped(window, bounded, (Note("live_limit", f"the battery allows {ceiling:.0f} W now"),))

    def _asleep(self, context: ShapingContext) -> bool:
        """As it was seen no longer ago than a ceiling counts."""
        reading = context.readings.get("battery_state")
        return (
            reading is not None
            and reading.value == "sleep"
            and context.now - reading.monotonic_s <= self.ceiling_stale_s
        )
