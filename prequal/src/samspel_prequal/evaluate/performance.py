"""R9: disturbances are damped well enough at every tested period (TR 3.3), and the reduction that R9 asks for."""

from __future__ import annotations

import numpy as np

from samspel_prequal import rules
from samspel_prequal.evaluate.frequency_response import ComplexArray, FrequencyResponse, grid_response
from samspel_prequal.signals.signal import FloatArray

__all__ = ["performance", "performance_reduction"]


def performance(measured: FrequencyResponse, grid: rules.GridModel, *, reduction: float = 1.0) -> FloatArray:
    """0.95·|G/(1 + F·G/K)|·|D| at every measured period, D = 1/(70 s + 1): below 1 passes."""
    loop = measured.response / reduction * grid_response(grid, measured.omega)
    return np.asarray(_undamped(measured, grid) / np.abs(1 + loop), dtype=np.float64)


def performance_reduction(measured: FrequencyResponse, grid: rules.GridModel) -> float:
    """The largest K up to 1 with which F/K meets R9 at every period; 0 when no K does."""
    loop = measured.response * grid_response(grid, measured.omega)
    lower, upper = _forbidden(loop, _undamped(measured, grid))
    scale = 1.0  # 1/K
    for _ in range(len(loop) + 1):
        inside = (lower <= scale) & (scale < upper)
        if not np.any(inside):
            return 1 / scale
        scale = float(np.max(upper[inside]))
    return 0.0


def _undamped(measured: FrequencyResponse, grid: rules.GridModel) -> FloatArray:
    """0.95·|G|·|D|: what R9 would read without any response."""
    disturbance = 1 / np.abs(1 + 1j * measured.omega * rules.DISTURBANCE_TIME_CONSTANT_S)
    gain = np.abs(grid_response(grid, measured.omega))
    return np.asarray(rules.PERFORMANCE_MARGIN * gain * disturbance, dtype=np.float64)


def _forbidden(loop: ComplexArray, undamped: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The interval of x = 1/K that fails at each period: |1 + L·x|² is a parabola in x. None: infinity to infinity."""
    square, linear, constant = np.abs(loop) ** 2, 2 * loop.real, 1 - undamped**2
    root = linear**2 - 4 * square * constant
    without = square == 0
    divisor = np.where(without, 1.0, 2 * square)
    half = np.sqrt(np.maximum(root, 0.0))
    lower, upper = (-linear - half) / divisor, (-linear + half) / divisor
    never, always = (root < 0) | (without & (constant > 0)), without & (constant <= 0)
    lower = np.select([never, always], [np.inf, -np.inf], lower)
    return lower, np.where(never | always, np.inf, upper)
