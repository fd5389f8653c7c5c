"""The control port's view of the device: its part of ``GET /state``, and its keys of ``POST /set``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from samspel_sim import wanted
from samspel_sim.behaviour import OptionError

from samspel_saj.twin.equipment import is_setting

if TYPE_CHECKING:
    from samspel_saj.twin.device import H2

_WORKING_MODES = range(10)
_MOST_A = 200.0


def state(device: H2) -> dict[str, object]:
    """Mode, faults, what is locked, and control registers."""
    charge_w, discharge_w = device.ceilings_w
    return {
        "mode": device.wish.mode,
        "mode_code": device.wish.code,
        "forced": device.wish.forced,
        "working_mode": device.working_mode,
        "locked_out": device.protection.locked_out,
        "bms_tripped": device.protection.tripped,
        "rated_power_w": device.profile.model.rated_w,
        "max_charge_power_w": charge_w,
        "max_discharge_power_w": discharge_w,
        "running": device.powered,
        "meter_online": device.meter_online,
        "faults": device.faults.active,
        "settings_serial": device.settings_serial,
        "energy_cleared": bool(device.energy_base_wh),
        "factory_resets": device.factory_resets,
        "clock": device.clock.isoformat(),
        "registers": {row.name: device.bank.raw(row.name) for row in device.bank.table if is_setting(row)},
    }


def apply(device: H2, key: str, value: object) -> bool:
    """Take one key; False if it is none of these. OptionError for a bad value."""
    protection = device.protection
    setters: wanted.Setters = {
        "faults": device.faults.replace,
        "meter_online": lambda on: device.misbehaviours.set("meter_offline", not wanted.flag(key, on), {}),
        "working_mode": lambda mode: setattr(device, "set_working_mode", _working_mode(mode)),
        "charge_current_limit_a": lambda amperes: setattr(device.bms, "charge_a", _or_own(key, amperes)),
        "discharge_current_limit_a": lambda amperes: setattr(device.bms, "discharge_a", _or_own(key, amperes)),
        "locked_out": lambda on: setattr(protection, "locked_out", wanted.flag(key, on)),
        "bms_tripped": lambda on: setattr(protection, "tripped", wanted.flag(key, on)),
        "clock_offset_s": lambda found: setattr(device, key, wanted.number(key, found, -1e6, 1e6)),
        "grid_frequency_hz": lambda found: setattr(device, key, wanted.number(key, found, 45, 55)),
        "grid_voltage_v": lambda found: setattr(device, key, wanted.number(key, found, 0, 300)),
    }
    return wanted.apply(setters, key, value)


def _or_own(key: str, value: object) -> float | None:
    return None if value is None else wanted.number(key, value, 0, _MOST_A)


def _working_mode(value: object) -> int | None:
    if value is not None and (isinstance(value, bool) or value not in _WORKING_MODES):
        raise OptionError(f"working_mode wants 0..9 or null, not {value!r}")
    return None if value is None else int(str(value))
