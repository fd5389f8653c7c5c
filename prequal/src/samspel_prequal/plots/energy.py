"""R12 of a limited reservoir: frequency, power, NEM, AEM and state of charge through the energy-management test."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import FigureBase
from numpy.typing import NDArray

from samspel_prequal import rules
from samspel_prequal.evaluate.energy import EnergyFigures
from samspel_prequal.plots.style import (
    BLACK,
    BLUE,
    FORBIDDEN,
    GREEN,
    GREY,
    ORANGE,
    VERMILLION,
    legend_above,
    picture,
    thinned,
)
from samspel_prequal.product import Product
from samspel_prequal.signals.signal import FloatArray

__all__ = ["energy_plot"]


@picture(6.2)
def energy_plot(
    figure: FigureBase,
    figures: EnergyFigures,
    frequency_hz: FloatArray,
    product: Product,
    energy_h: float,
    thresholds: rules.EnergyThresholds | None = None,
) -> None:
    """Four panels over one axis of minutes; seconds that disagree with the requirements are hatched.

    Args:
        figures: the log and its plan, second by second.
        frequency_hz: the frequency in each of those seconds.
        product: one of the three FCR products.
        energy_h: the reservoir in hours of capacity.
        thresholds: of NEM and AEM; those of the requirements by default.
    """
    minute = figures.second / 60
    hz, power, flags, soc = figure.subplots(4, sharex=True, height_ratios=(1, 1.5, 1, 1.3))
    hz.plot(*thinned(minute, frequency_hz), color=BLACK, linewidth=1.1, gid="frequency")
    for level_hz in rules.NORMAL_BAND_HZ:
        hz.axhline(level_hz, color=GREY, linewidth=0.7, linestyle="--")
    hz.set_ylabel("frequency\n[Hz]")
    hz.set_title(f"R12: energy management of {product.value}")
    _power(power, minute, figures)
    _flags(flags, minute, figures)
    _soc(soc, minute, figures.soc, product, energy_h, thresholds or rules.THRESHOLDS[product])
    soc.set_xlabel("time in the test [min]")
    soc.set_xlim(0, float(minute[-1]))
    figure.align_ylabels()


def _power(axes: Axes, minute: FloatArray, figures: EnergyFigures) -> None:
    due = figures.plan.power
    axes.plot(
        *thinned(minute, figures.power), color=BLUE, linewidth=2.6, alpha=0.7, gid="power", label="measured power"
    )
    axes.plot(*thinned(minute, due), color=BLACK, linewidth=0.9, linestyle="--", gid="due", label="due (eq. 14 to 26)")
    _wrong(axes, minute, figures.power_wrong)
    low, high = min(np.min(due), np.min(figures.power)), max(np.max(due), np.max(figures.power))
    axes.set_ylim(low - 0.15, high + 0.15)
    axes.set_ylabel("power / C [-]\n(injection +)")
    legend_above(axes)


def _flags(axes: Axes, minute: FloatArray, figures: EnergyFigures) -> None:
    plan = figures.plan
    axes.plot(*thinned(minute, plan.nem_level), color=BLUE, gid="nem_level", label="NEM_current")
    allowed = plan.nem_allowed.astype(np.float64)
    axes.plot(*thinned(minute, allowed), color=GREEN, linestyle=":", linewidth=1.3, gid="nem", label="NEM allowed A")
    axes.fill_between(
        minute, -1.0, 1.0, where=plan.aem_on.tolist(), color=ORANGE, alpha=0.35, linewidth=0, hatch="\\\\", gid="aem",
        label="AEM on",
    )  # fmt: skip
    _wrong(axes, minute, figures.nem_wrong | figures.aem_wrong)
    axes.set_ylim(-1.25, 1.25)
    axes.set_yticks((-1, 0, 1))
    axes.set_ylabel("NEM, AEM [-]\n(charge -)")
    legend_above(axes)


def _soc(
    axes: Axes, minute: FloatArray, soc: FloatArray, product: Product, energy_h: float, limits: rules.EnergyThresholds
) -> None:
    axes.plot(*thinned(minute, 100 * soc), color=BLUE, linewidth=1.8, gid="soc", label="state of charge")
    rows: tuple[tuple[str, float, dict[str, Any]], ...] = (
        ("AEM on", limits.aem_on_min, {"color": VERMILLION, "linestyle": "-"}),
        ("AEM off", limits.aem_off_min, {"color": VERMILLION, "linestyle": ":"}),
        ("NEM on", limits.nem_on_min, {"color": GREEN, "linestyle": "--"}),
        ("NEM off", limits.nem_off_min, {"color": GREEN, "linestyle": "-."}),
    )
    for name, minutes, style in rows:
        share = 100 * minutes / (60 * energy_h)
        sides = [share] if product is not Product.FCR_D_DOWN else []
        sides += [100 - share] if product is not Product.FCR_D_UP else []
        for number, level in enumerate(sides):
            axes.axhline(level, linewidth=1.0, label=name if number == 0 else None, **style)
    axes.set_ylim(-3, 103)
    axes.set_ylabel("state of\ncharge [%]")
    legend_above(axes)


def _wrong(axes: Axes, minute: FloatArray, wrong: NDArray[np.bool_]) -> None:
    if np.any(wrong):
        low, high = axes.get_ylim()
        axes.fill_between(minute, min(low, -3), max(high, 3), where=wrong.tolist(), label="disagrees", **FORBIDDEN)
