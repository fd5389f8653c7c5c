"""What the signals should say: read from the simulated home itself, not from any register."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from samspel_sim.physics import Home

__all__ = ["COUNTERS", "SCENES", "TRUTHS", "Scene", "Truth"]

VOLTS = 230.0


@dataclass(frozen=True, slots=True)
class Truth:
    """`of` gives the true value; a reading may differ by `share` of it plus `tolerance`, in the signal's unit."""

    of: Callable[[Home], float]
    tolerance: float
    share: float = 0.0
    signed: bool = False

    def allows(self, value: float, home: Home) -> bool:
        """Whether a reading is right."""
        true = self.of(home)
        return abs(value - true) <= self.tolerance + self.share * abs(true)


def _third_of_grid_w(home: Home) -> float:
    """Every twin spreads the home evenly over its phases."""
    return home.flows.grid_w / 3


def _third_of_grid_a(home: Home) -> float:
    return home.flows.grid_w / 3 / VOLTS


TRUTHS: Mapping[str, Truth] = {
    "battery_power_w": Truth(lambda home: home.flows.battery_w, 20, 0.01, signed=True),
    "grid_power_w": Truth(lambda home: home.flows.grid_w, 20, 0.01, signed=True),
    "ac_power_w": Truth(lambda home: home.flows.ac_w, 20, 0.01),
    "pv_power_w": Truth(lambda home: home.flows.pv_w, 20, 0.01),
    "load_power_w": Truth(lambda home: home.flows.load_w, 20, 0.01),
    "soc_pct": Truth(lambda home: home.battery.soc_pct, 0.6),
    "battery_temperature_c": Truth(lambda home: home.battery.temperature_c, 1.0),
    "battery_capacity_wh": Truth(lambda home: home.battery.capacity_wh, 100),
    "grid_power_l1_w": Truth(_third_of_grid_w, 20, 0.01, signed=True),
    "grid_power_l2_w": Truth(_third_of_grid_w, 20, 0.01, signed=True),
    "grid_power_l3_w": Truth(_third_of_grid_w, 20, 0.01, signed=True),
    "grid_current_l1_a": Truth(_third_of_grid_a, 0.2, 0.1, signed=True),
    "grid_current_l2_a": Truth(_third_of_grid_a, 0.2, 0.1, signed=True),
    "grid_current_l3_a": Truth(_third_of_grid_a, 0.2, 0.1, signed=True),
}
"""Signals whose truth is physics that every twin has."""

COUNTERS: Mapping[str, Callable[[Home], float]] = {
    "battery_charged_wh": lambda home: home.battery.charged_wh,
    "battery_discharged_wh": lambda home: home.battery.discharged_wh,
    "battery_charged_today_wh": lambda home: home.battery.charged_wh,
    "battery_discharged_today_wh": lambda home: home.battery.discharged_wh,
    "grid_imported_wh": lambda home: home.counters.import_wh,
    "grid_exported_wh": lambda home: home.counters.export_wh,
    "pv_energy_wh": lambda home: home.counters.pv_wh,
}
"""Energy counters: their growth is compared, since a device may have counted before."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A home left to its own logic; powers in W, charge in %."""

    name: str
    pv_w: float
    load_w: float
    soc_pct: float


SCENES = (
    Scene("sunny: the battery charges", pv_w=3000, load_w=400, soc_pct=40),
    Scene("evening: the battery discharges", pv_w=0, load_w=2000, soc_pct=60),
    Scene("empty: the house imports", pv_w=0, load_w=3000, soc_pct=0),
    Scene("full: the house exports", pv_w=3000, load_w=400, soc_pct=100),
)
"""Together they show both directions of battery and grid."""
