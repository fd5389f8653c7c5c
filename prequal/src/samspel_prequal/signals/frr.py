"""aFRR and mFRR set-point profiles: named and configurable, since no test programme of theirs could be read.

Values are shares of the capacity; every profile says how far it can be trusted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from samspel_prequal.errors import SignalError
from samspel_prequal.product import Confidence, Product, TestType
from samspel_prequal.signals.signal import Quantity, RampSignal, Segment, SignalHead

__all__ = ["AfrrProfile", "MfrrProfile", "afrr", "mfrr"]

QUARTER_S: Final = 900.0
AFRR_FULL_ACTIVATION_S: Final = 300.0  # MEDIUM: at most five minutes
AFRR_CYCLE_S: Final = 4.0  # MEDIUM: a set point every four seconds
MFRR_PREPARATION_S: Final = 150.0  # LOW: 2.5 of 12.5 minutes
MFRR_RAMP_S: Final = 600.0  # LOW: from QH-5 to QH+5


@dataclass(frozen=True, slots=True)
class AfrrProfile:
    """A staircase of set points; `levels` are shares of the capacity."""

    levels: tuple[float, ...] = (0.0, 1.0, 0.0, -1.0, 0.0)
    hold_s: float = QUARTER_S


@dataclass(frozen=True, slots=True)
class MfrrProfile:
    """One activation: order, preparation, ramp, hold and ramp back."""

    level: float = 1.0
    rest_s: float = 300.0
    preparation_s: float = MFRR_PREPARATION_S
    ramp_s: float = MFRR_RAMP_S
    hold_s: float = QUARTER_S


def afrr(profile: AfrrProfile | None = None) -> RampSignal:
    """The step test 0, +100, 0, -100, 0 % with holds of 15 minutes, or another staircase."""
    chosen = profile or AfrrProfile()
    if len(chosen.levels) < 2 or chosen.hold_s <= 0 or max(map(abs, chosen.levels)) > 1:
        raise SignalError("an aFRR profile has two levels or more, each from -1 to 1, and a hold above 0 s")
    segments = tuple(Segment(n * chosen.hold_s, level, label=f"{n}") for n, level in enumerate(chosen.levels[1:], 1))
    head = SignalHead(
        "steps",
        Product.AFRR,
        TestType.PROFILE,
        "recalled, unverified; full activation within 5 min from TSO pages",
        Confidence.LOW,
        Quantity.SETPOINT_SHARE,
    )
    return RampSignal(head, chosen.levels[0], segments, len(chosen.levels) * chosen.hold_s)


def mfrr(profile: MfrrProfile | None = None) -> RampSignal:
    """One scheduled activation: nothing while preparing, 10 minutes of ramp, a quarter of hold, and back."""
    chosen = profile or MfrrProfile()
    if not 0 < abs(chosen.level) <= 1 or min(chosen.ramp_s, chosen.hold_s) <= 0:
        raise SignalError("an mFRR profile has a level from -1 to 1 without 0, and a ramp and a hold above 0 s")
    up_s = chosen.rest_s + chosen.preparation_s
    down_s = up_s + chosen.ramp_s + chosen.hold_s
    speed = abs(chosen.level) / chosen.ramp_s
    segments = (Segment(up_s, chosen.level, speed, "activation"), Segment(down_s, 0.0, speed, "deactivation"))
    head = SignalHead(
        "activation",
        Product.MFRR,
        TestType.PROFILE,
        "European standard product, 12.5 min; ramp recalled",
        Confidence.LOW,
        Quantity.SETPOINT_SHARE,
    )
    return RampSignal(head, 0.0, segments, down_s + chosen.ramp_s + chosen.rest_s)
