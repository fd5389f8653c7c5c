"""The look of every plot: a printed page wide, safe for colour-blind eyes, and told apart in grey as well.

Colours are those of Okabe and Ito, taken so that their greys differ; whatever differs in colour also differs in line
style, marker or hatch.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import wraps
from io import BytesIO
from itertools import pairwise
from typing import Any, Concatenate, Final, ParamSpec

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase

from samspel_prequal import rules
from samspel_prequal.evaluate.traces import Trace
from samspel_prequal.signals.signal import FloatArray

__all__ = [
    "BLACK",
    "BLUE",
    "FORBIDDEN",
    "GREEN",
    "GREY",
    "ORANGE",
    "PURPLE",
    "SKY",
    "VERMILLION",
    "WIDTH_IN",
    "Picture",
    "frequency_panel",
    "legend_above",
    "looking",
    "note",
    "period_axis",
    "picture",
    "thinned",
]

BLACK: Final = "#000000"
GREY: Final = "#7a7a7a"
BLUE: Final = "#0072b2"
SKY: Final = "#56b4e9"
GREEN: Final = "#009e73"
ORANGE: Final = "#e69f00"
VERMILLION: Final = "#d55e00"
PURPLE: Final = "#cc79a7"
# Where a curve must not be: a tint for the screen and a hatch for the photocopy.
FORBIDDEN: Final[dict[str, Any]] = {
    "facecolor": "#f7dccb",
    "edgecolor": "#d9a283",
    "hatch": "////",
    "linewidth": 0.0,
    "zorder": 0,
}

WIDTH_IN: Final = 6.85  # between the margins of an A4 page
DPI: Final = 180
MOST_POINTS: Final = 3000  # of a curve that is drawn; a page has fewer dots across
_LOOK: Final[dict[Any, Any]] = {  # matplotlib lists every key in its type
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same everywhere
    "font.size": 8.5,
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 8.5,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 7.5,
    "legend.framealpha": 0.92,
    "legend.edgecolor": "0.8",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "0.88",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "axes.formatter.useoffset": False,
    "lines.linewidth": 1.4,
    "hatch.linewidth": 0.5,
    "pdf.fonttype": 42,
    "svg.hashsalt": "samspel",
}

P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Picture:
    """What is to be drawn, page-wide and so high, on a figure of its own or on a part of a page."""

    height_in: float
    paint: Callable[[FigureBase], None]

    def figure(self) -> Figure:
        """The picture alone."""
        figure = Figure(figsize=(WIDTH_IN, self.height_in), layout="constrained")
        self.on(figure)
        return figure

    def on(self, figure: FigureBase) -> None:
        """Draw it there, under the common look, which is gone afterwards."""
        with looking():
            self.paint(figure)

    def png(self, dpi: int = DPI) -> bytes:
        """As PNG, without a mark of the program or the time: the same figures give the same bytes."""
        out = BytesIO()
        with looking():
            self.figure().savefig(out, format="png", dpi=dpi, metadata={"Software": None})
        return out.getvalue()


def picture(height_in: float) -> Callable[[Callable[Concatenate[FigureBase, P], None]], Callable[P, Picture]]:
    """Turns a function that draws on a figure into one that returns the picture."""

    def wrapped(paint: Callable[Concatenate[FigureBase, P], None]) -> Callable[P, Picture]:
        @wraps(paint)
        def made(*args: P.args, **kwargs: P.kwargs) -> Picture:
            return Picture(height_in, lambda figure: paint(figure, *args, **kwargs))

        return made

    return wrapped


def looking() -> AbstractContextManager[None]:
    """The common look, for as long as the context lasts."""
    return mpl.rc_context(_LOOK)


def legend_above(axes: Axes, columns: int = 6) -> None:
    """A legend in one line on the upper edge, to the right, where it hides nothing."""
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 0.98), ncols=columns, frameon=False, borderpad=0.1)


def note(axes: Axes, text: str, at: tuple[float, float], offset: tuple[float, float], **more: object) -> None:
    """Text beside a point, with a thin line to it. `offset` is in points."""
    style: dict[str, Any] = {
        "xytext": offset,
        "textcoords": "offset points",
        "fontsize": 7.5,
        "arrowprops": {"arrowstyle": "-", "color": GREY, "linewidth": 0.7, "shrinkB": 2},
        "bbox": {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.85},
        "zorder": 8,
    }
    axes.annotate(text, at, **(style | more))


def frequency_panel(axes: Axes, trace: Trace, *, mirrored: bool) -> None:
    """The frequency of a log as it was; a trace of FCR-D down is mirrored at 50 Hz and turned back here."""
    hz = 2 * rules.NOMINAL_HZ - trace.frequency_hz if mirrored else trace.frequency_hz
    axes.plot(*thinned(trace.time_s, hz), color=BLACK, linewidth=1.1, gid="frequency")
    for level_hz in rules.NORMAL_BAND_HZ:
        axes.axhline(level_hz, color=GREY, linewidth=0.7, linestyle="--")
    axes.set_ylabel("frequency [Hz]")
    axes.margins(x=0.01)


def period_axis(axes: Axes, period_s: FloatArray, *, label: bool = True) -> None:
    """Periods on a logarithmic axis, longest to the left as low frequency is, marked where something was measured."""
    axes.set_xscale("log")
    axes.set_xlim(float(np.max(period_s)) * 1.15, float(np.min(period_s)) / 1.15)
    axes.set_xticks(period_s, [f"{period:g}" for period in period_s])
    axes.set_xticks([], minor=True)
    if label:
        axes.set_xlabel("period T of the sine [s]")


def thinned(time_s: FloatArray, values: FloatArray, most: int = MOST_POINTS) -> tuple[FloatArray, FloatArray]:
    """Few points that draw the same picture: the least and the largest value of every piece, in their order."""
    if len(time_s) <= most:
        return time_s, values
    edges = np.linspace(0, len(time_s), most // 2 + 1).astype(int)
    keep = [0, len(time_s) - 1]
    for start, stop in pairwise(edges):
        piece = values[start:stop]
        keep += [start + int(np.argmin(piece)), start + int(np.argmax(piece))]
    chosen = np.unique(keep)
    return time_s[chosen], values[chosen]
