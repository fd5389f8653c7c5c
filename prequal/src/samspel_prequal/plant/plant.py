"""The toy plant: answers any signal, keeps its reservoir, and is simulated exactly.

Without energy management one block is the whole signal; with it a block is one second, since NEM and AEM look at the
reservoir once a second.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from samspel_prequal import rules
from samspel_prequal.errors import PlantError
from samspel_prequal.logs import columns
from samspel_prequal.logs.columns import header_for
from samspel_prequal.plant.chain import Chain
from samspel_prequal.plant.energy import EnergyManagement, EnergyState, endurance_min
from samspel_prequal.plant.grid import GridFrequency
from samspel_prequal.plant.settings import PlantSettings
from samspel_prequal.player import Samples
from samspel_prequal.product import Product
from samspel_prequal.signals.energy import EnergyDrive
from samspel_prequal.signals.signal import FloatArray, Signal

__all__ = ["ToyPlant"]

_REST: Final = EnergyState(0, 0.0, aem_low=False, aem_high=False, nem_due=False, reference_hz=float("nan"))


class ToyPlant:
    """A player that answers by itself; one plant lives through one test and starts at rest.

    Args:
        settings: what it is like.
        seed: of the measurement noise and of the grid that it measures beside the test signal.
        synthetic_grid: whether GridFreq is a wandering grid; a live-like log has one, most tests do without.
    """

    def __init__(self, settings: PlantSettings, seed: int = 1, *, synthetic_grid: bool = False) -> None:
        self.settings = settings
        self._random = np.random.default_rng(seed)
        self._grid = GridFrequency(seed) if synthetic_grid else None
        self._stored_h = settings.energy_h * settings.start_soc if settings.limited else float("inf")

    def play(self, signal: Signal, rate_hz: float) -> Iterator[Samples]:
        """Answer a signal from start to end."""
        chain = Chain(self.settings, rate_hz, self._random)
        grid_hz = self._measured_grid(signal, rate_hz)
        if not self.settings.limited:
            yield chain.block(signal, 0, len(grid_hz), None, grid_hz)
            return
        management = self._management()
        per_second = _samples_a_second(rate_hz)
        for first in range(0, len(grid_hz), per_second):
            count = min(per_second, len(grid_hz) - first)
            yield self._second(chain, signal, management, first, count, grid_hz[first : first + count])[0]

    def drive(self, drive: EnergyDrive, rate_hz: float) -> Iterator[Samples]:
        """Answer a flag-driven sequence until it is done; a plant without a limit has no flags and cannot."""
        if not self.settings.limited:
            raise PlantError("an energy-management test needs a limited reservoir: give the plant a store")
        chain, management = Chain(self.settings, rate_hz, self._random), self._management()
        trace = _Played(drive.frequency_hz)
        per_second = _samples_a_second(rate_hz)
        second = 0
        state = _REST
        while not drive.done:
            trace.add(float(second), drive.tell(float(second), state.flags))
            grid_hz = np.full(per_second, rules.NOMINAL_HZ)
            samples, state = self._second(chain, trace, management, second * per_second, per_second, grid_hz)
            yield samples
            second += 1

    def _management(self) -> EnergyManagement:
        chosen = self.settings
        return EnergyManagement(chosen.product, chosen.energy_h, chosen.energy_thresholds)

    def _measured_grid(self, signal: Signal, rate_hz: float) -> FloatArray:
        if self._grid is not None:
            return self._grid.sample(signal.duration_s, rate_hz)
        return np.full(round(signal.duration_s * rate_hz), rules.NOMINAL_HZ)

    def _second(
        self,
        chain: Chain,
        source: Signal | _Played,
        management: EnergyManagement,
        first: int,
        count: int,
        grid_hz: FloatArray,
    ) -> tuple[Samples, EnergyState]:
        settings = self.settings
        soc = self._stored_h / settings.energy_h
        state = management.second(chain.measured_hz(source, first), soc)
        samples = chain.block(source, first, count, state, grid_hz)
        added = _energy_columns(settings, state, soc, count)
        used_h = float(samples.values[columns.POWER].mean()) / settings.capacity_w * count / (chain.rate_hz * 3600)
        self._stored_h = min(max(self._stored_h - used_h, 0.0), settings.energy_h)
        return Samples(samples.time_s, {**samples.values, **added}), state


class _Played:
    """What a flag-driven sequence has applied so far, as something that can be asked for any past instant."""

    def __init__(self, initial_hz: float) -> None:
        self._times = [0.0]
        self._values = [initial_hz]

    def add(self, time_s: float, value_hz: float) -> None:
        if value_hz != self._values[-1]:
            self._times.append(time_s)
            self._values.append(value_hz)

    def at(self, time_s: FloatArray) -> FloatArray:
        places = np.searchsorted(self._times, time_s, side="right") - 1
        return np.asarray(self._values, dtype=np.float64)[np.maximum(places, 0)]


def _samples_a_second(rate_hz: float) -> int:
    if rate_hz < 1 or rate_hz != round(rate_hz):
        raise PlantError(
            f"energy management runs once a second: the rate must be a whole number of hertz, not {rate_hz:g}"
        )
    return round(rate_hz)


def _energy_columns(settings: PlantSettings, state: EnergyState, soc: float, count: int) -> dict[str, FloatArray]:
    """What a LER entity reports besides, the same through one second."""
    nem = settings.nem_power_share * state.nem_level  # in capacities
    report = {
        header_for("ResSize", settings.product): _endurance_min(settings, state, soc, nem),
        header_for("NEM_MW", settings.product): nem * settings.capacity_w,
        header_for("NEM", settings.product): float(state.nem_allowed != 0),
        header_for("AEM", settings.product): float(state.aem_on),
        columns.STATE_OF_CHARGE: 100.0 * soc,
        columns.BASELINE: settings.baseline_w + nem * settings.capacity_w,
    }
    return {header: np.full(count, value) for header, value in report.items()}


def _endurance_min(settings: PlantSettings, state: EnergyState, soc: float, nem: float) -> float:
    """TR eq. 27 and 28, with P_setpoint being NEM's power; 0 in the direction of AEM."""
    up = 0.0 if state.aem_low else endurance_min(settings.energy_h * soc, nem + 1.0)
    down = 0.0 if state.aem_high else endurance_min(settings.energy_h * (1.0 - soc), 1.0 - nem)
    return {Product.FCR_N: min(up, down), Product.FCR_D_UP: up, Product.FCR_D_DOWN: down}[settings.product]
