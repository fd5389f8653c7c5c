"""The allowed region of lag and dead time, product by product, with the border that each rule draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import FigureBase
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from samspel_prequal.design.loop import Loop
from samspel_prequal.design.region import Region, border_s, region
from samspel_prequal.plots.style import (
    BLACK,
    BLUE,
    FORBIDDEN,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    note,
    picture,
)
from samspel_prequal.product import Product

__all__ = ["design_chart"]

_POINTS: Final = 33
_COARSE: Final = 17
_FAR_S: Final = 8.0  # of dead time and of lag: beyond it nothing passes
_ROOM: Final = 1.08
_WORTH_A_CLOSE_LOOK: Final = 1.8
_INSET: Final = (0.42, 0.42, 0.57, 0.56)
_LINES: Final[Mapping[str, dict[str, Any]]] = {
    "R8 chord-to-origin": {"color": VERMILLION, "linestyle": "-", "linewidth": 2.2},
    "R8 chords": {"color": ORANGE, "linestyle": (0, (5, 2))},
    "R8 interpolated-f-polar": {"color": PURPLE, "linestyle": (0, (1, 1))},
    "R8 interpolated-f-cartesian": {"color": SKY, "linestyle": (0, (3, 1, 1, 1))},
    "R9": {"color": GREEN, "linestyle": "-.", "linewidth": 1.8},
    "R2": {"color": BLUE, "linestyle": "--", "linewidth": 1.8},
    "R3": {"color": BLACK, "linestyle": (0, (7, 2, 1, 2)), "linewidth": 1.6},
}


@picture(4.6)
def design_chart(figure: FigureBase, base: Loop, products: Sequence[Product], *, mark: str = "") -> None:
    """One panel a product; `mark` names the dot at the dead time and lag of `base`, an empty one draws none."""
    panels = figure.subplots(1, len(products), squeeze=False)[0]
    for axes, product in zip(panels, products, strict=True):
        whole, near = (_view(product, base, mildest=mildest) for mildest in (True, False))
        _panel(axes, whole)
        axes.set_title(_title(product, products))
        axes.set_xlabel("dead time [s]")
        close = whole.dead_time_s[-1] > _WORTH_A_CLOSE_LOOK * near.dead_time_s[-1]
        told = _inset(axes, near) if close else axes
        _say_allowed(told, near)
        if mark:
            _dot(told, base, mark)
    panels[0].set_ylabel("lag after the dead time [s]")
    figure.legend(handles=_legend(products), loc="outside lower center", ncols=3)


def _view(product: Product, base: Loop, *, mildest: bool) -> Region:
    """A region as far as it matters: to where the mildest rule, or all rules together, let something through."""
    start_s = base.spread_s  # no dead time is shorter than the spread round it
    coarse = region(product, base, np.linspace(start_s, start_s + _FAR_S, _COARSE), np.linspace(0.0, _FAR_S, _COARSE))
    bounding = [field for name, field in coarse.margins.items() if name != "R9"]
    passes = (np.max(bounding, axis=0) if mildest else np.min(bounding, axis=0)) >= 0
    lag_at, dead_at = (int(np.max(np.flatnonzero(passes.any(axis=axis)), initial=0)) + 1 for axis in (1, 0))
    dead_s, lag_s = coarse.dead_time_s[min(dead_at, _COARSE - 1)], coarse.lag_s[min(lag_at, _COARSE - 1)]
    if mildest:
        dead_s, lag_s = max(dead_s, base.dead_time_s), max(lag_s, base.lag_s)
    return region(
        product,
        base,
        np.linspace(start_s, min(dead_s * _ROOM, start_s + _FAR_S), _POINTS),
        np.linspace(0.0, min(lag_s * _ROOM, _FAR_S), _POINTS),
    )


def _panel(axes: Axes, found: Region) -> None:
    where = (found.dead_time_s, found.lag_s)
    axes.contourf(*where, found.least, levels=[-np.inf, 0.0], colors=[FORBIDDEN["facecolor"]], zorder=0)
    for name, style in _LINES.items():
        if name.startswith("R8"):
            dead_s = border_s(found, name)
            shown = np.isfinite(dead_s)
            axes.plot(dead_s[shown], found.lag_s[shown], gid=name, **style)
        elif name in found.margins and np.any(found.margins[name] < 0):
            kinds: dict[str, Any] = {f"{key}s": [style[key]] for key in ("color", "linestyle", "linewidth")}
            axes.contour(*where, found.margins[name], levels=[0.0], **kinds)
    axes.set_xlim(found.dead_time_s[0], found.dead_time_s[-1])
    axes.set_ylim(found.lag_s[0], found.lag_s[-1])


def _inset(axes: Axes, near: Region) -> Axes:
    """The corner where all rules together decide, larger."""
    inset = axes.inset_axes(_INSET)
    _panel(inset, near)
    axes.indicate_inset_zoom(inset, edgecolor=GREY)
    return inset


def _say_allowed(axes: Axes, found: Region) -> None:
    """The longest dead time without any lag, over all rules."""
    longest_s = min(float(border_s(found, name)[0]) for name in found.margins)
    text = "nothing passes" if np.isnan(longest_s) else f"without lag: up to {longest_s:.2f} s"
    text += f"\nmeter {found.base.meter_s:g} s, control period {found.base.control_period_s:g} s"
    axes.text(0.97, 0.96, text, transform=axes.transAxes, ha="right", va="top", fontsize=7.5)


def _dot(axes: Axes, base: Loop, mark: str) -> None:
    if base.dead_time_s <= axes.get_xlim()[1] and base.lag_s <= axes.get_ylim()[1]:
        axes.plot(base.dead_time_s, base.lag_s, "o", color=BLACK, markersize=6, markeredgecolor="white", zorder=9)
        note(axes, mark, (base.dead_time_s, base.lag_s), (8, 14))
    else:
        text = f"{mark}: outside,\n{base.dead_time_s:g} s dead time, {base.lag_s:g} s lag"
        axes.text(0.97, 0.85, text, transform=axes.transAxes, ha="right", va="top", fontsize=7.5)


def _title(product: Product, products: Sequence[Product]) -> str:
    both = product is Product.FCR_D_UP and Product.FCR_D_DOWN not in products
    return "FCR-D, up and down" if both else product.value.upper()


def _legend(products: Sequence[Product]) -> list[Any]:
    names = [name for name in _LINES if any(one.is_fcr_d for one in products) or name not in {"R2", "R3"}]
    lines: list[Any] = [Line2D([], [], label=f"border of {name}", **_LINES[name]) for name in names]
    return [*lines, Patch(facecolor=FORBIDDEN["facecolor"], label="not allowed by at least one rule")]
