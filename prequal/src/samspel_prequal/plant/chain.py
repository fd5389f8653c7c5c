"""The toy plant's stages in their order, with their memory through one test."""

from __future__ import annotations

import math
from typing import Final, Protocol

import numpy as np

from samspel_prequal import rules
from samspel_prequal.plant.droop import droop
from samspel_prequal.plant.energy import EnergyState
from samspel_prequal.plant.settings import PlantSettings
from samspel_prequal.plant.stages import Backlash, Lag, RateLimit
from samspel_prequal.product import Product
from samspel_prequal.signals.signal import FloatArray

__all__ = ["Chain", "Source"]

LONGEST_STEP_S: Final = 0.02


class Source(Protocol):
    """A frequency that can be asked for at any instant, past ones included."""

    def at(self, time_s: FloatArray) -> FloatArray:
        """The frequencies at these instants."""
        ...


class Chain:
    """From applied frequency to measured power; powers inside are shares of the capacity."""

    def __init__(self, settings: PlantSettings, rate_hz: float, random: np.random.Generator) -> None:
        self.rate_hz = rate_hz
        self._settings = settings
        self._random = random
        self._substeps = math.ceil(1 / (rate_hz * LONGEST_STEP_S) - 1e-9)
        step_s = 1 / (rate_hz * self._substeps)
        self._step_s = step_s
        self._meter = Lag(settings.meter_s, step_s)
        self._lag = Lag(settings.lag_s, step_s)
        self._rate = RateLimit(settings.rate_per_s, step_s)
        self._backlash = Backlash(settings.backlash)

    def frequency(self, source: Source, first: int, count: int) -> FloatArray:
        """What the entity measures, as a trace, for some samples from number `first` on; blocks follow each other."""
        steps_s = self._steps_s(first, count)
        seen_s = np.stack([steps_s, steps_s + self._step_s / 2]) - self._settings.delay_s
        return self._meter.run(source.at(np.round(seen_s, 9)))

    def at_sample(self, trace: FloatArray, sample: int, count: int = 1) -> FloatArray:
        """The part of a trace that belongs to some samples."""
        return trace[:, sample * self._substeps : (sample + count) * self._substeps]

    def power_w(self, frequency: FloatArray, energy: EnergyState | None) -> FloatArray:
        """The measured answer to the next part of the trace, one value a sample."""
        answer = self._lag.run(self._target(frequency, energy))[0]
        share = self._limited(answer)[:: self._substeps]
        noise = self._settings.noise * self._random.standard_normal(len(share)) if self._settings.noise else 0.0
        return np.asarray(self._settings.baseline_w + self._settings.capacity_w * (share + noise), dtype=np.float64)

    def times_s(self, first: int, count: int) -> FloatArray:
        """The times of some samples."""
        return self._steps_s(first, count)[:: self._substeps]

    def _steps_s(self, first: int, count: int) -> FloatArray:
        return (first * self._substeps + np.arange(count * self._substeps)) / (self.rate_hz * self._substeps)

    def _target(self, frequency_hz: FloatArray, energy: EnergyState | None) -> FloatArray:
        chosen = self._settings
        reference_hz = rules.BANDS[chosen.product].zero_hz if energy is None else energy.reference_hz
        share = chosen.gain * self._droop(frequency_hz, chosen.product, reference_hz)
        if energy is not None:
            share = share + chosen.nem_power_share * energy.nem_level
            share = _capped(share, chosen.product, chosen.nem_power_share)
        if chosen.fcr_n_capacity_w:
            fcr_n = self._droop(frequency_hz, Product.FCR_N, rules.NOMINAL_HZ)
            share = share + chosen.gain * fcr_n * chosen.fcr_n_capacity_w / chosen.capacity_w
        return share

    def _droop(self, frequency_hz: FloatArray, product: Product, reference_hz: float) -> FloatArray:
        chosen = self._settings
        return droop(
            frequency_hz,
            product,
            reference_hz,
            saturates=chosen.saturates,
            deadband_hz=chosen.deadband_hz,
            steps=chosen.steps,
        )

    def _limited(self, share: FloatArray) -> FloatArray:
        moved = self._backlash.run(self._rate.run(share))
        return np.minimum(np.maximum(moved, -self._settings.clip), self._settings.clip)


def _capped(share: FloatArray, product: Product, nem_share: float) -> FloatArray:
    """TR eq. 24 to 26: no product uses what is reserved for another."""
    low = {Product.FCR_N: -1.0 - nem_share, Product.FCR_D_UP: -nem_share, Product.FCR_D_DOWN: -np.inf}[product]
    high = {Product.FCR_N: 1.0 + nem_share, Product.FCR_D_UP: np.inf, Product.FCR_D_DOWN: nem_share}[product]
    return np.minimum(np.maximum(share, low), high)
