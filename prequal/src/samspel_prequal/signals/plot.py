"""A picture of signals, to see what will be played."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from samspel_prequal import rules
from samspel_prequal.signals.signal import Quantity, Signal, sample

__all__ = ["plot_signals"]

LINE = "#0072b2"  # of the Okabe-Ito palette, safe for colour-blind eyes
GUIDE = "#999999"
PLOT_RATE_HZ = 20.0
AXIS = {Quantity.FREQUENCY_HZ: "frequency [Hz]", Quantity.SETPOINT_SHARE: "set point [share of capacity]"}


def plot_signals(signals: Sequence[Signal], path: Path) -> None:
    """Draw the signals below each other into one file; its ending says which kind."""
    height = max(2.4, 1.6 * len(signals))
    figure = Figure(figsize=(9, height + 0.8), layout="constrained")
    rows = figure.subplots(len(signals), squeeze=False)[:, 0]
    for axes, signal in zip(rows, signals, strict=True):
        time_s, values = sample(signal, PLOT_RATE_HZ)
        axes.plot(time_s, values, color=LINE, linewidth=1.2)
        if signal.head.quantity is Quantity.FREQUENCY_HZ:
            for level_hz in rules.NORMAL_BAND_HZ:
                axes.axhline(level_hz, color=GUIDE, linewidth=0.7, linestyle="--")
        axes.set_xlim(0, signal.duration_s)
        axes.set_title(f"{signal.head.product} {signal.head.name}", loc="left", fontsize=9)
        axes.grid(visible=True, alpha=0.25)
        axes.ticklabel_format(useOffset=False)
    figure.supylabel(AXIS[signals[0].head.quantity], fontsize=9)
    rows[-1].set_xlabel("time [s]")
    figure.text(
        1, 0, f"{signals[0].head.source}; confidence {signals[0].head.confidence}", ha="right", va="bottom", fontsize=7
    )
    with mpl.rc_context({"svg.hashsalt": "samspel"}):
        figure.savefig(path, dpi=150)
