"""The control port's view of the device: its part of ``GET /state``, and its keys of ``POST /set``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

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
    setters: dict[str, Callable[[object], None]] = {
        "faults": device.faults.replace,
        "meter_online": lambda on: device.misbehaviours.set("meter_offline", not _flag(key, on), {}),
        "working_mode": lambda mode: setattr(device, "set_working_mode", _working_mode(mode)),
        "charge_current_limit_a": lambda amperes: setattr(device.bms, "charge_a", _or_own(key, amperes)),
        "discharge_current_limit_a": lambda amperes: setattr(device.bms, "discharge_a", _or_own(key, amperes)),
        "locked_out": lambda on: setattr(protection, "locked_out", _flag(key, on)),
        "bms_tripped": lambda on: setattr(protection, "tripped", _flag(key, on)),
        "clock_offset_s": lambda number: setattr(device, key, _within(key, number, -1e6, 1e6)),
        "grid_frequency_hz": lambda number: setattr(device, key, _within(key, number, 45, 55)),
        "grid_voltage_v": lambda number: setattr(device, key, _within(key, number, 0, 300)),
    }
    if key not in setters:
        return False
    setters[key](value)
    return True


def _or_own(key: str, value: object) -> float | None:
    return None if value is None else _within(key, value, 0, _MOST_A)


def _working_mode(value: object) -> int | None:
    if value is not None and (isinstance(value, bool) or value not in _WORKING_MODES):
        raise OptionError(f"working_mode wants 0..9 or null, not {value!r}")
    return None if value is None else int(str(value))


def _flag(key: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise OptionError(f"{key} wants true or false, not {value!r}")
    return value


def _within(key: str, value: object, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise OptionError(f"{key} wants a number in {low}..{high}, not {value!r}")
    return float(value)
