"""Every sine with its fit and what the fit leaves over: gain, phase and R10's residual at a glance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import FigureBase

from samspel_prequal import rules
from samspel_prequal.evaluate.frequency_response import SinePoint
from samspel_prequal.evaluate.sine_fit import SineFit
from samspel_prequal.evaluate.traces import Trace
from samspel_prequal.plots.style import BLACK, BLUE, GREY, VERMILLION, Picture, thinned
from samspel_prequal.product import Product
from samspel_prequal.signals.signal import FloatArray

__all__ = ["Sine", "sines_plot"]

_COLUMNS: Final = 2
_PERIODS: Final = 2  # shown of each, the last ones


@dataclass(frozen=True, slots=True)
class Sine:
    """One sine log and what was read from it."""

    trace: Trace
    point: SinePoint


def sines_plot(sines: Sequence[Sine], due_w: float, product: Product) -> Picture:
    """The last two evaluated periods of each sine; powers and control error in shares of full activation."""
    rows = math.ceil(len(sines) / _COLUMNS)
    return Picture(1.35 * rows + 0.75, lambda figure: _paint(figure, rows, sines, due_w, product))


def _paint(figure: FigureBase, rows: int, sines: Sequence[Sine], due_w: float, product: Product) -> None:
    grid = figure.subplots(rows, _COLUMNS, sharey=True, squeeze=False)
    ordered = sorted(sines, key=lambda one: one.point.period_s)
    for axes, one in zip(grid.flat, ordered, strict=False):
        _cell(axes, one, due_w, product)
    for axes in grid.flat[len(sines) :]:
        axes.set_axis_off()
    handles, labels = grid.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=4)
    figure.supxlabel("time in the shown periods [s]", fontsize=8.5)
    figure.supylabel("share of |ΔP_theoretical| [-]", fontsize=8.5)


def _cell(axes: Axes, one: Sine, due_w: float, product: Product) -> None:
    point, trace = one.point, one.trace
    stop = point.section.stop
    first = int(np.searchsorted(trace.time_s, trace.time_s[stop - 1] - _PERIODS * point.period_s))
    part = slice(max(first, point.section.start), stop)
    time_s = trace.time_s[part]
    power = (trace.power_w[part] - point.power_fit.offset) / due_w
    fit = _sine(point.power_fit, time_s, point.period_s) / due_w
    error = (point.frequency_fit.offset - trace.frequency_hz[part]) / rules.BANDS[product].span_hz
    since_s = time_s - time_s[0]
    axes.plot(*thinned(since_s, error), color=BLACK, linestyle=":", linewidth=1.0, label="control error f_ref - f")
    axes.plot(*thinned(since_s, power), color="0.62", linewidth=3.4, gid="power", label="power")
    axes.plot(
        *thinned(since_s, fit), color=BLUE, linestyle=(0, (4, 1.5)), linewidth=1.4, gid="fit", label="fitted sine"
    )
    axes.plot(*thinned(since_s, power - fit), color=VERMILLION, linewidth=0.9, gid="residual", label="residual")
    axes.axhline(0, color=GREY, linewidth=0.6)
    axes.margins(x=0)
    enough = "" if point.section.enough else f" · only {point.section.stationary} stationary"
    mark = "" if point.residual < rules.MAX_SINE_RESIDUAL else " FAILS R10"
    title = f"T = {point.period_s:g} s · |F| {point.gain:.3f} · {point.phase_deg:.1f}° · residual {point.residual:.3f}"
    axes.set_title(title + mark + enough, fontsize=7.5, fontweight="normal", pad=3)


def _sine(fit: SineFit, time_s: FloatArray, period_s: float) -> FloatArray:
    turn = np.exp(2j * np.pi * time_s / period_s)
    return np.asarray((fit.phasor * turn).real, dtype=np.float64)
