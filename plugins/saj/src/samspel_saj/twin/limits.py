"""What caps the wish: BMS currents, end stops, power limits, leftovers of passive mode, and the grid's ceilings."""

from __future__ import annotations

from dataclasses import dataclass

from samspel_sim.bank import Bank
from samspel_sim.limits import EndStops, Target, derating, under_cap

from samspel_saj.twin.modes import EVERYTHING_W, PASSIVE, Sight, Wish, permille_w
from samspel_saj.twin.profile import Profile, facts

HYSTERESIS_PCT = 1.0
"""Of the end stops."""
_PHASE_V = 230.0
_TOTAL_POWER, _PHASE_CURRENT, _PHASE_POWER = 1, 2, 3


@dataclass(slots=True)
class Bms:
    """Current limits of the battery in amperes; those set from outside win over its own."""

    charge_a: float | None = None
    discharge_a: float | None = None

    def limits_a(self, profile: Profile, temperature_c: float, *, healthy: bool) -> tuple[float, float]:
        """0xA037 and 0xA036 now."""
        own = _own_limits_a(profile, temperature_c) if healthy else (0.0, 0.0)
        charge_a = own[0] if self.charge_a is None else self.charge_a
        discharge_a = own[1] if self.discharge_a is None else self.discharge_a
        return charge_a, discharge_a


def _own_limits_a(profile: Profile, temperature_c: float) -> tuple[float, float]:
    battery = facts()["battery"]
    heat, chill = derating(temperature_c, battery["hot_c"], battery["cold_c"])
    most_a = battery["pack_a"] * profile.packs
    return most_a * heat * chill, most_a * heat


def pack_voltage_v(soc_pct: float) -> float:
    """Voltage of the battery by its charge."""
    battery = facts()["battery"]
    return float(battery["empty_v"] + (battery["full_v"] - battery["empty_v"]) * soc_pct / 100)


def battery_bounds_w(
    bank: Bank, profile: Profile, wish: Wish, ceilings_w: tuple[float, float], stops: EndStops
) -> tuple[float, float]:
    """Most charging (negative) and most discharging power allowed now."""
    charge_w = min(ceilings_w[0], permille_w(bank, "battery_charge_limit", profile))
    discharge_w = min(ceilings_w[1], _discharge_limit_w(bank, profile))
    if wish.code != PASSIVE and profile.traits.sticky and not profile.family.watts:
        charge_w = min(charge_w, permille_w(bank, "passive_battery_charge_power", profile))
        discharge_w = min(discharge_w, permille_w(bank, "passive_battery_discharge_power", profile))
    return 0.0 if stops.full else -charge_w, 0.0 if stops.empty else discharge_w


def _discharge_limit_w(bank: Bank, profile: Profile) -> float:
    """Zero is no lock on field machines: it lets everything through."""
    limit_w = permille_w(bank, "battery_discharge_limit", profile)
    return limit_w if limit_w > 0 or profile.traits.zero_locks else EVERYTHING_W


def export_w(bank: Bank, profile: Profile, wish: Wish) -> float:
    """Most power that may leave the house."""
    anti_reflux_w = {
        _TOTAL_POWER: permille_w(bank, "anti_reflux_power_limit", profile),
        _PHASE_CURRENT: bank.number("anti_reflux_current_limit") * _PHASE_V * profile.family.phases,
        _PHASE_POWER: permille_w(bank, "anti_reflux_power_limit", profile),
    }.get(bank.raw("anti_reflux_mode"), EVERYTHING_W)
    return min(wish.export_w, permille_w(bank, "grid_export_limit", profile), anti_reflux_w)


def import_w(bank: Bank, profile: Profile, wish: Wish) -> float:
    """Most power that the battery's charging may make the house draw."""
    return min(wish.import_w, permille_w(bank, "grid_import_limit", profile))


def fit(bank: Bank, profile: Profile, wish: Wish, sight: Sight, bounds_w: tuple[float, float]) -> Target:
    """Fit a wish under the caps: discharging yields first, own regulation then stores, the panels yield last."""
    low_w, high_w = bounds_w
    low_w = max(low_w, min(0.0, sight.deficit_w - import_w(bank, profile, wish)))
    battery_w = max(low_w, min(high_w, wish.battery_w))
    cap_w = min(
        float(facts()["control"]["ac_share"]) * profile.model.rated_w,
        sight.load_w + export_w(bank, profile, wish),
    )
    floor_w = min(0.0, battery_w) if wish.forced else low_w
    return under_cap(battery_w, sight.pv_available_w, cap_w, floor_w)
