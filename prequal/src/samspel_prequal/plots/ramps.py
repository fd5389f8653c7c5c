"""The FCR-D ramp sequence: the whole (R1), the activation (R2, R3, hold) and the deactivation (R4).

A trace is in the upward product's frame, so power is a share of |ΔP_theoretical| in the direction of delivery.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import FigureBase

from samspel_prequal import rules
from samspel_prequal.evaluate.ramps import RampFigures
from samspel_prequal.evaluate.traces import Trace
from samspel_prequal.evaluate.windows import AveragingWindow, value_at
from samspel_prequal.plots.style import (
    BLACK,
    BLUE,
    FORBIDDEN,
    GREEN,
    GREY,
    ORANGE,
    SKY,
    VERMILLION,
    frequency_panel,
    legend_above,
    note,
    picture,
    thinned,
)
from samspel_prequal.product import Product
from samspel_prequal.signals.signal import FloatArray

__all__ = ["activation_plot", "deactivation_plot", "ramps_plot"]

SHARE_LABEL: Final = "ΔP / |ΔP_theoretical| [-]"
_SAMPLE_S: Final = 0.02
_AFTER_S: Final = 12.0
_REST_S: Final = 10.0


@picture(4.3)
def ramps_plot(
    figure: FigureBase, trace: Trace, figures: RampFigures, due_w: float, window: AveragingWindow, product: Product
) -> None:
    """The whole sequence, with the windows in which steady powers were read and the tolerance of P3 - P4."""
    above, axes = figure.subplots(2, sharex=True, height_ratios=(1, 2.2))
    frequency_panel(above, trace, mirrored=product is Product.FCR_D_DOWN)
    above.set_title(f"R1: ramps of {product.value}", pad=14)
    share = (trace.power_w - figures.p4_w) / due_w
    axes.plot(*thinned(trace.time_s, share), color=BLUE, gid="power", label="power")
    moves = {move.label: move for move in figures.moves}
    for move in figures.moves:
        side = {"1": "right", "2": "left"}.get(move.label, "center")  # the first two are five seconds apart
        place = (move.start_s, above.get_ylim()[1])
        nudge = ({"right": -1, "left": 1}.get(side, 0), 0)
        above.annotate(
            move.label,
            place,
            nudge,
            textcoords="offset points",
            fontsize=7.5,
            ha=side,
            va="bottom",
            annotation_clip=False,
        )
    low, high = 1 - rules.STEADY_STATE_UNDER, 1 + rules.STEADY_STATE_OVER
    bounds = (moves["3"].start_s, moves["4"].start_s)
    axes.fill_between(
        bounds,
        low,
        high,
        color=GREEN,
        alpha=0.22,
        linewidth=0,
        hatch="....",
        gid="band",
        label="tolerance of R1: -5 % to +20 %",
    )
    axes.hlines((low, high), *bounds, color=GREEN, linewidth=0.9)
    _windows(axes, trace, figures, due_w, window)
    axes.set_ylim(min(-0.3, float(np.min(share)) - 0.1), max(1.45, float(np.max(share)) + 0.15))
    axes.set_xlabel("time in the log [s]")
    axes.set_ylabel(SHARE_LABEL)
    legend_above(axes)


def _windows(axes: Axes, trace: Trace, figures: RampFigures, due_w: float, window: AveragingWindow) -> None:
    moves = {move.label: move for move in figures.moves}
    last_s = moves["7"].start_s if "7" in moves else min(float(trace.time_s[-1]), moves["6"].end_s + 300.0)
    holds = {
        "3": (moves["3"].end_s, moves["4"].start_s, figures.p3_w),
        "4": (moves["4"].end_s, moves["5"].start_s, figures.p4_w),
        "6": (moves["6"].end_s, last_s, figures.p6_w),
    }
    for number, (arrival, departure, power_w) in holds.items():
        if power_w is None:
            continue
        bounds = window.bounds_s(arrival, departure)
        share = (power_w - figures.p4_w) / due_w
        label = f"averaging window ({window.value})" if number == "3" else None
        axes.axvspan(*bounds, color=SKY, alpha=0.3, linewidth=0, zorder=0, label=label)
        axes.plot(bounds, (share, share), color=VERMILLION, linewidth=2.6, gid=f"P{number}", zorder=5)
        note(axes, f"P{number}: {share:+z.3f}", (sum(bounds) / 2, share), (-52, -26 if share > 0.5 else 24))


@picture(3.7)
def activation_plot(figure: FigureBase, trace: Trace, figures: RampFigures, due_w: float) -> None:
    """Ramp 5: power after 7.5 s (R2), the area until then (R3), and the hold until ramp 6."""
    active = figures.activation
    since_s = trace.time_s - active.start_s
    share = (trace.power_w - active.rest_w) / due_w
    near, far = figure.subplots(1, 2, sharey=True, width_ratios=(1.6, 1))
    until_s = rules.ACTIVATION_TIME_S
    leave_s = next(move.start_s for move in figures.moves if move.label == "6") - active.start_s
    for axes, bounds in ((near, (-1.0, _AFTER_S)), (far, (-2.0, leave_s + 3))):
        axes.plot(*_part(since_s, share, bounds), color=BLUE, gid="power")
        axes.set_xlim(*bounds)
        axes.axvline(until_s, color=BLACK, linewidth=0.8, linestyle=":")
        axes.set_xlabel("time since the start of ramp 5 [s]")
    _area(near, since_s, share, active.energy_ws / due_w)
    _reached(near, active.power_w / due_w)
    _hold(far, figures, due_w, leave_s)
    top = max(1.3, float(np.max(_part(since_s, share, (-2.0, leave_s))[1])) + 0.15)
    near.set_ylim(min(-0.1, float(np.min(_part(since_s, share, (-1.0, leave_s))[1])) - 0.05), top)
    near.set_ylabel(SHARE_LABEL)
    near.set_title("R2 and R3: the first 7.5 s")
    far.set_title("Hold until ramp 6")


def _area(axes: Axes, since_s: FloatArray, share: FloatArray, energy_s: float) -> None:
    """R3's area, with its size."""
    fine = np.arange(0.0, rules.ACTIVATION_TIME_S + _SAMPLE_S / 2, _SAMPLE_S)
    axes.fill_between(
        fine, 0.0, np.interp(fine, since_s, share), color=SKY, alpha=0.45, linewidth=0, hatch="\\\\", gid="energy"
    )
    verdict = "≥" if energy_s >= rules.ACTIVATION_ENERGY_S else "<"
    axes.text(
        rules.ACTIVATION_TIME_S - 0.25,
        0.06,
        f"R3: {energy_s:.2f} s {verdict} {rules.ACTIVATION_ENERGY_S:g} s",
        ha="right",
        fontsize=8,
        fontweight="bold",
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1.5},
    )


