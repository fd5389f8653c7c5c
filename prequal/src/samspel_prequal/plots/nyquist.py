"""R8: the Nyquist curve of L = F·G under every interpolation rule, the circles, and the point that decides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import FigureBase
from matplotlib.patches import Circle

from samspel_prequal import rules
from samspel_prequal.evaluate.frequency_response import FrequencyResponse, grid_response
from samspel_prequal.evaluate.interpolation import Interpolation, nyquist_curve
from samspel_prequal.evaluate.stability import Stability
from samspel_prequal.plots.style import (
    BLACK,
    BLUE,
    FORBIDDEN,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    VERMILLION,
    note,
    picture,
)
from samspel_prequal.product import Product

__all__ = ["nyquist_plot"]

_VIEW: Final = (-3.3, 2.3, -2.9, 1.2)  # round -1: what decides; the inset shows the rest
_LINES: Final[dict[Interpolation, dict[str, Any]]] = {
    Interpolation.INTERPOLATED_F_POLAR: {"color": BLUE, "linestyle": "-", "linewidth": 2.2},
    Interpolation.INTERPOLATED_F_CARTESIAN: {"color": ORANGE, "linestyle": (0, (6, 2))},
    Interpolation.CHORDS: {"color": GREEN, "linestyle": (0, (2, 1.2)), "linewidth": 1.6},
    Interpolation.CHORD_TO_ORIGIN: {"color": PURPLE, "linestyle": (0, (1, 1.5)), "linewidth": 1.6},
    Interpolation.MODEL: {"color": GREY, "linestyle": "-.", "linewidth": 1.0},
}


@picture(6.1)
def nyquist_plot(
    figure: FigureBase,
    measured: FrequencyResponse,
    product: Product,
    under: Mapping[Interpolation, Stability],
    *,
    radius: float,
    t_fme_s: float = 0.0,
) -> None:
    """The curve under each rule of `under`; `strictest` is not a curve of its own but marks the point that decides.

    Args:
        measured: F at the tested periods.
        product: whose grid model makes the loop.
        under: what R8 says under each rule.
        radius: the radius that must be kept; the nominal circle is drawn beside it.
        t_fme_s: time constant of the meter in F, for the model.
    """
    axes = figure.subplots()
    grid = rules.GRID_STABILITY[product]
    whole = axes.inset_axes((0.73, 0.03, 0.26, 0.26))
    for rule, style in _LINES.items():
        if rule in under:
            loop = nyquist_curve(rule, measured, grid, t_fme_s=t_fme_s).loop
            axes.plot(loop.real, loop.imag, gid=rule.value, label=_legend(under[rule], rule, radius), **style)
            whole.plot(loop.real, loop.imag, **(style | {"linewidth": 0.9}))
    loop = measured.response * grid_response(grid, measured.omega)
    _points(axes, measured, loop)
    _circles(axes, radius)
    if Interpolation.STRICTEST in under:
        _deciding(axes, under[Interpolation.STRICTEST])
    _frame(axes, whole)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2)


def _legend(found: Stability, rule: Interpolation, radius: float) -> str:
    side = ", encircles" if found.encirclements else ""
    verdict = "passes" if found.value >= radius else "FAILS"
    kind = " (warning only)" if rule is Interpolation.MODEL else ""
    return f"{rule.value}{kind}: {found.distance:.3f}{side}, {verdict}"


def _points(axes: Axes, measured: FrequencyResponse, loop: np.ndarray[Any, np.dtype[np.complex128]]) -> None:
    axes.plot(loop.real, loop.imag, "o", color=BLACK, markersize=4, gid="measured", label="measured periods", zorder=6)
    left, right, low, high = _VIEW
    for period_s, point in zip(measured.period_s, loop, strict=True):
        if left < point.real < right and low < point.imag < high:
            place = (float(point.real), float(point.imag))
            axes.annotate(f"{period_s:g} s", place, xytext=(5, -9), textcoords="offset points", fontsize=7.5, zorder=7)


def _circles(axes: Axes, radius: float) -> None:
    accepted = Circle((-1, 0), radius, gid="accepted", **(FORBIDDEN | {"zorder": 1}))
    nominal = Circle((-1, 0), rules.STABILITY_RADIUS, fill=False, color=VERMILLION, linestyle=":", linewidth=1.0)
    accepted.set_label(f"must stay outside: {radius:.4f}")
    nominal.set_label(f"nominal circle: {rules.STABILITY_RADIUS:g}")
    axes.add_patch(accepted)
    axes.add_patch(Circle((-1, 0), radius, fill=False, color=VERMILLION, linewidth=1.4))
    axes.add_patch(nominal)
    axes.plot(-1, 0, "+", color=VERMILLION, markersize=9, markeredgewidth=1.6)


def _deciding(axes: Axes, found: Stability) -> None:
    at = (found.nearest.real, found.nearest.imag)
    axes.plot([-1, at[0]], [0, at[1]], color=VERMILLION, linewidth=1.2, gid="distance")
    axes.plot(*at, "D", color=VERMILLION, markeredgecolor="white", markersize=7, gid="deciding", zorder=9)
    side = "\n-1 is encircled: unstable" if found.encirclements else ""
    text = f"decides: {found.distance:.3f} from -1{side}\n({found.rule.value}, near {found.nearest_period_s:.3g} s)"
    place = {"xytext": (0.985, 0.97), "textcoords": "axes fraction", "ha": "right", "va": "top"}
    note(axes, text, at, (0, 0), color=VERMILLION, fontweight="bold", **place)


def _frame(axes: Axes, whole: Axes) -> None:
    for line in (axes.axhline, axes.axvline):
        line(0, color="0.6", linewidth=0.7)
    axes.set_xlim(*_VIEW[:2])
    axes.set_ylim(*_VIEW[2:])
    axes.set_aspect("equal")
    axes.set_xlabel("Re L [-]")
    axes.set_ylabel("Im L [-]")
    axes.set_title("R8: Nyquist curve of L = F·G and the circle round -1")
    whole.set_title("whole curve", fontsize=7, fontweight="normal", pad=2)
    whole.tick_params(labelsize=6, length=2)
    whole.set_aspect("equal", adjustable="datalim")
    whole.plot(-1, 0, "+", color=VERMILLION, markersize=6)
