"""FFR: a trip below the trigger, by a step or a fall, and the way back. Figures by confidence; see `AlternativeFfr`."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from samspel_prequal.errors import SignalError
from samspel_prequal.product import Confidence, Product, TestType
from samspel_prequal.signals.signal import RampSignal, Segment, SignalHead

__all__ = ["ALTERNATIVES", "READY_AFTER_S", "SUPPORT_S", "FfrAlternative", "ffr"]


@dataclass(frozen=True, slots=True)
class FfrAlternative:
    """One of the three trigger levels (MEDIUM: the TSOs' FFR pages)."""

    name: str
    trigger_hz: float
    full_after_s: float


ALTERNATIVES: Final = MappingProxyType(
    {
        row.name: row
        for row in (FfrAlternative("A", 49.7, 1.3), FfrAlternative("B", 49.6, 1.0), FfrAlternative("C", 49.5, 0.7))
    }
)
SUPPORT_S: Final = MappingProxyType({"short": 5.0, "long": 30.0})  # MEDIUM
READY_AFTER_S: Final = 900.0  # MEDIUM: ready again within 15 min of the activation
FALL_HZ_PER_S: Final = 0.3  # LOW
BELOW_TRIGGER_HZ: Final = 0.05  # LOW: how far the test goes below the trigger
REST_S: Final = 60.0
MARGIN_S: Final = 5.0


def ffr(alternative: str = "A", *, support: str = "short", shape: str = "step") -> RampSignal:
    """Rest at 50 Hz, down below the trigger for activation and support, back to 50 Hz until ready again.

    `shape` is `step` or `ramp` (0.3 Hz/s).
    """
    if alternative not in ALTERNATIVES or support not in SUPPORT_S or shape not in {"step", "ramp"}:
        raise SignalError(
            f"an FFR signal has an alternative (A, B, C), a support (short, long) and a shape (step, ramp); "
            f"found {alternative!r}, {support!r}, {shape!r}"
        )
    chosen = ALTERNATIVES[alternative]
    low_hz = round(chosen.trigger_hz - BELOW_TRIGGER_HZ, 9)
    speed = FALL_HZ_PER_S if shape == "ramp" else float("inf")
    fall_s = (50.0 - low_hz) / speed
    back_s = REST_S + fall_s + chosen.full_after_s + SUPPORT_S[support] + MARGIN_S
    segments = (Segment(REST_S, low_hz, speed, "activation"), Segment(back_s, 50.0, label="recovery"))
    name = f"{shape}-{alternative.lower()}-{support}"
    head = SignalHead(name, Product.FFR, TestType.PROFILE, "TSO FFR pages; shape recalled", Confidence.LOW)
    return RampSignal(head, 50.0, segments, back_s + READY_AFTER_S)
