"""Staircases for non-continuous and static entities (TR 3.4.2, figures 14, 17, 18)."""

from __future__ import annotations

import numpy as np

from samspel_prequal import rules
from samspel_prequal.errors import SignalError
from samspel_prequal.product import Product, TestType
from samspel_prequal.signals.fcr_d import mirrored_hz
from samspel_prequal.signals.signal import RampSignal, SignalHead, sequence

__all__ = ["linearity"]


def linearity(product: Product, *, hold_s: float = rules.LINEARITY_HOLD_S) -> RampSignal:
    """FCR-N: 50.0, down to 49.9, up to 50.1 and back in steps of 20 mHz.

    FCR-D: out in steps of 100 mHz, back the same way (figure 19 steps back up), and at last just into the band.
    Each level is held `hold_s`, at least 120 s; longer where the response needs it.
    """
    if not rules.LINEARITY_HOLD_S <= hold_s <= rules.LINEARITY_MAX_SETTLING_S + 60.0:
        raise SignalError(f"a level is held 120 to 300 s, not {hold_s:g} s")
    levels = _fcr_n_levels() if product is Product.FCR_N else _fcr_d_levels(product)
    steps = [(n * hold_s, level, f"{n}") for n, level in enumerate(levels)][1:]
    head = SignalHead("linearity", product, TestType.LINEARITY, "TR 3.4.2, TP 3.3, 4.3 and 5.3")
    return sequence(head, levels[0], steps, len(levels) * hold_s)


def _fcr_n_levels() -> list[float]:
    """5 steps down, 10 up, 5 down."""
    turns = np.concatenate([np.arange(0, -6, -1), np.arange(-4, 6), np.arange(4, -1, -1)])
    return [round(50.0 + 0.02 * float(n), 9) for n in turns]


def _fcr_d_levels(product: Product) -> list[float]:
    up = [49.9, 49.8, 49.7, 49.6, 49.5, 49.6, 49.7, 49.8, 49.91]
    return [mirrored_hz(value, product) for value in up]
