"""F: the response of an entity to the frequency control error, per unit of what it should deliver (TR 3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from samspel_prequal import rules
from samspel_prequal.evaluate.sine_fit import SineFit, fit_sine
from samspel_prequal.evaluate.stationary import StationarySection, stationary_section
from samspel_prequal.product import Product
from samspel_prequal.signals.signal import FloatArray

__all__ = [
    "ComplexArray",
    "FrequencyResponse",
    "SinePoint",
    "frequency_meter",
    "grid_response",
    "omega",
    "sine_point",
]

ComplexArray = NDArray[np.complex128]
# Two-sided 95 % of Student's t with 8 degrees of freedom: four neighbouring lines, two components each.
_CONFIDENCE = 2.306


@dataclass(frozen=True, slots=True)
class SinePoint:
    """What one sine log says. Gains and angles include the frequency meter's share where T_FME was applied."""

    period_s: float
    response: complex  # F(j·2π/T), phase from the control error f_ref - f: negative when power lags
    residual: float  # R10's ratio
    relative_error: float  # half of the 95 % interval, of the gain
    section: StationarySection
    frequency_fit: SineFit
    power_fit: SineFit
    t_fme_s: float = 0.0  # of the meter that is included

    @property
    def gain(self) -> float:
        """|F|."""
        return abs(self.response)

    @property
    def phase_deg(self) -> float:
        """The angle of F, -180 to 180 degrees."""
        return float(np.degrees(np.angle(self.response)))

    @property
    def gain_ci(self) -> tuple[float, float]:
        """95 % interval of the gain."""
        half = self.gain * self.relative_error
        return max(self.gain - half, 0.0), self.gain + half

    @property
    def phase_ci(self) -> tuple[float, float]:
        """95 % interval of the phase in degrees."""
        half = min(float(np.degrees(self.relative_error)), 180.0)
        return self.phase_deg - half, self.phase_deg + half


@dataclass(frozen=True, slots=True)
class FrequencyResponse:
    """F at the tested periods, longest first, which is from low to high frequency."""

    period_s: FloatArray
    response: ComplexArray

    @classmethod
    def from_points(cls, points: Sequence[SinePoint]) -> FrequencyResponse:
        """In order of falling period."""
        ordered = sorted(points, key=lambda point: -point.period_s)
        return cls(np.array([p.period_s for p in ordered]), np.array([p.response for p in ordered]))

    @property
    def omega(self) -> FloatArray:
        """2π/T in rad/s."""
        return omega(self.period_s)

    def scaled(self, factor: float) -> FrequencyResponse:
        """The same entity with another gain."""
        return FrequencyResponse(self.period_s, self.response * factor)

    def delayed(self, delay_s: float) -> FrequencyResponse:
        """The same entity, later by so many seconds (earlier, if negative)."""
        return FrequencyResponse(self.period_s, self.response * np.exp(-1j * self.omega * delay_s))


def omega(period_s: FloatArray) -> FloatArray:
    """2π/T."""
    return np.asarray(2 * np.pi / np.asarray(period_s), dtype=np.float64)


def frequency_meter(omega_rad_s: FloatArray, t_fme_s: float) -> ComplexArray:
    """F_FME = 1/(T_FME·s + 1): the meter that a signal injected in software goes past (TR 4.4)."""
    return np.asarray(1 / (1j * omega_rad_s * t_fme_s + 1), dtype=np.complex128)


def grid_response(grid: rules.GridModel, omega_rad_s: FloatArray) -> ComplexArray:
    """G(jω) (TR eq. 10, 11)."""
    two_h, damping = grid.denominator
    return np.asarray(grid.numerator / (1j * omega_rad_s * two_h + damping), dtype=np.complex128)


def sine_point(
    time_s: FloatArray,
    frequency_hz: FloatArray,
    power_w: FloatArray,
    *,
    product: Product,
    period_s: float,
    theoretical_w: float,
    needed: int,
    t_fme_s: float = 0.0,
    amplitude_hz: float = rules.SINE_AMPLITUDE_HZ,
) -> SinePoint:
    """F at one period, from one log. Power is what remains after the baseline.

    With a falling frequency power must rise, so F = -(phasor of P)/(phasor of f), scaled by Δf_X/|ΔP_theoretical|.

    Raises:
        EvaluationError: the log holds no whole period of this sine.
    """
    centre_hz = rules.SINE_CENTRE_HZ[product]
    section = stationary_section(
        time_s,
        frequency_hz,
        power_w,
        centre_hz=centre_hz,
        amplitude_hz=amplitude_hz,
        period_s=period_s,
        needed=needed,
    )
    part = slice(section.start, section.stop)
    frequency = fit_sine(time_s[part], frequency_hz[part], period_s)
    power = fit_sine(time_s[part], power_w[part], period_s)
    scale = rules.BANDS[product].span_hz / abs(theoretical_w)
    meter = complex(frequency_meter(omega(np.array([period_s])), t_fme_s)[0])
    response = -power.phasor / frequency.phasor * scale * meter
    return SinePoint(
        period_s, response, power.residual_ratio, _relative_error(frequency, power), section, frequency, power, t_fme_s
    )


def _relative_error(frequency: SineFit, power: SineFit) -> float:
    """95 % half width of |F|, of |F|: the errors of both fits are independent."""
    if power.amplitude == 0:
        return float("inf")
    ratio = np.hypot(frequency.standard_error / frequency.amplitude, power.standard_error / power.amplitude)
    return float(_CONFIDENCE * ratio)
