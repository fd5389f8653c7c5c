"""A grid frequency that looks real: slow and quick wander round 50 Hz, the turn of the hour, and a lost unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from samspel_prequal.signals.signal import FloatArray

__all__ = ["GridFrequency"]


@dataclass(frozen=True, slots=True)
class GridFrequency:
    """Settings of a synthetic grid; one seed gives one history.

    The wander is two Ornstein-Uhlenbeck processes, the standard deviations and times being of the size that the Nordic
    grid shows; `event_hz` is the deepest point of one sudden loss (negative) at `event_at_s`, which recovers within
    minutes.
    """

    seed: int = 1
    slow_hz: float = 0.035
    slow_s: float = 240.0
    quick_hz: float = 0.006
    quick_s: float = 8.0
    hourly_hz: float = 0.02
    event_hz: float = 0.0
    event_at_s: float = 1800.0
    recovery_s: float = 180.0

    def sample(self, duration_s: float, rate_hz: float) -> FloatArray:
        """The frequency at a fixed rate, from 0 to just before the end."""
        count = round(duration_s * rate_hz)
        time_s = np.arange(count) / rate_hz
        random = np.random.default_rng(self.seed)
        wander = _wander(random, self.slow_hz, self.slow_s, count, rate_hz)
        wander += _wander(random, self.quick_hz, self.quick_s, count, rate_hz)
        hourly = self.hourly_hz * np.sin(2 * np.pi * time_s / 3600.0)
        return np.asarray(50.0 + wander + hourly + self._event(time_s), dtype=np.float64)

    def _event(self, time_s: FloatArray) -> FloatArray:
        """A fall within seconds and a slow way back; the peak of the shape is 1."""
        since_s = np.maximum(time_s - self.event_at_s, 0.0)
        fall_s = 5.0
        shape = np.exp(-since_s / self.recovery_s) - np.exp(-since_s / fall_s)
        peak_s = np.log(self.recovery_s / fall_s) / (1 / fall_s - 1 / self.recovery_s)
        peak = np.exp(-peak_s / self.recovery_s) - np.exp(-peak_s / fall_s)
        return np.asarray(self.event_hz * shape / peak, dtype=np.float64)


def _wander(random: np.random.Generator, sigma_hz: float, time_s: float, count: int, rate_hz: float) -> FloatArray:
    """An Ornstein-Uhlenbeck process, exactly discretised and begun in its steady state."""
    keep = np.exp(-1.0 / (time_s * rate_hz))
    start = sigma_hz * random.standard_normal()
    pushes = sigma_hz * np.sqrt(1 - keep**2) * random.standard_normal(count)
    return np.asarray(lfilter([1.0], [1.0, -keep], pushes, zi=[keep * start])[0], dtype=np.float64)
