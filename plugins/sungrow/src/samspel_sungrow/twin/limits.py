"""What caps the wish: the battery's live currents, 33047 and 33048, end stops, export and AC caps."""

from __future__ import annotations

from samspel_sim.bank import Bank
from samspel_sim.limits import EndStops, Target, derating, share, under_cap

from samspel_sungrow.twin.ems import Sight, Wish
from samspel_sungrow.twin.profile import Pack, Profile, facts

ON, OFF = 0xAA, 0x55
UNSET = 0xFFFF
HYSTERESIS_PCT = 0.5
"""Of the end stops."""


def pack_volts(pack: Pack, soc_pct: float) -> float:
    """Volts of the whole pack."""
    swing = float(facts()["battery"]["swing"])
    return pack.nominal_v * (1 + swing * (soc_pct - 50) / 50)


def live_currents_a(pack: Pack, soc_pct: float, temperature_c: float) -> tuple[int, int]:
    """Registers 5635 and 5636: whole amperes for charging and discharging, less near the ends and out of comfort."""
    battery = facts()["battery"]
    heat, chill = derating(temperature_c, battery["hot_c"], battery["cold_c"])
    charge = 0.0 if soc_pct >= battery["full_pct"] else _taper(100 - soc_pct)
    discharge = 0.0 if soc_pct <= battery["empty_pct"] else _taper(soc_pct)
    return int(pack.current_a * charge * heat * chill), int(pack.current_a * discharge * heat)


def _taper(from_end_pct: float) -> float:
    battery = facts()["battery"]
    least = float(battery["taper_share"])
    return least + (1 - least) * share(from_end_pct / battery["taper_pct"])


def battery_bounds_w(
    bank: Bank, profile: Profile, battery_w: tuple[float, float], stops: EndStops
) -> tuple[float, float]:
    """Most charging (negative) and most discharging power allowed now, in every mode.

    ``battery_w``: what the battery takes and gives.
    """
    charge_w = min(battery_w[0], profile.bdc_w, bank.number("max_charge_power"))
    discharge_w = min(battery_w[1], profile.bdc_w, bank.number("max_discharge_power"))
    return (0.0 if stops.full else -charge_w), (0.0 if stops.empty else discharge_w)


def ac_cap_w(bank: Bank, profile: Profile, sight: Sight) -> float:
    """AC power allowed by the nominal power, by 13089/13090 and by the export cap: the strictest wins."""
    caps_w = [profile.model.nominal_w]
    if bank.raw("active_power_limitation") == ON:
        caps_w.append(bank.number("active_power_ratio") / 100 * profile.model.nominal_w)
    if bank.raw("feed_in_limitation") == ON:
        own_use_w = sight.load_w if sight.meter_online else 0.0  # without a meter it cannot know better
        caps_w.append(own_use_w + export_cap_w(bank, profile))
    return min(caps_w)


def export_cap_w(bank: Bank, profile: Profile) -> float:
    """13088 wins over 13074 where it is set."""
    if bank.raw("feed_in_limit_ratio") == UNSET:
        return bank.number("feed_in_limit")
    return bank.number("feed_in_limit_ratio") / 100 * profile.model.nominal_w


def armed(bank: Bank) -> bool:
    """True while a cap is on, whatever its value."""
    return ON in (bank.raw("active_power_limitation"), bank.raw("feed_in_limitation"))


def shut_by_cap(bank: Bank) -> bool:
    """An AC cap of zero shuts down where 31213 says so."""
    names = ("active_power_limitation", "apl_shutdown_at_zero")
    if not all(name in bank.table and bank.raw(name) == ON for name in names):
        return False
    return bank.raw("active_power_ratio") == 0


def fit(wish: Wish, sight: Sight, bounds_w: tuple[float, float], cap_w: float) -> Target:
    """Fit a wish under the caps: discharging yields first and may turn into storing, the panels yield last.

    A commanded charge or idleness is kept: there the panels yield at once.
    """
    low_w, high_w = bounds_w
    battery_w = max(low_w, min(high_w, wish.battery_w))
    floor_w = battery_w if wish.forced and wish.battery_w <= 0 else low_w
    return under_cap(battery_w, sight.pv_available_w, cap_w, floor_w)
