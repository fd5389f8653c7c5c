"""The FCR-N step sequence: response, averaging windows, steady powers and R1's tolerance bands."""

from __future__ import annotations

from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import FigureBase

from samspel_prequal import rules
from samspel_prequal.evaluate.steps import StepFigures
from samspel_prequal.evaluate.traces import Trace
from samspel_prequal.evaluate.windows import AveragingWindow
from samspel_prequal.plots.style import (
    BLACK,
    BLUE,
    GREEN,
    SKY,
    VERMILLION,
    frequency_panel,
    legend_above,
    note,
    picture,
    thinned,
)

__all__ = ["steps_plot"]

_LONGEST_REST_S: Final = 300.0


@picture(4.3)
def steps_plot(figure: FigureBase, trace: Trace, figures: StepFigures, due_w: float, window: AveragingWindow) -> None:
    """Power in shares of |ΔP_theoretical| round the rest before and after, with everything that R1 looks at."""
    rest_w = (figures.p0_w + figures.p3_w) / 2
    above, axes = figure.subplots(2, sharex=True, height_ratios=(1, 2.4))
    frequency_panel(above, trace, mirrored=False)
    above.set_title("R1: steps of FCR-N")
    axes.plot(*thinned(trace.time_s, (trace.power_w - rest_w) / due_w), color=BLUE, gid="power", label="power")
    _bands(axes, figures)
    _windows(axes, trace, figures, due_w, rest_w, window)
    axes.set_ylim(-1.45, 1.45)
    axes.set_xlabel("time in the log [s]")
    axes.set_ylabel("ΔP / |ΔP_theoretical| [-]")
    legend_above(axes)


def _bands(axes: Axes, figures: StepFigures) -> None:
    """R1's tolerance on both sides while the deviation lasts."""
    low, high = 1 - rules.STEADY_STATE_UNDER, 1 + rules.STEADY_STATE_OVER
    ends = [move.start_s for move in figures.moves]
    for number, sign in ((0, 1), (1, -1)):
        label = "tolerance of R1: -5 % to +20 %" if number == 0 else None
        place = ([ends[number], ends[number + 1]], sign * low, sign * high)
        axes.fill_between(*place, color=GREEN, alpha=0.22, linewidth=0, hatch="....", gid="band", label=label)
        axes.hlines((sign * low, sign * high), ends[number], ends[number + 1], color=GREEN, linewidth=0.9)


def _windows(
    axes: Axes, trace: Trace, figures: StepFigures, due_w: float, rest_w: float, window: AveragingWindow
) -> None:
    """Where each steady power was read, and what it came to."""
    moves = figures.moves
    end_s = min(float(trace.time_s[-1]), moves[-1].end_s + _LONGEST_REST_S)
    arrivals = [max(float(trace.time_s[0]), moves[0].start_s - _LONGEST_REST_S), *(move.end_s for move in moves)]
    departures = [*(move.start_s for move in moves), end_s]
    powers = (figures.p0_w, figures.p1_w, figures.p2_w, figures.p3_w)
    for number, (arrival, departure, power_w) in enumerate(zip(arrivals, departures, powers, strict=True)):
        bounds = window.bounds_s(arrival, departure)
        share = (power_w - rest_w) / due_w
        label = f"averaging window ({window.value})" if number == 0 else None
        axes.axvspan(*bounds, color=SKY, alpha=0.3, linewidth=0, zorder=0, label=label)
        axes.plot(bounds, (share, share), color=VERMILLION, linewidth=2.6, gid=f"P{number}", zorder=5)
        below = number in {0, 1}
        note(axes, f"P{number}: {share:+z.3f}", (sum(bounds) / 2, share), (-46, -26 if below else 22), color=BLACK)
