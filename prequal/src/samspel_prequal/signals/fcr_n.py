"""FCR-N: the step sequence (TR table 3)."""

from __future__ import annotations

from samspel_prequal.product import Product, TestType
from samspel_prequal.signals.signal import RampSignal, SignalHead, sequence

__all__ = ["step"]

MINUTE_S = 60.0


def step(*, endurance: bool = False) -> RampSignal:
    """Rest, a small step against backlash, f0, f1, f2, f3; f1 and f2 are held 5, or 15 minutes for endurance."""
    hold_min = 15.0 if endurance else 5.0
    rows = [
        (0.5, 49.95, "pre"),
        (1.0, 50.0, "0"),
        (6.0, 49.9, "1"),
        (6.0 + hold_min, 50.1, "2"),
        (6.0 + 2 * hold_min, 50.0, "3"),
    ]
    end_min = 11.0 + 2 * hold_min
    name = "step-endurance" if endurance else "step"
    head = SignalHead(name, Product.FCR_N, TestType.STEP, "TR table 3, TP table 3")
    steps = [(minute * MINUTE_S, value, label) for minute, value, label in rows]
    return sequence(head, 50.0, steps, end_min * MINUTE_S)
