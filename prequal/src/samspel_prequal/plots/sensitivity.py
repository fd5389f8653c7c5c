"""R9: what a disturbance does to the frequency, against the performance limit 1/|D|."""

from __future__ import annotations

from typing import Final

import numpy as np
from matplotlib.figure import FigureBase

from samspel_prequal import rules
from samspel_prequal.evaluate.frequency_response import FrequencyResponse, grid_response, omega
from samspel_prequal.evaluate.performance import performance
from samspel_prequal.plots.style import BLACK, BLUE, FORBIDDEN, GREY, VERMILLION, note, period_axis, picture
from samspel_prequal.product import Product
from samspel_prequal.signals.signal import FloatArray

__all__ = ["sensitivity_plot"]

_FINE: Final = 300


@picture(3.6)
def sensitivity_plot(figure: FigureBase, measured: FrequencyResponse, product: Product) -> None:
    """0.95·|G/(1+F·G)|, tested periods below 1/|D|, and the grid without any response for comparison."""
    grid = rules.GRID_PERFORMANCE[product]
    limit = _limit(measured.omega)
    values = performance(measured, grid) * limit
    fine_s = np.geomspace(np.max(measured.period_s) * 1.15, np.min(measured.period_s) / 1.15, _FINE)
    fine = omega(fine_s)
    axes = figure.subplots()
    bare = rules.PERFORMANCE_MARGIN * np.abs(grid_response(grid, fine))
    top = 1.6 * float(max(np.max(bare), np.max(values), np.max(_limit(fine))))
    axes.fill_between(fine_s, _limit(fine), top, **FORBIDDEN)
    axes.plot(fine_s, _limit(fine), color=VERMILLION, linewidth=1.8, gid="limit", label="limit 1/|D|, D = 1/(70 s + 1)")
    axes.plot(fine_s, bare, ":", color=GREY, label="0.95·|G| without response")
    axes.plot(
        measured.period_s,
        values,
        "s-",
        color=BLUE,
        markeredgecolor=BLACK,
        markersize=5,
        gid="sensitivity",
        label="0.95·|G/(1+F·G)|, tested periods",
    )
    worst = int(np.argmax(values / limit))
    place = (float(measured.period_s[worst]), float(values[worst]))
    axes.plot(*place, "D", color=VERMILLION, markeredgecolor="white", markersize=8, zorder=9, gid="deciding")
    note(
        axes,
        f"decides: {values[worst] / limit[worst]:.2f} of the limit",
        place,
        (14, -28),
        color=VERMILLION,
        fontweight="bold",
    )
    axes.set_yscale("log")
    axes.set_ylim(float(np.min(values)) / 3, top)
    period_axis(axes, measured.period_s)
    axes.set_ylabel("frequency deviation per\nunit of disturbance [p.u.]")
    axes.set_title("R9: sensitivity against the performance limit")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)


def _limit(speed: FloatArray) -> FloatArray:
    """1/|D|."""
    return np.asarray(np.abs(1 + 1j * speed * rules.DISTURBANCE_TIME_CONSTANT_S), dtype=np.float64)
