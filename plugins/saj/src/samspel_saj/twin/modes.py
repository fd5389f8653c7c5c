"""Who decides the battery's power: passive mode, a slot, the backup reserve, or the own regulation.

Pure functions of the registers and of what the device sees. Powers are in the contract's sign:
positive discharges.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from samspel_sim.bank import Bank

from samspel_saj.twin import slots
from samspel_saj.twin.profile import BEYOND_LOAD, LOAD_FOLLOWING, Profile, facts

SELF_USE, TIME_OF_USE, BACKUP, PASSIVE, AI_SAVING, OLD = 0, 1, 2, 3, 12, 14
NAMES = {
    SELF_USE: "self_use", TIME_OF_USE: "time_of_use", BACKUP: "backup", PASSIVE: "passive",
    AI_SAVING: "ai_saving", OLD: "old",
}  # fmt: skip
EVERYTHING_W = 1e6
UNLIMITED = 1100
_RESERVE_BAND_PCT = 0.5


@dataclass(frozen=True, slots=True)
class Sight:
    """What the device sees at the moment it decides."""

    pv_available_w: float
    load_w: float
    soc_pct: float
    clock: datetime
    meter_online: bool

    @property
    def deficit_w(self) -> float:
        """Load that the panels do not cover; negative is their surplus."""
        return self.load_w - self.pv_available_w


@dataclass(frozen=True, slots=True)
class Wish:
    """What the mode in force wants, before any limit.

    ``order`` names the command that it follows, or is None for the own regulation. ``import_w`` and
    ``export_w`` are the mode's own ceilings at the grid.
    """

    mode: str
    code: int
    battery_w: float
    order: tuple[object, ...] | None = None
    import_w: float = EVERYTHING_W
    export_w: float = EVERYTHING_W

    @property
    def forced(self) -> bool:
        """True when a command decides."""
        return self.order is not None


def decide(bank: Bank, profile: Profile, sight: Sight) -> Wish:
    """The wish of the mode in force."""
    code = bank.raw(profile.family.mode_register)
    if code == PASSIVE:
        return _watts(bank, profile) if profile.family.watts else _passive(bank, profile, sight)
    if code == TIME_OF_USE:
        return _time_of_use(bank, profile, sight)
    return _backup(bank, profile, sight) if code == BACKUP else self_use(code, sight)


def self_use(code: int, sight: Sight) -> Wish:
    """Surplus into the battery, the house out of it; without a meter there is nothing to regulate by."""
    return Wish(NAMES.get(code, "self_use"), code, sight.deficit_w if sight.meter_online else 0.0)


def permille_w(bank: Bank, name: str, profile: Profile) -> float:
    """A limit in watts; its maximum stands for none."""
    return EVERYTHING_W if bank.raw(name) >= UNLIMITED else setpoint_w(bank, name, profile)


def setpoint_w(bank: Bank, name: str, profile: Profile) -> float:
    """A per-mille register in watts."""
    return bank.raw(name) / 1000 * profile.model.rated_w


def _passive(bank: Bank, profile: Profile, sight: Sight) -> Wish:
    """0x3636 chooses the direction; 0 is standby. Charging is exact, discharging follows the load."""
    enable = bank.raw("passive_enable")
    charge_w = setpoint_w(bank, "passive_battery_charge_power", profile)
    discharge_w = setpoint_w(bank, "passive_battery_discharge_power", profile)
    order, battery_w = ("passive", enable, 0.0), 0.0
    if enable == profile.family.charge_code:
        order, battery_w = ("passive", enable, charge_w), -charge_w
    elif enable == profile.family.discharge_code:
        exact = profile.traits.exact_discharge
        order = ("passive", enable, discharge_w)
        battery_w = discharge_w if exact else _following_w(discharge_w, profile, sight)
    wish = Wish(
        "passive", PASSIVE, battery_w, order, export_w=permille_w(bank, "passive_grid_discharge_power", profile)
    )
    if profile.traits.import_ceiling:
        return replace(wish, import_w=permille_w(bank, "passive_grid_charge_power", profile))
    return wish


def _following_w(most_w: float, profile: Profile, sight: Sight) -> float:
    """The house and a small surplus, never more than was asked for."""
    deficit_w = sight.deficit_w if sight.meter_online else 0.0
    return max(0.0, min(most_w, deficit_w + profile.traits.push_w))


def _watts(bank: Bank, profile: Profile) -> Wish:
    """The H1: the other polarity of 0x3636, and watts."""
    enable = bank.raw("passive_enable")
    powers_w = {
        profile.family.charge_code: -float(bank.raw("passive_grid_charge_power")),
        profile.family.discharge_code: float(bank.raw("passive_grid_discharge_power")),
    }
    battery_w = powers_w.get(enable, 0.0)
    return Wish("passive", PASSIVE, battery_w, ("passive", enable, battery_w))


def _time_of_use(bank: Bank, profile: Profile, sight: Sight) -> Wish:
    slot = slots.active(bank, sight.clock)
    if slot is None:
        idle = Wish("time_of_use", TIME_OF_USE, 0.0)
        return self_use(TIME_OF_USE, sight) if bank.raw("tou_outside_behaviour") else idle
    rate_w = slot.percent / 100 * profile.model.rated_w
    battery_w = -_charging_w(rate_w) if slot.charge else _discharging_w(bank, profile, sight, rate_w)
    return Wish("time_of_use", TIME_OF_USE, battery_w, ("slot", slot.charge, rate_w))


def _charging_w(rate_w: float) -> float:
    return rate_w if rate_w > 0 else float(facts()["control"]["zero_slot_w"])


def _discharging_w(bank: Bank, profile: Profile, sight: Sight, rate_w: float) -> float:
    house_w = max(0.0, sight.deficit_w)
    wanted_w = {
        LOAD_FOLLOWING: _following_w(rate_w, profile, sight),
        BEYOND_LOAD: rate_w + house_w,
    }.get(profile.slot_discharge, rate_w)
    return wanted_w if bank.raw("tou_battery_to_grid") else min(wanted_w, house_w)


def _backup(bank: Bank, profile: Profile, sight: Sight) -> Wish:
    """Below the reserve at full rate, from the grid too; at it nothing is taken out."""
    own, reserve_pct = self_use(BACKUP, sight), bank.number("backup_soc_reserve")
    if sight.soc_pct < reserve_pct - _RESERVE_BAND_PCT:
        return replace(own, battery_w=-profile.model.rated_w)
    if sight.soc_pct <= reserve_pct + _RESERVE_BAND_PCT:
        return replace(own, battery_w=min(0.0, own.battery_w))
    return own