def _reached(axes: Axes, share: float) -> None:
    """R2's point, and the bar it has to jump over."""
    at_s, due = rules.ACTIVATION_TIME_S, rules.ACTIVATION_POWER_SHARE
    axes.fill_between((at_s, at_s + 0.35), -1.0, due, **FORBIDDEN)
    axes.plot((at_s - 0.3, at_s + 0.65), (due, due), color=VERMILLION, linewidth=2.0, gid="due")
    axes.plot(at_s, share, "D", color=VERMILLION, markeredgecolor="white", markersize=8, zorder=9, gid="reached")
    verdict = "≥" if share >= due else "<"
    note(axes, f"R2: {share:.3f} {verdict} {due:g}", (at_s, share), (22, -40), color=VERMILLION, fontweight="bold")


def _hold(axes: Axes, figures: RampFigures, due_w: float, leave_s: float) -> None:
    """The hold rule: not below what 7.5 s showed."""
    level = figures.activation.power_w / due_w
    axes.fill_between((rules.ACTIVATION_TIME_S, leave_s), -1.0, level, **FORBIDDEN)
    axes.hlines(level, rules.ACTIVATION_TIME_S, leave_s, color=VERMILLION, linewidth=1.2)
    axes.axvline(leave_s, color=BLACK, linewidth=0.8, linestyle=":")
    text = f"least: {figures.least_held_w / due_w:.3f}\nat 7.5 s: {level:.3f}"
    axes.text(
        leave_s / 2 + 4,
        level / 2,
        text,
        ha="center",
        fontsize=8,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 2},
    )


