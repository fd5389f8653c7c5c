"""What two lags in a row make of steps, ramps and their integrals, exactly.

z_n answers t^n/n! (0 before t = 0). A lag obeys τ·y' + y = u, and the answer to an integrated input is the integrated
answer, so z_n = y_n - τ2·z_(n-1) and y_n = t^n/n! - τ1·y_(n-1): only the answer to the step is a formula of its own.
A uniform spread of dead times over a width, or a control tick of that length, is a difference of integrals.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import factorial, prod

import numpy as np
from scipy.special import exprel

from samspel_prequal.signals import FloatArray

__all__ = ["after_boxes", "lagged_power"]

_SHORTEST_S = 1e-9  # stands for no lag at all: every formula stays finite
_NARROWEST_S = 1e-3  # a narrower box is its middle: differences of integrals would lose their digits


def lagged_power(time_s: FloatArray, order: int, lag_s: FloatArray | float, meter_s: FloatArray | float) -> FloatArray:
    """z_n: the answer of 1/((lag·s + 1)(meter·s + 1)) to t^n/n!; arguments broadcast."""
    since_s = np.maximum(time_s, 0.0)
    slow_s = np.maximum(np.maximum(lag_s, meter_s), _SHORTEST_S)
    quick_s = np.maximum(np.minimum(lag_s, meter_s), _SHORTEST_S)
    fading = np.exp(-since_s / slow_s)
    apart = since_s * (slow_s - quick_s) / (slow_s * quick_s)
    one, two = 1 - fading, 1 - fading * (1 + since_s / slow_s * exprel(-apart))
    for power in range(1, order + 1):
        one = since_s**power / factorial(power) - slow_s * one
        two = one - quick_s * two
    return np.asarray(two, dtype=np.float64)


def after_boxes(
    time_s: FloatArray,
    order: int,
    lag_s: FloatArray | float,
    meter_s: FloatArray | float,
    boxes_s: Sequence[float],
) -> FloatArray:
    """z_n again, with every dead time from 0 to a box's width being equally frequent, for each of the boxes."""
    widths = [width for width in boxes_s if width >= _NARROWEST_S]
    time_s = time_s - sum(width for width in boxes_s if width < _NARROWEST_S) / 2
    total = np.zeros(np.broadcast_shapes(np.shape(time_s), np.shape(lag_s)))
    for taken in product((0, 1), repeat=len(widths)):
        later_s = sum(width for width, yes in zip(widths, taken, strict=True) if yes)
        sign = -1 if sum(taken) % 2 else 1
        total = total + sign * lagged_power(time_s - later_s, order + len(widths), lag_s, meter_s)
    return np.asarray(total / prod(widths), dtype=np.float64)
