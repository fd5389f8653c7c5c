"""How the Nyquist curve runs between the measured points and beyond the shortest period.

The requirements leave both open, so every reading has a name:

chords                   L at neighbouring periods is joined by straight lines; nothing is said beyond the last
chord-to-origin          the same, and the shortest period is joined to the origin, where every real loop ends
interpolated-f-polar     gain and phase of F are interpolated over ω and multiplied by the exact G
interpolated-f-cartesian real and imaginary part of F are interpolated over ω and multiplied by the exact G
strictest                the least distance of the four above, encircled if any of them encircles: the default
model                    gain, dead time and lag fitted to F, continued to high frequencies. It speaks of what nobody
                         measured, so it only warns
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy.optimize import least_squares

from samspel_prequal import rules
from samspel_prequal.evaluate.frequency_response import (
    ComplexArray,
    FrequencyResponse,
    frequency_meter,
    grid_response,
    omega,
)
from samspel_prequal.signals.signal import FloatArray

__all__ = ["MEASURED_RULES", "Interpolation", "ModelFit", "NyquistCurve", "fit_model", "nyquist_curve"]


class Interpolation(StrEnum):
    """The readings, by name; see the module."""

    CHORDS = "chords"
    CHORD_TO_ORIGIN = "chord-to-origin"
    INTERPOLATED_F_POLAR = "interpolated-f-polar"
    INTERPOLATED_F_CARTESIAN = "interpolated-f-cartesian"
    STRICTEST = "strictest"
    MODEL = "model"


MEASURED_RULES = (
    Interpolation.CHORDS,
    Interpolation.CHORD_TO_ORIGIN,
    Interpolation.INTERPOLATED_F_POLAR,
    Interpolation.INTERPOLATED_F_CARTESIAN,
)
_FINE = 100  # pieces between two measured periods
_MODEL_SHORTEST_S = 0.1
_MODEL_POINTS = 4000


@dataclass(frozen=True, slots=True)
class NyquistCurve:
    """L from low to high frequency, and the period each point stands for (0: the origin)."""

    period_s: FloatArray
    loop: ComplexArray


@dataclass(frozen=True, slots=True)
class ModelFit:
    """F ≈ gain·exp(-s·dead_time)/(lag·s + 1), times the frequency meter."""

    gain: float
    dead_time_s: float
    lag_s: float
    t_fme_s: float
    rms_error: float  # of F

    def response(self, omega_rad_s: FloatArray) -> ComplexArray:
        """F at these frequencies."""
        lagged = self.gain * np.exp(-1j * omega_rad_s * self.dead_time_s) / (1 + 1j * omega_rad_s * self.lag_s)
        return np.asarray(lagged * frequency_meter(omega_rad_s, self.t_fme_s), dtype=np.complex128)


def nyquist_curve(
    rule: Interpolation, measured: FrequencyResponse, grid: rules.GridModel, *, t_fme_s: float = 0.0
) -> NyquistCurve:
    """The curve that a rule draws. `t_fme_s` matters to the model only: the measured F has it already.

    Raises:
        ValueError: for `strictest`, which is four curves.
    """
    if rule is Interpolation.CHORDS:
        return _chords(measured, grid)
    if rule is Interpolation.CHORD_TO_ORIGIN:
        chords = _chords(measured, grid)
        return NyquistCurve(np.append(chords.period_s, 0.0), np.append(chords.loop, 0j))
    if rule is Interpolation.MODEL:
        return _model_curve(fit_model(measured, t_fme_s=t_fme_s), measured, grid)
    if rule is Interpolation.STRICTEST:
        raise ValueError("the strictest rule is the worst of four curves, not a curve")
    return _interpolated(measured, grid, polar=rule is Interpolation.INTERPOLATED_F_POLAR)


def fit_model(measured: FrequencyResponse, *, t_fme_s: float = 0.0) -> ModelFit:
    """Least squares over real and imaginary parts; dead time and lag from 0 to 60 s."""

    def error(parameters: FloatArray) -> FloatArray:
        gain, dead_time_s, lag_s = (float(value) for value in parameters)
        found = ModelFit(gain, dead_time_s, lag_s, t_fme_s, 0.0).response(measured.omega) - measured.response
        return np.concatenate([found.real, found.imag])

    first = measured.response[0]
    start_gain = float(np.copysign(abs(first), first.real) or 1e-9)
    starts = [(start_gain, dead_s, lag_s) for dead_s, lag_s in ((0.2, 0.5), (2.0, 0.2), (0.2, 5.0), (4.0, 5.0))]
    limits = ([-np.inf, 0.0, 0.0], [np.inf, 60.0, 60.0])
    best = min((least_squares(error, start, bounds=limits) for start in starts), key=lambda fit: fit.cost)
    rms = float(np.sqrt(2 * best.cost / len(measured.period_s)))
    return ModelFit(float(best.x[0]), float(best.x[1]), float(best.x[2]), t_fme_s, rms)


def _chords(measured: FrequencyResponse, grid: rules.GridModel) -> NyquistCurve:
    return NyquistCurve(measured.period_s, measured.response * grid_response(grid, measured.omega))


def _interpolated(measured: FrequencyResponse, grid: rules.GridModel, *, polar: bool) -> NyquistCurve:
    fine = _between(measured.omega)
    if polar:
        gain = np.interp(fine, measured.omega, np.abs(measured.response))
        phase = np.interp(fine, measured.omega, np.unwrap(np.angle(measured.response)))
        response = gain * np.exp(1j * phase)
    else:
        real = np.interp(fine, measured.omega, measured.response.real)
        response = real + 1j * np.interp(fine, measured.omega, measured.response.imag)
    return NyquistCurve(2 * np.pi / fine, response * grid_response(grid, fine))


def _between(knots: FloatArray) -> FloatArray:
    """The knots and equal pieces between them."""
    pieces = np.arange(_FINE * (len(knots) - 1) + 1) / _FINE
    return np.interp(pieces, np.arange(len(knots)), knots)


def _model_curve(model: ModelFit, measured: FrequencyResponse, grid: rules.GridModel) -> NyquistCurve:
    period_s = np.geomspace(measured.period_s[0], _MODEL_SHORTEST_S, _MODEL_POINTS)
    speed = omega(period_s)
    return NyquistCurve(period_s, model.response(speed) * grid_response(grid, speed))