@picture(4.0)
def deactivation_plot(figure: FigureBase, trace: Trace, figures: RampFigures, due_w: float) -> None:
    """R4: what is delivered above the allowed level after the nadir, and its running integral against 2.5 s."""
    start_s = next(move.start_s for move in figures.moves if move.label == "1")
    rest = trace.power_w[(trace.time_s >= start_s - _REST_S - 1e-6) & (trace.time_s < start_s - 1e-6)]
    since_s, share = trace.time_s - start_s, (trace.power_w - float(np.mean(rest))) / due_w
    t_n = rules.DEACTIVATION_SAMPLE_S
    fine = np.arange(t_n, t_n + rules.DEACTIVATION_WINDOW_S + _SAMPLE_S / 2, _SAMPLE_S)
    level = min(abs(value_at(since_s, share, t_n)), rules.DEACTIVATION_POWER_CAP)
    response = np.interp(fine, since_s, share)
    above, below = figure.subplots(2, sharex=True)
    above.plot(
        *_part(since_s, share, (-3.0, t_n + rules.DEACTIVATION_WINDOW_S)), color=BLUE, gid="power", label="power"
    )
    above.hlines(level, t_n, fine[-1], color=ORANGE, linestyle="--", label=f"allowed level {level:.2f}")
    above.fill_between(
        fine, level, response, where=(response > level).tolist(), color=VERMILLION, alpha=0.3, linewidth=0, hatch="////"
    )
    above.plot(t_n, value_at(since_s, share, t_n), "o", color=BLACK, markersize=5, gid="sampled", label="t_n = 4.4 s")
    _excess(below, fine, response - level, figures.excess_ws / due_w)
    above.set_ylabel(SHARE_LABEL)
    above.set_title("R4: what is delivered too long after the turn of ramp 1")
    above.legend(loc="upper right")
    below.set_xlabel("time since the start of ramp 1 [s]")


def _excess(axes: Axes, fine: FloatArray, above: FloatArray, excess_s: float) -> None:
    pieces = (above[1:] + above[:-1]) / 2 * np.diff(fine)
    running = np.concatenate([[0.0], np.cumsum(pieces)])
    limit = rules.DEACTIVATION_ENERGY_S
    bottom, top = min(-1.0, excess_s - 4.0), max(limit * 1.35, excess_s * 1.25)
    axes.plot(fine, running, color=BLACK, linewidth=1.4, gid="excess")
    axes.fill_between((fine[0], fine[-1]), limit, top, **FORBIDDEN)
    axes.axhline(limit, color=VERMILLION, linewidth=1.6)
    at = int(np.argmax(running))
    axes.plot(fine[at], running[at], "D", color=VERMILLION, markeredgecolor="white", markersize=8, zorder=9, gid="most")
    verdict = "≤" if excess_s <= limit else ">"
    text = f"R4: {excess_s:.2f} s {verdict} {limit:g} s"
    note(axes, text, (float(fine[at]), float(running[at])), (26, -20), color=VERMILLION, fontweight="bold")
    axes.axhline(0, color=GREY, linewidth=0.7)
    axes.set_ylim(bottom, top)
    axes.set_ylabel("excess since t_n [s of ΔPt]")


def _part(time_s: FloatArray, values: FloatArray, bounds: tuple[float, float]) -> tuple[FloatArray, FloatArray]:
    """What lies within the bounds, and one sample more on each side."""
    first, last = np.searchsorted(time_s, bounds)
    which = slice(max(int(first) - 1, 0), int(last) + 1)
    return time_s[which], values[which]
