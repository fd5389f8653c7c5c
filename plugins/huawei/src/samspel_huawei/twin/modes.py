"""Who decides the battery's power: forcible command, calibration, or the inverter's own modes.

Pure functions of the registers and of what the device sees. Powers are in the contract's sign:
positive discharges.
"""

from __future__ import annotations

from dataclasses import dataclass

from samspel_sim.bank import Bank

from samspel_huawei.twin.forcible import STOP, Forcible
from samspel_huawei.twin.profile import Firmware, facts

# Register 37006 (in force) by register 47086 (setting) and by 47589 (remote): different numbers on purpose.
IN_FORCE = {
    0: ("adaptive", 0),
    1: ("fixed", 3),
    2: ("max_self_consumption", 4),
    3: ("time_of_use_lg", 2),
    4: ("fully_fed_to_grid", 5),
    5: ("time_of_use", 6),
}
REMOTE = {
    1: ("remote_self_consumption", 7),
    2: ("remote_full_feed", 8),
    3: ("remote_time_of_use", 9),
    4: ("remote_ai", 11),
    5: ("third_party_scheduling", 12),
}
_FULL_FEED, _TIME_OF_USE = {"fully_fed_to_grid", "remote_full_feed"}, {"time_of_use", "remote_time_of_use"}
_EVERYTHING_W = 1e6


@dataclass(frozen=True, slots=True)
class Sight:
    """What the device sees at the moment it decides."""

    pv_available_w: float
    load_w: float
    soc_pct: float
    minute_of_day: float
    weekday: int
    meter_online: bool


@dataclass(frozen=True, slots=True)
class Wish:
    """What the mode in force wants, before any limit. ``forced``: a command, not the own regulation."""

    mode: str
    code: int
    battery_w: float
    pv_ceiling_w: float = _EVERYTHING_W
    forced: bool = False


def decide(bank: Bank, firmware: Firmware, forcible: Forcible, sight: Sight) -> Wish:
    """The wish of the mode in force: forcible wins, then remote modes, then the setting 47086."""
    if forcible.direction != STOP:
        return _forced(bank, firmware, forcible, sight)
    remote = REMOTE.get(bank.raw("remote_charge_discharge_mode"))
    mode, code = remote or IN_FORCE.get(bank.raw("storage_working_mode_setting"), IN_FORCE[2])
    return Wish(mode, code, _own_battery_w(bank, mode, sight))


def _forced(bank: Bank, firmware: Firmware, forcible: Forcible, sight: Sight) -> Wish:
    battery_w = forcible.battery_w
    if firmware.needs_grid_charge and not bank.raw("charge_from_grid_enable"):
        battery_w = max(battery_w, -sight.pv_available_w)
    ceiling_w = _pv_ceiling_w(battery_w) if _ceiling_in_force(bank, firmware) else _EVERYTHING_W
    return Wish("forcible", 1, battery_w, ceiling_w, forced=True)


def _ceiling_in_force(bank: Bank, firmware: Firmware) -> bool:
    lifted = firmware.feed_limit_lifts_ceiling and (
        bank.number("max_feed_grid_power_percent") >= 100
        or bank.number("max_feed_grid_power_w") >= bank.number("max_active_power")
    )
    return firmware.ceiling and not lifted


def _pv_ceiling_w(battery_w: float) -> float:
    """A forcible command is a ceiling on the whole inverter: what it leaves to the panels."""
    ceiling = facts()["ceiling"]
    if battery_w > 0:
        return 0.0
    return max(float(ceiling["hold_floor_w"]), float(ceiling["share"]) * -battery_w)


def _own_battery_w(bank: Bank, mode: str, sight: Sight) -> float:
    if sight.soc_pct < bank.number("backup_soc") - 0.5:
        return -bank.number("grid_charge_power")  # refills the backup reserve even with 47087 = 0
    if mode in _FULL_FEED:
        return _EVERYTHING_W
    if not sight.meter_online or mode == "fixed":
        return 0.0
    balance_w = sight.load_w - sight.pv_available_w
    return _time_of_use_w(bank, balance_w, sight) if mode in _TIME_OF_USE else balance_w


def _time_of_use_w(bank: Bank, balance_w: float, sight: Sight) -> float:
    """Charge periods charge, discharge periods regulate; between them 47299 says where surplus goes."""
    period = _active_period(bank, sight)
    if period == "discharge":
        return balance_w
    if (
        period == "charge"
        and bank.raw("charge_from_grid_enable")
        and sight.soc_pct < bank.number("grid_charge_cutoff_soc")
    ):
        return min(balance_w, -bank.number("grid_charge_power"))
    store = period == "charge" or bank.raw("tou_excess_pv") == 1
    return min(0.0, balance_w) if store else 0.0


def _active_period(bank: Bank, sight: Sight) -> str | None:
    count, *words = bank.words("tou_periods")
    for place in range(min(count, 14)):
        start, end, flags = words[3 * place : 3 * place + 3]
        if start <= sight.minute_of_day < end and flags >> sight.weekday & 1:
            return "discharge" if flags >> 8 else "charge"
    return None
