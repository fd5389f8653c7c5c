"""The registers that a command changes on the usual home's device, in its twin's own words."""

from __future__ import annotations

from samspel_sim.twin import Twin

OWNED = (
    "forcible_charge_power",
    "forcible_discharge_power",
    "forced_period",
    "forcible_mode",
    "forcible_command",
    "storage_max_charging_power",
    "storage_max_discharging_power",
)
HELD_ZERO = {"forcible_command": 0, "storage_max_charging_power": 0, "storage_max_discharging_power": 0}


def registers(twin: Twin) -> dict[str, int]:
    """Straight from the twin's memory."""
    twin.advance()
    return {name: twin.behaviour.bank.raw(name) for name in OWNED}
