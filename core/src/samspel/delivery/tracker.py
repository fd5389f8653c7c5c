"""Follows one command: when it was delivered, its share of time in tolerance, its energy, and the evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from samspel.contract.outcome import Evidence
from samspel.contract.telemetry import Reading

__all__ = ["Delivery", "Tolerance", "evidence", "follow"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """Delivered means within `absolute_w` or `share` of the target, whichever is more."""

    absolute_w: float = 100.0
    share: float = 0.05

    def holds(self, target_w: float, battery_w: float) -> bool:
        """Whether `battery_w` is close enough to `target_w` (both contract sign)."""
        return abs(battery_w - target_w) <= max(self.absolute_w, self.share * abs(target_w))


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The tracker's state. Energy in Wh, positive discharged; times in s since the first reading after the write.

    `written_at` is monotonic seconds: what was measured before it says nothing about the command.
    """

    before: Evidence
    written_at: float = float("-inf")
    delivered: bool = False
    observed_s: float = 0.0
    in_tolerance_s: float = 0.0
    energy_wh: float = 0.0
    last_at: float | None = None
    last_w: float | None = None

    @property
    def in_tolerance_pct(self) -> float | None:
        """Share of the observed time in tolerance, in percent; nothing before two readings."""
        return 100.0 * (self.in_tolerance_s / self.observed_s) if self.observed_s > 0 else None


def follow(state: Delivery, target_w: float, reading: Reading | None, tolerance: Tolerance) -> Delivery:
    """The state after one more reading of the battery power. Only good readings with a new time count."""
    battery_w = reading.usable() if reading is not None else None
    newest = state.written_at if state.last_at is None else state.last_at
    if reading is None or battery_w is None or reading.monotonic_s <= newest:
        return state
    within = tolerance.holds(target_w, battery_w)
    elapsed = 0.0 if state.last_at is None else reading.monotonic_s - state.last_at
    mean_w = battery_w if state.last_w is None else (battery_w + state.last_w) / 2
    return replace(
        state,
        delivered=state.delivered or within,
        observed_s=state.observed_s + elapsed,
        in_tolerance_s=state.in_tolerance_s + (elapsed if within else 0.0),
        energy_wh=state.energy_wh + mean_w * elapsed / 3600.0,
        last_at=reading.monotonic_s,
        last_w=battery_w,
    )


def evidence(readings: Mapping[str, Reading], now: float) -> Evidence:
    """The watts of this moment, from the newest good readings; the age is that of the battery power."""
    battery = readings.get("battery_power_w")
    return Evidence(
        battery_power_w=_number(readings, "battery_power_w"),
        pv_power_w=_number(readings, "pv_power_w"),
        ac_power_w=_number(readings, "ac_power_w"),
        grid_power_w=_number(readings, "grid_power_w"),
        soc_pct=_number(readings, "soc_pct"),
        age_s=None if battery is None else round(now - battery.monotonic_s, 3),
    )


def _number(readings: Mapping[str, Reading], signal: str) -> float | None:
    reading = readings.get(signal)
    return None if reading is None else reading.usable()
