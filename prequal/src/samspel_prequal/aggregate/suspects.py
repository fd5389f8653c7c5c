"""What is wrong with a home, in a word or two, from its own part of the fleet's answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from samspel_prequal.evaluate.frequency_response import ComplexArray
from samspel_prequal.signals import FloatArray

__all__ = ["HomeFacts", "apparent_delay_s", "suspicions"]

SILENT_GAIN = 0.1
WEAK_GAIN = 0.85
STRONG_GAIN = 1.15
LATE_S = 0.5  # later than the fleet's median
CLOCK_S = 0.2
MISSING = 0.01
FLAT_S = 5.0  # a power that does not move for so long while the frequency swings


@dataclass(frozen=True, slots=True)
class HomeFacts:
    """What is seen of one home."""

    gain: float  # |F| at the longest period, of its own capacity
    delay_s: float  # how much later than at once, the frequency meter included; NaN where it is silent
    clock_s: float  # how far its clock is ahead; NaN: not seen
    missing: float  # share of samples
    flat_s: float
    reversed: bool


def apparent_delay_s(response: ComplexArray, omega_rad_s: FloatArray) -> FloatArray:
    """The median over periods of -phase/ω: periods first, longest first, homes second. Reversed homes are turned."""
    upright = response * np.where(response[:1].real < 0, -1.0, 1.0)
    phase = np.unwrap(np.angle(upright), axis=0)
    return np.asarray(np.median(-phase / omega_rad_s[:, None], axis=0), dtype=np.float64)


def suspicions(facts: HomeFacts, usual_delay_s: float) -> Iterator[str]:
    """Everything that stands out, worst first."""
    silent = facts.gain < SILENT_GAIN
    if silent:
        yield "silent"
    elif facts.reversed:
        yield "reversed"
    if facts.flat_s > FLAT_S and not silent and facts.missing <= MISSING:
        yield f"stale for {facts.flat_s:.0f} s"
    if facts.missing > MISSING:
        yield f"{facts.missing:.0%} of samples missing"
    if abs(facts.clock_s) > CLOCK_S:
        yield f"clock {abs(facts.clock_s):.1f} s {'ahead' if facts.clock_s > 0 else 'behind'}"
    elif not silent and facts.delay_s - usual_delay_s > LATE_S:
        yield f"{facts.delay_s - usual_delay_s:.1f} s later than the others"
    if SILENT_GAIN <= facts.gain < WEAK_GAIN:
        yield f"weak: gain {facts.gain:.2f}"
    elif facts.gain > STRONG_GAIN:
        yield f"strong: gain {facts.gain:.2f}"
