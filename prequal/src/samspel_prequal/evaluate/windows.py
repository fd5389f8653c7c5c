"""Where a steady power is read within a hold. The requirements leave it open, so the windows have names."""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from samspel_prequal import rules
from samspel_prequal.errors import EvaluationError
from samspel_prequal.signals.signal import FloatArray

__all__ = ["AveragingWindow", "clean_mean", "integral", "steady_power_w", "value_at"]

INNER_S = 10.0
_ROUNDING_S = 1e-6
_SHORT_BY_S = 2.0


class AveragingWindow(StrEnum):
    """Which part of a hold is averaged."""

    LAST_60_S = "last-60-s"  # before the frequency leaves the level; the whole hold if it is shorter
    INNER = "inner"  # from 10 s after the ramp's end to 10 s before the next ramp

    def bounds_s(self, arrival_s: float, departure_s: float) -> tuple[float, float]:
        """Start and end of the averaged part."""
        if self is AveragingWindow.INNER:
            return arrival_s + INNER_S, departure_s - INNER_S
        return max(arrival_s, departure_s - rules.STEADY_WINDOW_S), departure_s


def steady_power_w(
    time_s: FloatArray, power_w: FloatArray, arrival_s: float, departure_s: float, window: AveragingWindow
) -> float:
    """Mean power in the window; the sample at the departure itself is left out.

    Raises:
        EvaluationError: the level was held for less than the 60 s that are averaged, or without a sample.
    """
    if departure_s - arrival_s < rules.STEADY_WINDOW_S - _SHORT_BY_S:
        raise EvaluationError(
            f"the frequency rested for {departure_s - arrival_s:.1f} s only after {arrival_s:.1f} s; a steady power is "
            f"read from at least {rules.STEADY_WINDOW_S:g} s: is this the sequence that the file name says?"
        )
    return clean_mean(time_s, power_w, *window.bounds_s(arrival_s, departure_s))


def clean_mean(time_s: FloatArray, values: FloatArray, start_s: float, end_s: float) -> float:
    """Mean from `start_s` up to, not including, `end_s`."""
    first, last = np.searchsorted(time_s, [start_s - _ROUNDING_S, end_s - _ROUNDING_S])
    if last <= first:
        raise EvaluationError(f"no sample from {start_s:.1f} s to {end_s:.1f} s, where a steady power is read")
    return float(np.mean(values[first:last]))


def value_at(time_s: FloatArray, values: FloatArray, at_s: float) -> float:
    """The value at an instant, straight between samples."""
    return float(np.interp(at_s, time_s, values))


def integral(time_s: FloatArray, values: FloatArray, start_s: float, end_s: float) -> float:
    """∫ values dt by trapezoids, straight between samples."""
    inner = (time_s > start_s) & (time_s < end_s)
    grid = np.concatenate([[start_s], time_s[inner], [end_s]])
    return float(np.trapezoid(np.interp(grid, time_s, values), grid))
