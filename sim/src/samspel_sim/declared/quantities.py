"""The closed list of what a register of a declared twin can show, each with its unit and direction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from samspel_sim.physics import Home

__all__ = ["AXES", "POWER_UNITS", "QUANTITIES", "STATES", "Moment", "Quantity", "unit_factor"]

AXES: Mapping[str, str] = {
    "discharging": "charging",
    "import": "export",
    "to_ac": "from_ac",
}
"""What a positive number means, as the physics have it, and its opposite."""

_MOVING_W = 50.0


@dataclass(frozen=True, slots=True)
class Moment:
    """What a device knows about itself at one moment. Powers in W, all magnitudes but those in `home`."""

    home: Home
    rated_w: float
    charge_limit_w: float
    discharge_limit_w: float
    battery_v: float
    grid_v: float
    grid_hz: float
    meter_online: bool
    asleep: bool
    faulty: bool


@dataclass(frozen=True, slots=True)
class Quantity:
    """`axis` is what a positive number means, or empty where it has no direction."""

    unit: str
    of: Callable[[Moment], float]
    axis: str = ""
    metered: bool = False
    """Whether it comes from the grid meter, and is lost with it."""


def _grid(of: Callable[[Moment], float], unit: str = "W") -> Quantity:
    return Quantity(unit, of, "import", metered=True)


def _battery_a(now: Moment) -> float:
    return now.home.flows.battery_w / now.battery_v


QUANTITIES: Mapping[str, Quantity] = {
    "battery_power_w": Quantity("W", lambda now: now.home.flows.battery_w, "discharging"),
    "battery_current_a": Quantity("A", _battery_a, "discharging"),
    "battery_voltage_v": Quantity("V", lambda now: now.battery_v),
    "battery_temperature_c": Quantity("degC", lambda now: now.home.battery.temperature_c),
    "battery_capacity_wh": Quantity("Wh", lambda now: now.home.battery.capacity_wh),
    "soc_pct": Quantity("%", lambda now: now.home.battery.soc_pct),
    "charge_limit_w": Quantity("W", lambda now: now.charge_limit_w),
    "discharge_limit_w": Quantity("W", lambda now: now.discharge_limit_w),
    "charge_limit_a": Quantity("A", lambda now: now.charge_limit_w / now.battery_v),
    "discharge_limit_a": Quantity("A", lambda now: now.discharge_limit_w / now.battery_v),
    "pv_power_w": Quantity("W", lambda now: now.home.flows.pv_w),
    "ac_power_w": Quantity("W", lambda now: now.home.flows.ac_w, "to_ac"),
    "load_power_w": Quantity("W", lambda now: now.home.flows.load_w),
    "rated_power_w": Quantity("W", lambda now: now.rated_w),
    "max_ac_power_w": Quantity("W", lambda now: now.home.ac_limit_w),
    "inverter_temperature_c": Quantity("degC", lambda now: 30 + abs(now.home.flows.ac_w) / 500),
    "grid_power_w": _grid(lambda now: now.home.flows.grid_w),
    "grid_power_l1_w": _grid(lambda now: now.home.flows.grid_w / 3),
    "grid_power_l2_w": _grid(lambda now: now.home.flows.grid_w / 3),
    "grid_power_l3_w": _grid(lambda now: now.home.flows.grid_w / 3),
    "grid_current_l1_a": _grid(lambda now: now.home.flows.grid_w / 3 / now.grid_v, "A"),
    "grid_current_l2_a": _grid(lambda now: now.home.flows.grid_w / 3 / now.grid_v, "A"),
    "grid_current_l3_a": _grid(lambda now: now.home.flows.grid_w / 3 / now.grid_v, "A"),
    "grid_voltage_l1_v": Quantity("V", lambda now: now.grid_v),
    "grid_voltage_l2_v": Quantity("V", lambda now: now.grid_v),
    "grid_voltage_l3_v": Quantity("V", lambda now: now.grid_v),
    "grid_frequency_hz": Quantity("Hz", lambda now: now.grid_hz),
    "meter_online": Quantity("", lambda now: float(now.meter_online)),
    "battery_charged_wh": Quantity("Wh", lambda now: now.home.battery.charged_wh),
    "battery_discharged_wh": Quantity("Wh", lambda now: now.home.battery.discharged_wh),
    "battery_charged_today_wh": Quantity("Wh", lambda now: now.home.battery.charged_wh),
    "battery_discharged_today_wh": Quantity("Wh", lambda now: now.home.battery.discharged_wh),
    "grid_imported_wh": Quantity("Wh", lambda now: now.home.counters.import_wh, metered=True),
    "grid_exported_wh": Quantity("Wh", lambda now: now.home.counters.export_wh, metered=True),
    "pv_energy_wh": Quantity("Wh", lambda now: now.home.counters.pv_wh),
}


def _battery_words(now: Moment) -> tuple[str, ...]:
    """The most particular word first; a device without one for it shows the next."""
    if now.faulty:
        return ("fault", "offline")
    if now.asleep:
        return ("sleep", "standby")
    if now.home.flows.battery_w > _MOVING_W:
        return ("discharging", "running")
    return ("charging", "running") if now.home.flows.battery_w < -_MOVING_W else ("standby",)


def _inverter_words(now: Moment) -> tuple[str, ...]:
    return ("standby", "on_grid") if now.asleep else ("on_grid",)


STATES: Mapping[str, tuple[Callable[[Moment], tuple[str, ...]], frozenset[str]]] = {
    "battery_state": (
        _battery_words,
        frozenset({"offline", "standby", "running", "charging", "discharging", "fault", "sleep"}),
    ),
    "inverter_state": (
        _inverter_words,
        frozenset({"standby", "starting", "on_grid", "derated", "off_grid", "off", "fault", "other"}),
    ),
}
"""States as words, and the words that there are; `codes` in twin.toml turns them into the device's numbers."""

_FACTORS = {
    ("W", "kW"): 1e-3,
    ("Wh", "kWh"): 1e-3,
    ("Wh", "MWh"): 1e-6,
    ("A", "mA"): 1e3,
    ("V", "mV"): 1e3,
    ("Hz", "mHz"): 1e3,
    ("degC", "°C"): 1.0,
    ("degC", "C"): 1.0,
}

POWER_UNITS = ("W", "kW", "%", "‰")
"""Units of a register that commands a power: watts, or a share of the model's `rated_w`."""


def unit_factor(unit: str, register_unit: str) -> float | None:
    """What a value in `unit` is multiplied with to be in the register's; None where the two do not fit."""
    return 1.0 if register_unit in {unit, ""} else _FACTORS.get((unit, register_unit))
