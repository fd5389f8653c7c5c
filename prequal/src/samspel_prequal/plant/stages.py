"""The stages of the toy plant, block by block.

A trace is known at the start of every time step and in its middle. A lag integrates the middle values exactly, as if
they were constant over the step: that is exact for steps on the grid, and of second order for anything smooth.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

import numpy as np
from scipy.signal import lfilter

from samspel_prequal.signals.signal import FloatArray

__all__ = ["Backlash", "Lag", "RateLimit", "Trace", "dead_zone"]


@dataclass(frozen=True, slots=True)
class Trace:
    """Values at the start and in the middle of every time step."""

    now: FloatArray
    middle: FloatArray


class Lag:
    """1/(T·s + 1), started at rest at its first input."""

    def __init__(self, time_constant_s: float, step_s: float) -> None:
        self._keep = exp(-step_s / time_constant_s) if time_constant_s > 0 else 0.0
        self._passes = time_constant_s == 0
        self._state: float | None = None

    def run(self, trace: Trace) -> Trace:
        """The output for the next block."""
        if self._passes or len(trace.now) == 0:
            return trace
        state = float(trace.now[0]) if self._state is None else self._state
        ends = np.asarray(lfilter([1 - self._keep], [1.0, -self._keep], trace.middle, zi=[self._keep * state])[0])
        starts = np.concatenate([[state], ends[:-1]])
        self._state = float(ends[-1])
        return Trace(starts, (starts + ends) / 2)


class RateLimit:
    """Follows its input no faster than so many units a second."""

    def __init__(self, per_s: float, step_s: float) -> None:
        self._most = per_s * step_s
        self._state: float | None = None

    def run(self, values: FloatArray) -> FloatArray:
        """The output for the next block."""
        if self._most == float("inf") or len(values) == 0:
            return values
        state = float(values[0]) if self._state is None else self._state
        followed = []
        for wanted in values.tolist():
            state += min(max(wanted - state, -self._most), self._most)
            followed.append(state)
        self._state = state
        return np.array(followed)


class Backlash:
    """Play of a full width: the output moves only when the input has crossed the play."""

    def __init__(self, width: float) -> None:
        self._half = width / 2
        self._state: float | None = None

    def run(self, values: FloatArray) -> FloatArray:
        """The output for the next block."""
        if self._half == 0 or len(values) == 0:
            return values
        state = float(values[0]) if self._state is None else self._state
        followed = []
        for wanted in values.tolist():
            state = min(max(state, wanted - self._half), wanted + self._half)
            followed.append(state)
        self._state = state
        return np.array(followed)


def dead_zone(values: FloatArray, half_width: float) -> FloatArray:
    """Nothing inside the zone, and what lies beyond its edge outside."""
    return values - np.clip(values, -half_width, half_width)
