"""R11: the staircase of non-continuous and static entities within its envelope (TR 3.4.2, tables 8, 9)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from samspel_prequal import rules
from samspel_prequal.errors import EvaluationError
from samspel_prequal.evaluate.windows import clean_mean
from samspel_prequal.product import Product
from samspel_prequal.signals import FloatArray

__all__ = ["Level", "envelope", "staircase"]

_SAME_LEVEL_HZ = 0.005
_MOVED_HZ = 0.01  # from sample to sample: half of the smallest step
_ZERO = 0.01  # of ΔPt: what a response of zero may read
_ROUNDING_S = 1e-6


@dataclass(frozen=True, slots=True)
class Level:
    """One held frequency: the extremes of the 10 s moving average there, in shares of ΔPt."""

    frequency_hz: float
    start_s: float
    lowest: float
    highest: float
    room: float  # to the nearer edge of the envelope; negative outside


def staircase(
    time_s: FloatArray, frequency_hz: FloatArray, power_w: FloatArray, *, product: Product, theoretical_w: float
) -> list[Level]:
    """Every held level after the first, which is the reference. FCR-D down comes in the upward product's frame.

    Raises:
        EvaluationError: fewer steps than the requirements ask for.
    """
    holds = _holds(time_s, frequency_hz)
    least = rules.LINEARITY_MIN_STEPS * (2 if product is Product.FCR_N else 1)
    if len(holds) - 1 < least:
        raise EvaluationError(f"a staircase has at least {least} steps of 120 s; {max(len(holds) - 1, 0)} were found")
    rest_w = clean_mean(time_s, power_w, max(holds[0][0], holds[0][1] - rules.STEADY_WINDOW_S), holds[0][1])
    share = (power_w - rest_w) / abs(theoretical_w)
    return [_level(time_s, frequency_hz, share, hold, product) for hold in holds[1:]]


def envelope(product: Product, frequency_hz: float) -> tuple[float, float]:
    """Lower and upper edge of the response at a frequency, in shares of ΔPt, positive upwards."""
    if product is not Product.FCR_N:
        return _edges(rules.ENVELOPE_FCR_D_UP_LOWER, rules.ENVELOPE_FCR_D_UP_UPPER, frequency_hz)
    if abs(frequency_hz - rules.NOMINAL_HZ) < _SAME_LEVEL_HZ:  # both halves meet here: the tighter edges
        return rules.ENVELOPE_FCR_N_LOWER[0][1][1], rules.ENVELOPE_FCR_N_UPPER[1][0][1]
    half = int(frequency_hz > rules.NOMINAL_HZ)
    return _edges(rules.ENVELOPE_FCR_N_LOWER[half], rules.ENVELOPE_FCR_N_UPPER[half], frequency_hz)


def _edges(
    lower: tuple[tuple[float, float], ...], upper: tuple[tuple[float, float], ...], frequency_hz: float
) -> tuple[float, float]:
    low, high = (float(np.interp(frequency_hz, *np.array(corners).T)) for corners in (lower, upper))
    return (low if low else -_ZERO), (high if frequency_hz <= upper[-1][0] + 1e-9 else _ZERO)


def _holds(time_s: FloatArray, frequency_hz: FloatArray) -> list[tuple[float, float]]:
    """Start and end of every level that is held for nearly 120 s."""
    moved = np.flatnonzero(np.abs(np.diff(frequency_hz)) > _MOVED_HZ) + 1
    edges = [0, *(int(at) for at in moved), len(time_s) - 1]
    pairs = [(float(time_s[a]), float(time_s[b])) for a, b in pairwise(edges)]
    return [(a, b) for a, b in pairs if b - a > rules.LINEARITY_HOLD_S - 2]


def _level(
    time_s: FloatArray, frequency_hz: FloatArray, share: FloatArray, hold: tuple[float, float], product: Product
) -> Level:
    start_s, end_s = hold
    from_s = start_s + rules.LINEARITY_JUDGED_FROM_S
    if end_s - start_s > 2 * rules.LINEARITY_HOLD_S - rules.LINEARITY_JUDGED_FROM_S:  # a long settling was used
        from_s = end_s - rules.LINEARITY_JUDGED_FROM_S
    inside = (time_s >= from_s - _ROUNDING_S) & (time_s < end_s - _ROUNDING_S)
    level_hz = float(np.median(frequency_hz[inside]))
    average = _moving_average(time_s[inside], share[inside])
    low, high = float(np.min(average)), float(np.max(average))
    lower, upper = envelope(product, level_hz)
    return Level(level_hz, start_s, low, high, min(low - lower, upper - high))


def _moving_average(time_s: FloatArray, values: FloatArray) -> FloatArray:
    count = max(round(rules.LINEARITY_AVERAGE_S / float(np.median(np.diff(time_s)))), 1)
    return np.convolve(values, np.full(min(count, len(values)), 1 / min(count, len(values))), mode="valid")
