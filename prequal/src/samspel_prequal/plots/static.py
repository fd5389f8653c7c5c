"""Relay-like entities: the static FCR-D ramp (R1 to R3, R5) and the staircase within its envelope (R11)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.figure import FigureBase

from samspel_prequal import rules
from samspel_prequal.evaluate.linearity import Level, envelope
from samspel_prequal.evaluate.static import StaticFigures
from samspel_prequal.evaluate.traces import Trace
from samspel_prequal.plots.style import (
    BLACK,
    BLUE,
    FORBIDDEN,
    GREEN,
    VERMILLION,
    frequency_panel,
    legend_above,
    note,
    picture,
    thinned,
)
from samspel_prequal.product import Product

__all__ = ["staircase_plot", "static_plot"]

_FINE: Final = 400
_DOWN_HZ: Final = 2 * rules.NOMINAL_HZ  # less a mirrored frequency


@picture(4.3)
def static_plot(figure: FigureBase, trace: Trace, figures: StaticFigures, due_w: float, product: Product) -> None:
    """The static ramp: tolerance of the steady power, the ceiling of the peak, and the points at 2.5 and 7.5 s."""
    above, axes = figure.subplots(2, sharex=True, height_ratios=(1, 2.4))
    frequency_panel(above, trace, mirrored=product is Product.FCR_D_DOWN)
    above.set_title(f"R1 to R3, R5 to R7: static {product.value}")
    start_s, share = figures.activation.start_s, (trace.power_w - figures.activation.rest_w) / due_w
    axes.plot(*thinned(trace.time_s, share), color=BLUE, gid="power", label="power")
    low, high = 1 - rules.STEADY_STATE_UNDER, 1 + rules.STATIC_STEADY_STATE_OVER
    axes.axhspan(low, high, color=GREEN, alpha=0.2, linewidth=0, hatch="....", label="tolerance of R1: -5 % to +10 %")
    top = max(1.45, float(np.max(share)) + 0.15)
    axes.axhspan(rules.STATIC_PEAK, top, label="above R5a's peak", **FORBIDDEN)
    points = (
        (rules.STATIC_RESPONSE_BY_S, figures.early_w, "R5b"),
        (rules.ACTIVATION_TIME_S, figures.activation.power_w, "R2"),
    )
    for number, (after_s, power_w, name) in enumerate(points):
        at = (start_s + after_s, power_w / due_w)
        axes.plot(*at, "D", color=VERMILLION, markeredgecolor="white", markersize=7, zorder=9, gid=name)
        text = f"{name}: {power_w / due_w:.3f} at {after_s:g} s"
        note(axes, text, at, (40, -30 - 22 * number), color=VERMILLION, fontweight="bold")
    axes.set_ylim(min(-0.15, float(np.min(share)) - 0.05), top)
    axes.set_xlabel("time in the log [s]")
    axes.set_ylabel("ΔP / |ΔP_theoretical| [-]")
    legend_above(axes)


@picture(3.6)
def staircase_plot(figure: FigureBase, levels: Sequence[Level], product: Product) -> None:
    """Least and largest moving average at every held frequency, and the envelope that they must not leave."""
    axes = figure.subplots()
    ends = (49.9, 50.1) if product is Product.FCR_N else (49.5, 49.92)
    fine_hz = np.linspace(*ends, _FINE)
    edges = np.array([envelope(product, float(hz)) for hz in fine_hz])
    turned = product is Product.FCR_D_DOWN
    shown_hz = _DOWN_HZ - fine_hz if turned else fine_hz
    axes.fill_between(shown_hz, *edges.T, color=GREEN, alpha=0.2, linewidth=0, hatch="....", label="envelope of R11")
    held_hz = np.array([_DOWN_HZ - one.frequency_hz if turned else one.frequency_hz for one in levels])
    lowest, highest = np.array([one.lowest for one in levels]), np.array([one.highest for one in levels])
    axes.vlines(held_hz, lowest, highest, color=BLUE, linewidth=2.5)
    axes.plot(held_hz, lowest, "v", color=BLUE, markersize=4, gid="lowest", label="least 10 s mean")
    axes.plot(held_hz, highest, "^", color=BLACK, markersize=4, gid="highest", label="largest 10 s mean")
    at = min(range(len(levels)), key=lambda number: levels[number].room)
    place = (float(held_hz[at]), float(lowest[at] + highest[at]) / 2)
    axes.plot(*place, "D", color=VERMILLION, markeredgecolor="white", markersize=7, zorder=9, gid="deciding")
    note(axes, f"decides: room {levels[at].room:+z.3f}", place, (-74, 26), color=VERMILLION, fontweight="bold")
    axes.set_title("R11: staircase")
    axes.set_xlabel("held frequency [Hz]")
    axes.set_ylabel("ΔP / |ΔP_theoretical| [-]")
    legend_above(axes)
