"""Least-squares sines: of one period, with the uncertainty that the residual shows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from samspel_prequal.signals.signal import FloatArray

__all__ = ["SineFit", "fit_sine"]

_NEIGHBOURS = 4


@dataclass(frozen=True, slots=True)
class SineFit:
    """offset + Re(phasor·exp(jωt)), t counted from the same zero as the times that were given."""

    phasor: complex  # amplitude and phase, in the unit of the values
    offset: float
    residual_rms: float
    standard_error: float  # of the real part and of the imaginary part of the phasor

    @property
    def amplitude(self) -> float:
        """Of the sine, in the unit of the values."""
        return abs(self.phasor)

    @property
    def residual_ratio(self) -> float:
        """R10's figure (TR 3.4.1): root of Σ(P-P_est)² over root of Σ(P_est-mean P_est)²; inf without a sine."""
        sine_rms = self.amplitude / np.sqrt(2)
        return float(self.residual_rms / sine_rms) if sine_rms > 0 else float("inf")


def fit_sine(time_s: FloatArray, values: FloatArray, period_s: float) -> SineFit:
    """The best sine of this period; at least half a period and four samples are needed for it to mean something.

    Raises:
        ValueError: fewer than four samples.
    """
    if len(time_s) < 4:
        raise ValueError(f"a sine needs at least 4 samples, not {len(time_s)}")
    turn = np.exp(2j * np.pi * time_s / period_s)
    design = np.column_stack([np.ones_like(time_s), turn.real, -turn.imag])
    (offset, real, imag), *_ = np.linalg.lstsq(design, values, rcond=None)
    residual = values - design @ np.array([offset, real, imag])
    error = max(_white_error(residual), _neighbour_error(time_s, residual, period_s))
    rms = float(np.sqrt(np.mean(residual**2)))
    return SineFit(complex(real, imag), float(offset), rms, error)


def _white_error(residual: FloatArray) -> float:
    """Standard error of a phasor component if the residual were white noise."""
    count = len(residual)
    return float(np.sqrt(2 * np.sum(residual**2) / max(count - 3, 1) / count))


def _neighbour_error(time_s: FloatArray, residual: FloatArray, period_s: float) -> float:
    """Standard error from the residual's own spectrum next to the sine, which sees slow and coloured noise.

    Harmonics of the sine are left out: they repeat every period and do not make the phasor uncertain.
    """
    periods = round(float(time_s[-1] - time_s[0]) / period_s)
    if periods < 2:
        return 0.0
    lines = [line for line in range(1, 3 * periods) if line % periods]
    nearest = sorted(lines, key=lambda line: abs(line - periods))[:_NEIGHBOURS]
    phasors = [_line(time_s, residual, periods * period_s / line) for line in nearest]
    return float(np.sqrt(np.mean(np.abs(phasors) ** 2) / 2))


def _line(time_s: FloatArray, residual: FloatArray, period_s: float) -> complex:
    turn: NDArray[np.complex128] = np.exp(-2j * np.pi * time_s / period_s)
    return complex(2 * np.mean(residual * turn))
