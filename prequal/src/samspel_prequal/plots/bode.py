"""Gain and phase of F, and where R8 and R9 forbid them.

R8 and R9 speak of the loop, so a limit of the gain depends on the phase, and the other way round. The forbidden area
of the gain is therefore drawn at the phase that was measured, and that of the phase at the measured gain: what one
could change alone. Between the periods F is interpolated by gain and phase.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import FigureBase
from matplotlib.patches import Patch
from numpy.typing import NDArray

from samspel_prequal import rules
from samspel_prequal.evaluate.frequency_response import ComplexArray, FrequencyResponse, SinePoint, grid_response, omega
from samspel_prequal.plots.style import BLACK, BLUE, SKY, VERMILLION, period_axis, picture
from samspel_prequal.product import Product
from samspel_prequal.signals.signal import FloatArray

__all__ = ["bode_plot", "forbidden"]

_FINE: Final = 240
_MOST_GAIN: Final = 2.0


@picture(5.2)
def bode_plot(figure: FigureBase, points: Sequence[SinePoint], product: Product, *, radius: float) -> None:
    """Gain and phase over the tested periods with their 95 % intervals and the areas that R8 and R9 forbid.

    Args:
        points: what each sine log says; at least one.
        product: whose grid models make the limits.
        radius: R8's radius that must be kept.
    """
    measured = FrequencyResponse.from_points(points)
    ordered = sorted(points, key=lambda point: -point.period_s)
    phase_deg = np.degrees(np.unwrap(np.angle(measured.response)))
    above, below = figure.subplots(2, sharex=True)
    top = max(_MOST_GAIN, 1.15 * max(point.gain for point in points))
    low, high = min(-180.0, float(np.min(phase_deg)) - 30), max(45.0, float(np.max(phase_deg)) + 30)
    if len(points) > 1:
        _areas(above, below, measured, phase_deg, product, radius, (top, low, high))
    gain_error = np.array([point.gain - point.gain_ci[0] for point in ordered])
    phase_error = np.array([point.phase_ci[1] - point.phase_deg for point in ordered])
    _curve(above, measured.period_s, np.abs(measured.response), gain_error, "gain")
    _curve(below, measured.period_s, phase_deg, phase_error, "phase")
    _frame(above, below, measured.period_s, (top, low, high))


def forbidden(
    response: ComplexArray, speed: FloatArray, product: Product, radius: float
) -> tuple[NDArray[np.bool_], ...]:
    """Where R8 (distance at each frequency) and R9 fail for F = `response` at ω = `speed`; shapes broadcast."""
    stable, perform = rules.GRID_STABILITY[product], rules.GRID_PERFORMANCE[product]
    near = np.abs(1 + response * grid_response(stable, speed)) < radius
    g = grid_response(perform, speed)
    disturbance = 1 / np.abs(1 + 1j * speed * rules.DISTURBANCE_TIME_CONSTANT_S)
    weak = rules.PERFORMANCE_MARGIN * np.abs(g / (1 + response * g)) * disturbance >= 1
    return near, weak


def _areas(
    above: Axes,
    below: Axes,
    measured: FrequencyResponse,
    phase_deg: FloatArray,
    product: Product,
    radius: float,
    ends: tuple[float, float, float],
) -> None:
    period_s = np.geomspace(measured.period_s[0], measured.period_s[-1], _FINE)
    speed = omega(period_s)
    gain = np.interp(speed, measured.omega, np.abs(measured.response))
    phase = np.radians(np.interp(speed, measured.omega, phase_deg))
    gains = np.linspace(0.0, ends[0], _FINE)[:, None]
    phases = np.linspace(*ends[1:], _FINE)[:, None]
    _shade(above, period_s, gains[:, 0], forbidden(_polar(gains, phase), speed, product, radius))
    _shade(below, period_s, phases[:, 0], forbidden(_polar(gain, np.radians(phases)), speed, product, radius))


def _polar(gain: FloatArray, phase: FloatArray) -> ComplexArray:
    return np.asarray(gain * np.exp(1j * phase), dtype=np.complex128)


_STYLES: Final[tuple[dict[str, Any], ...]] = (
    {"colors": ["#f4cdb5"], "hatches": ["////"]},
    {"colors": ["#cfe6f5"], "hatches": ["...."]},
)


def _shade(axes: Axes, period_s: FloatArray, values: FloatArray, masks: tuple[NDArray[np.bool_], ...]) -> None:
    for mask, style in zip(masks, _STYLES, strict=True):
        if np.any(mask):
            axes.contourf(period_s, values, mask.astype(float), levels=[0.5, 1.5], alpha=0.75, zorder=0, **style)


def _curve(axes: Axes, period_s: FloatArray, values: FloatArray, error: FloatArray, name: str) -> None:
    # An interval without end (no sine in the power) is not drawn.
    size = np.where(np.isfinite(error), error, 0.0)
    axes.errorbar(period_s, values, yerr=size, fmt="none", ecolor=BLACK, capsize=3, linewidth=1)
    axes.plot(period_s, values, "o-", color=BLUE, markeredgecolor=BLACK, markersize=5, gid=name, label=f"{name} of F")


def _frame(above: Axes, below: Axes, period_s: FloatArray, ends: tuple[float, float, float]) -> None:
    above.axhline(1.0, color=BLACK, linewidth=0.7, linestyle="--")
    below.axhline(0.0, color=BLACK, linewidth=0.7, linestyle="--")
    above.set_ylim(0, ends[0])
    below.set_ylim(*ends[1:])
    below.set_yticks(np.arange(np.ceil(ends[1] / 45) * 45, ends[2] + 1, 45))
    above.set_ylabel("gain |F| [-]")
    below.set_ylabel("phase of F [°]")
    above.set_title("F: gain and phase, with what R8 and R9 forbid")
    period_axis(above, period_s, label=False)
    period_axis(below, period_s)
    marks = [
        Patch(facecolor="#f4cdb5", edgecolor=VERMILLION, hatch="////", label="fails R8 (distance to -1)"),
        Patch(facecolor="#cfe6f5", edgecolor=SKY, hatch="....", label="fails R9 (performance)"),
    ]
    curves, _ = above.get_legend_handles_labels()
    above.legend(handles=[*curves, *marks], loc="best")
