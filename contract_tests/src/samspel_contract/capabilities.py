"""What a driver may or may not have, and what its data says about it.

The list is closed: `contract.toml` names every one of them, and what it says is held against manifest and map.
"""

from __future__ import annotations

from enum import StrEnum

from samspel.contract.capability import Deadman, Direction
from samspel.driver.manifest import Manifest
from samspel.registers.model import RegisterMap

__all__ = ["Capability", "present", "signals_of"]


class Capability(StrEnum):
    """One thing that a user of the driver can rely on."""

    BATTERY_POWER = "battery_power"
    STATE_OF_CHARGE = "state_of_charge"
    GRID_POWER = "grid_power"
    PV_POWER = "pv_power"
    AC_POWER = "ac_power"
    LOAD_POWER = "load_power"
    PHASE_POWER = "phase_power"
    GRID_FREQUENCY = "grid_frequency"
    LIVE_LIMITS = "live_limits"
    BATTERY_TEMPERATURE = "battery_temperature"
    ENERGY_COUNTERS = "energy_counters"
    FAULTS = "faults"
    CHARGE = "charge"
    DISCHARGE = "discharge"
    HELD_ZERO = "held_zero"
    DEVICE_TIMER = "device_timer"
    WAKE = "wake"
    LOGIN = "login"


_SIGNALS = {
    Capability.BATTERY_POWER: ("battery_power_w",),
    Capability.STATE_OF_CHARGE: ("soc_pct",),
    Capability.GRID_POWER: ("grid_power_w",),
    Capability.PV_POWER: ("pv_power_w",),
    Capability.AC_POWER: ("ac_power_w",),
    Capability.LOAD_POWER: ("load_power_w",),
    Capability.PHASE_POWER: ("grid_power_l1_w", "grid_power_l2_w", "grid_power_l3_w"),
    Capability.GRID_FREQUENCY: ("grid_frequency_hz",),
    Capability.LIVE_LIMITS: ("charge_limit_w", "discharge_limit_w"),
    Capability.BATTERY_TEMPERATURE: ("battery_temperature_c",),
    Capability.ENERGY_COUNTERS: ("battery_charged_wh", "battery_discharged_wh"),
}
_DIRECTIONS = {
    Capability.CHARGE: Direction.CHARGE,
    Capability.DISCHARGE: Direction.DISCHARGE,
    Capability.HELD_ZERO: Direction.ZERO,
}


def signals_of(capability: Capability) -> tuple[str, ...]:
    """The signals that make up a capability; none for what is not about telemetry."""
    return _SIGNALS.get(capability, ())


def present(capability: Capability, manifest: Manifest, registers: RegisterMap) -> bool:
    """Whether the driver's data has it."""
    if capability in _SIGNALS:
        return all(registers.signal(name) is not None for name in _SIGNALS[capability])
    routes = [route for rule in manifest.capabilities for route, _ in rule.routes]
    if capability in _DIRECTIONS:
        return any(route.direction is _DIRECTIONS[capability] for route in routes)
    return {
        Capability.FAULTS: bool(manifest.faults.rows),
        Capability.DEVICE_TIMER: any(route.deadman is Deadman.TIMEOUT for route in routes),
        Capability.WAKE: bool(registers.sequences["wake"]),
        Capability.LOGIN: any(path.session for path in manifest.paths.values()),
    }[capability]
