"""R8: the Nyquist curve of L = F·G keeps off the circle round -1 and does not encircle it (TR 3.2, 3.3).

Distance alone is not enough: a loop that goes round -1 far away is unstable. The winding number counts the whole
closed curve: from L(0), along the curve, to the origin, and the mirror image for negative frequencies. What closes
the curve (L(0) from the sign of F at the longest period, and the way to the origin) counts for the side only, never
for the distance, except where a rule says so by its name.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from samspel_prequal import rules
from samspel_prequal.evaluate.frequency_response import ComplexArray, FrequencyResponse
from samspel_prequal.evaluate.interpolation import MEASURED_RULES, Interpolation, NyquistCurve, nyquist_curve

__all__ = ["Stability", "distance_to_curve", "encirclements", "stability", "stability_radius"]

CRITICAL = -1.0 + 0.0j


@dataclass(frozen=True, slots=True)
class Stability:
    """R8 under one rule."""

    rule: Interpolation
    distance: float  # of the curve to -1
    encirclements: int  # of -1 by the closed curve; 0 when the loop is stable
    nearest: complex  # the point of the curve that decides
    nearest_period_s: float  # the measured or interpolated period just before it

    @property
    def value(self) -> float:
        """The distance, negative when -1 is encircled: above the limit only when both conditions hold."""
        return -self.distance if self.encirclements else self.distance


def stability_radius(*, exempted: bool = False) -> float:
    """The accepted radius: 0.4085, or 0.3225 with the exemption that FCR-N may apply for."""
    share = rules.STABILITY_MARGIN_EXEMPTED if exempted else rules.STABILITY_MARGIN
    return rules.STABILITY_RADIUS * share


def stability(
    measured: FrequencyResponse,
    grid: rules.GridModel,
    rule: Interpolation = Interpolation.STRICTEST,
    *,
    t_fme_s: float = 0.0,
) -> Stability:
    """R8 under a rule; `strictest` names the rule that decided in its result.

    Raises:
        ValueError: no point was measured.
    """
    if len(measured.period_s) == 0:
        raise ValueError("the Nyquist curve needs at least one measured period")
    if rule is Interpolation.STRICTEST:
        return min((stability(measured, grid, one) for one in MEASURED_RULES), key=lambda found: found.value)
    curve = nyquist_curve(rule, measured, grid, t_fme_s=t_fme_s)
    distance, nearest, at = distance_to_curve(curve.loop)
    at_zero = _at_zero_frequency(measured, grid)
    return Stability(rule, distance, encirclements(curve, at_zero), nearest, float(curve.period_s[at]))


def distance_to_curve(loop: ComplexArray) -> tuple[float, complex, int]:
    """Least distance from -1 to the straight pieces of a curve, the point, and where its piece begins."""
    start, step = loop[:-1], np.diff(loop)
    if len(step) == 0:
        return float(abs(loop[0] - CRITICAL)), complex(loop[0]), 0
    length = np.maximum(np.abs(step) ** 2, np.finfo(np.float64).tiny)
    share = np.clip(((CRITICAL - start) * np.conj(step)).real / length, 0.0, 1.0)
    nearest = start + share * step
    at = int(np.argmin(np.abs(nearest - CRITICAL)))
    return float(abs(nearest[at] - CRITICAL)), complex(nearest[at]), at


def encirclements(curve: NyquistCurve, at_zero_frequency: float) -> int:
    """How often the closed curve goes round -1; positive is counter-clockwise.

    Both ends of the half curve lie on the real axis, so its mirror image turns as far as it does.
    """
    half = np.concatenate([[at_zero_frequency + 0j], curve.loop, [0j]]) - CRITICAL
    if np.any(half == 0):
        return 1  # through -1 itself
    turned = np.sum(np.angle(half[1:] / half[:-1]))
    return round(2 * float(turned) / (2 * np.pi))


def _at_zero_frequency(measured: FrequencyResponse, grid: rules.GridModel) -> float:
    """L(0): F at the longest period, turned onto the real axis by its sign, times G(0)."""
    longest = measured.response[0]
    return float(np.copysign(abs(longest), longest.real) * grid.numerator / grid.denominator[1])
