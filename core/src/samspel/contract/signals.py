"""The closed list of signals that go upward, each with unit, direction of the positive sign and meaning.

A register map fills what its device has; nothing outside this list is ever published.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["SIGNALS", "Positive", "SignalSpec"]


class Positive(StrEnum):
    """What a positive number means, for signals that have a direction."""

    DISCHARGING = "discharging"
    CHARGING = "charging"
    IMPORT = "import"
    EXPORT = "export"
    TO_AC = "to_ac"
    FROM_AC = "from_ac"
    NONE = "none"

    @property
    def opposite(self) -> Positive:
        """The same axis, seen from the other end."""
        return _OPPOSITE[self]


_OPPOSITE = {
    Positive.DISCHARGING: Positive.CHARGING,
    Positive.CHARGING: Positive.DISCHARGING,
    Positive.IMPORT: Positive.EXPORT,
    Positive.EXPORT: Positive.IMPORT,
    Positive.TO_AC: Positive.FROM_AC,
    Positive.FROM_AC: Positive.TO_AC,
    Positive.NONE: Positive.NONE,
}


@dataclass(frozen=True, slots=True)
class SignalSpec:
    """Name, unit, sign and meaning of one signal. `group` is how often it matters: fast, slow or static."""

    name: str
    unit: str
    positive: Positive
    group: str
    meaning: str


_TABLE = (
    (
        "battery_power_w",
        "W",
        Positive.DISCHARGING,
        "fast",
        "power at the battery terminal, all units together",
    ),
    ("soc_pct", "%", Positive.NONE, "fast", "true state of charge over all units"),
    ("grid_power_w", "W", Positive.IMPORT, "fast", "power at the grid connection point"),
    ("pv_power_w", "W", Positive.NONE, "fast", "DC power from the photovoltaic strings"),
    ("ac_power_w", "W", Positive.TO_AC, "fast", "active power at the inverter's AC terminal"),
    ("load_power_w", "W", Positive.NONE, "fast", "the household's consumption, where the device states it"),
    ("charge_limit_w", "W", Positive.NONE, "fast", "charging power the battery allows now"),
    ("discharge_limit_w", "W", Positive.NONE, "fast", "discharging power the battery allows now"),
    ("grid_frequency_hz", "Hz", Positive.NONE, "fast", "grid frequency as the device measures it"),
    ("grid_power_l1_w", "W", Positive.IMPORT, "fast", "grid power of phase 1"),
    ("grid_power_l2_w", "W", Positive.IMPORT, "fast", "grid power of phase 2"),
    ("grid_power_l3_w", "W", Positive.IMPORT, "fast", "grid power of phase 3"),
    ("grid_voltage_l1_v", "V", Positive.NONE, "slow", "phase 1 voltage"),
    ("grid_voltage_l2_v", "V", Positive.NONE, "slow", "phase 2 voltage"),
    ("grid_voltage_l3_v", "V", Positive.NONE, "slow", "phase 3 voltage"),
    ("grid_current_l1_a", "A", Positive.IMPORT, "fast", "grid current of phase 1"),
    ("grid_current_l2_a", "A", Positive.IMPORT, "fast", "grid current of phase 2"),
    ("grid_current_l3_a", "A", Positive.IMPORT, "fast", "grid current of phase 3"),
    ("battery_voltage_v", "V", Positive.NONE, "slow", "battery bus voltage"),
    ("battery_current_a", "A", Positive.DISCHARGING, "slow", "battery bus current"),
    ("battery_temperature_c", "degC", Positive.NONE, "slow", "battery temperature"),
    ("inverter_temperature_c", "degC", Positive.NONE, "slow", "inverter temperature"),
    ("battery_state", "", Positive.NONE, "fast", "offline, standby, running, fault or sleep"),
    (
        "inverter_state",
        "",
        Positive.NONE,
        "fast",
        "standby, starting, on_grid, derated, off_grid, off, fault or other",
    ),
    ("meter_online", "", Positive.NONE, "fast", "1 while the grid meter answers, else 0"),
    ("soc_floor_pct", "%", Positive.NONE, "slow", "end-of-discharge state of charge in force"),
    ("soc_ceiling_pct", "%", Positive.NONE, "slow", "end-of-charge state of charge in force"),
    ("battery_capacity_wh", "Wh", Positive.NONE, "slow", "rated energy of all units"),
    ("rated_power_w", "W", Positive.NONE, "static", "nameplate active power of the inverter"),
    ("max_ac_power_w", "W", Positive.NONE, "static", "AC ceiling that the inverter enforces"),
    ("battery_charged_wh", "Wh", Positive.NONE, "slow", "lifetime energy charged"),
    ("battery_discharged_wh", "Wh", Positive.NONE, "slow", "lifetime energy discharged"),
    ("battery_charged_today_wh", "Wh", Positive.NONE, "slow", "energy charged today"),
    ("battery_discharged_today_wh", "Wh", Positive.NONE, "slow", "energy discharged today"),
    ("grid_imported_wh", "Wh", Positive.NONE, "slow", "lifetime energy taken from the grid"),
    ("grid_exported_wh", "Wh", Positive.NONE, "slow", "lifetime energy fed to the grid"),
    ("pv_energy_wh", "Wh", Positive.NONE, "slow", "lifetime photovoltaic energy"),
)

SIGNALS: dict[str, SignalSpec] = {row[0]: SignalSpec(*row) for row in _TABLE}
