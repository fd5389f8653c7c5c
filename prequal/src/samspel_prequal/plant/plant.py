"""The toy plant: answers any signal, keeps its reservoir, and is simulated exactly.

NEM and AEM look at the reservoir once a second, and the reservoir at the power: with energy management the simulation
goes second by second, without it the whole signal is one block.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from samspel_prequal import rules
from samspel_prequal.errors import PlantError
from samspel_prequal.logs import columns
from samspel_prequal.plant.chain import Chain, Source
from samspel_prequal.plant.energy import EnergyManagement, EnergyState
from samspel_prequal.plant.energy_columns import energy_columns
from samspel_prequal.plant.grid import GridFrequency
from samspel_prequal.plant.settings import PlantSettings
from samspel_prequal.player import Samples
from samspel_prequal.signals.energy import EnergyDrive, EnergyFlags
from samspel_prequal.signals.signal import FloatArray, Signal

__all__ = ["ToyPlant"]

SECONDS_A_PIECE: Final = 60  # how much a limited plant hands over at once


class ToyPlant:
    """A player that answers by itself; one plant lives through one test and starts at rest.

    Args:
        settings: what it is like.
        seed: of the measurement noise and of the grid that it measures beside the test signal.
        synthetic_grid: whether GridFreq wanders as a real grid does, or stays at 50 Hz.
    """

    def __init__(self, settings: PlantSettings, seed: int = 1, *, synthetic_grid: bool = False) -> None:
        self.settings = settings
        self._random = np.random.default_rng(seed)
        self._grid = GridFrequency(seed) if synthetic_grid else None

    def play(self, signal: Signal, rate_hz: float) -> Iterator[Samples]:
        """Answer a signal from start to end."""
        chain = Chain(self.settings, rate_hz, self._random)
        count = round(signal.duration_s * rate_hz)
        grid_hz = self._measured_grid(signal.duration_s, rate_hz, count)
        frequency = chain.frequency(signal, 0, count)
        if not self.settings.limited:
            yield self._samples(chain, signal, 0, chain.power_w(frequency, None), grid_hz)
            return
        limited = _Limited(self.settings, chain)
        piece = limited.per_second * SECONDS_A_PIECE
        for first in range(0, count, piece):
            last = min(first + piece, count)
            for sample in range(first, last, limited.per_second):
                limited.second(chain.at_sample(frequency, sample, min(limited.per_second, last - sample)))
            yield self._limited_samples(limited, chain, signal, first, grid_hz[first:last])

    def drive(self, drive: EnergyDrive, rate_hz: float) -> Iterator[Samples]:
        """Answer a flag-driven sequence until it is done; a plant without a limit has no flags and cannot."""
        if not self.settings.limited:
            raise PlantError("an energy-management test needs a limited reservoir: give the plant a store")
        chain = Chain(self.settings, rate_hz, self._random)
        limited = _Limited(self.settings, chain)
        applied = _Applied(drive.frequency_hz)
        flags, second, first, done = EnergyFlags(), 0, 0, False
        while not done:
            applied.add(float(second), drive.tell(float(second), flags))
            flags = limited.second(chain.frequency(applied, second * limited.per_second, limited.per_second)).flags
            second += 1
            done = drive.done
            if done or second % SECONDS_A_PIECE == 0:
                last = second * limited.per_second
                yield self._limited_samples(limited, chain, applied, first, np.full(last - first, rules.NOMINAL_HZ))
                first = last

    def _measured_grid(self, duration_s: float, rate_hz: float, count: int) -> FloatArray:
        if self._grid is not None:
            return self._grid.sample(duration_s, rate_hz)
        return np.full(count, rules.NOMINAL_HZ)

    def _limited_samples(
        self, limited: _Limited, chain: Chain, source: Source, first: int, grid_hz: FloatArray
    ) -> Samples:
        power_w, report = limited.handed_over()
        samples = self._samples(chain, source, first, power_w, grid_hz)
        return Samples(samples.time_s, {**samples.values, **report})

    def _samples(self, chain: Chain, source: Source, first: int, power_w: FloatArray, grid_hz: FloatArray) -> Samples:
        time_s = chain.times_s(first, len(power_w))
        values = {
            columns.POWER: power_w,
            columns.GRID_FREQUENCY: grid_hz,
            columns.APPLIED_FREQUENCY: source.at(time_s),
            columns.BASELINE: np.full(len(power_w), self.settings.baseline_w),
        }
        return Samples(time_s, values)


class _Limited:
    """The reservoir and its management, second by second, and what was measured since the last hand-over."""

    def __init__(self, settings: PlantSettings, chain: Chain) -> None:
        self.per_second = _samples_a_second(chain.rate_hz)
        self._settings = settings
        self._chain = chain
        self._management = EnergyManagement(settings.product, settings.energy_h, settings.energy_thresholds)
        self._stored_h = settings.energy_h * settings.start_soc
        self._power_w: list[FloatArray] = []
        self._states: list[EnergyState] = []
        self._soc: list[float] = []

    def second(self, frequency: FloatArray) -> EnergyState:
        """Live through one second, or less at the end of a signal."""
        settings = self._settings
        soc = self._stored_h / settings.energy_h
        state = self._management.second(float(frequency[0, 0]), soc)
        power_w = self._chain.power_w(frequency, state)
        used_w = float(power_w.mean()) - settings.baseline_w
        used_h = used_w / settings.capacity_w * len(power_w) / (self._chain.rate_hz * 3600)
        self._stored_h = min(max(self._stored_h - used_h, 0.0), settings.energy_h)
        self._power_w.append(power_w)
        self._states.append(state)
        self._soc.append(soc)
        return state

    def handed_over(self) -> tuple[FloatArray, dict[str, FloatArray]]:
        """Power and the reservoir's columns since the last time."""
        lengths = [len(part) for part in self._power_w]
        report = energy_columns(self._settings, self._states, np.array(self._soc))
        power_w = np.concatenate(self._power_w)
        self._power_w, self._states, self._soc = [], [], []
        return power_w, {header: np.repeat(values, lengths) for header, values in report.items()}


class _Applied:
    """What a flag-driven sequence has applied so far, as something that can be asked for any past instant."""

    def __init__(self, initial_hz: float) -> None:
        self._times = np.array([0.0])
        self._values = np.array([initial_hz])

    def add(self, time_s: float, value_hz: float) -> None:
        if value_hz != self._values[-1]:
            self._times = np.append(self._times, time_s)
            self._values = np.append(self._values, value_hz)

    def at(self, time_s: FloatArray) -> FloatArray:
        places = np.searchsorted(self._times, time_s, side="right") - 1
        return self._values[np.maximum(places, 0)]


def _samples_a_second(rate_hz: float) -> int:
    if rate_hz < 1 or rate_hz != round(rate_hz):
        raise PlantError(
            f"energy management runs once a second: the rate must be a whole number of hertz, not {rate_hz:g}"
        )
    return round(rate_hz)
