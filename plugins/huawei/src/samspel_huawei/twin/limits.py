"""What caps the wish: live ceilings, power limits, end stops, the AC schedule and the export limit."""

from __future__ import annotations

from dataclasses import dataclass

from samspel_sim.bank import Bank
from samspel_sim.limits import EndStops, Target, derating, under_cap

from samspel_huawei.twin.modes import Sight, Wish
from samspel_huawei.twin.profile import Profile, facts

HYSTERESIS_PCT = 1.0
"""Of the end stops."""


@dataclass(slots=True)
class Schedule:
    """AC power limit of 40120, 40125 and 40126: the last one written counts, for 42019 seconds."""

    source: str = "active_power_percent"
    age_s: float = 0.0

    def limit_w(self, bank: Bank, profile: Profile) -> float:
        """Watts of AC power allowed; negative makes the inverter draw."""
        pmax_w = profile.model.pmax_w
        valid_s = bank.number("schedule_valid_duration")
        if valid_s and self.age_s >= valid_s:
            return pmax_w
        number = bank.number(self.source)
        scale = {"active_power_percent": pmax_w / 100, "fixed_active_power_kw": 1000.0}.get(self.source, 1.0)
        return min(pmax_w, number * scale)


SCHEDULES = {"fixed_active_power_kw": 40120, "active_power_percent": 40125, "active_power_fixed_w": 40126}


def live_ceilings_w(profile: Profile, temperature_c: float, *, healthy: bool) -> tuple[float, float]:
    """Registers 37046 and 37048: charge and discharge ceiling of battery and inverter together."""
    if not healthy:
        return 0.0, 0.0
    battery = facts()["battery"]
    heat, chill = derating(temperature_c, battery["hot_c"], battery["cold_c"])
    return profile.charge_w * heat * chill, profile.discharge_w * heat


def battery_bounds_w(bank: Bank, ceilings_w: tuple[float, float], stops: EndStops) -> tuple[float, float]:
    """Most charging (negative) and most discharging power allowed now, in every mode."""
    charge_w = 0.0 if stops.full else min(ceilings_w[0], bank.number("storage_max_charging_power"))
    discharge_w = 0.0 if stops.empty else min(ceilings_w[1], bank.number("storage_max_discharging_power"))
    return -charge_w, discharge_w


def ac_cap_w(bank: Bank, profile: Profile, schedule_w: float, sight: Sight) -> float:
    """AC power allowed by Pmax, by the schedule and by the export limit."""
    return min(profile.model.pmax_w, schedule_w, sight.load_w + _export_w(bank, profile, sight))


def _export_w(bank: Bank, profile: Profile, sight: Sight) -> float:
    unlimited = profile.model.pmax_w
    mode = bank.raw("active_power_control_mode") if sight.meter_online else 0
    if mode == 5:
        return 0.0
    if mode == 6:
        return bank.number("max_feed_grid_power_w")
    return bank.number("max_feed_grid_power_percent") / 100 * unlimited if mode == 7 else unlimited


def fit(wish: Wish, sight: Sight, bounds_w: tuple[float, float], cap_w: float) -> Target:
    """Fit a wish under the caps: discharging yields first, own regulation then stores, the panels yield last."""
    low_w, high_w = bounds_w
    battery_w = max(low_w, min(high_w, wish.battery_w))
    floor_w = min(0.0, battery_w) if wish.forced else low_w
    return under_cap(battery_w, min(sight.pv_available_w, wish.pv_ceiling_w), cap_w, floor_w)
