"""The stages of the toy plant, block by block.

A trace has two rows: the values at the start of every time step, and in its middle. Between them the input is taken as
straight, on to the step's end, and integrated exactly. That is exact for steps and ramps on the grid, and of second
order in the time step for anything smooth, however short the time constant.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

import numpy as np
from scipy.signal import lfilter

from samspel_prequal.signals.signal import FloatArray

__all__ = ["Backlash", "Lag", "RateLimit", "dead_zone"]


class Lag:
    """1/(T·s + 1), started at rest at its first input."""

    def __init__(self, time_constant_s: float, step_s: float) -> None:
        self._passes = time_constant_s == 0
        self._whole = _Share.of(time_constant_s, step_s)
        self._half = _Share.of(time_constant_s, step_s / 2)
        self._state: float | None = None

    def run(self, trace: FloatArray) -> FloatArray:
        """The output for the next block, as a trace."""
        if self._passes or trace.size == 0:
            return trace
        state = float(trace[0, 0]) if self._state is None else self._state
        level, rise = trace[0], 2 * (trace[1] - trace[0])  # rise: over one whole step
        keep = self._whole.state
        pushed = self._whole.level * level + self._whole.rise * rise
        ends = lfilter([1.0], [1.0, -keep], pushed, zi=[keep * state])[0]
        self._state = float(ends[-1])
        answer = np.empty_like(trace)
        answer[0, 0], answer[0, 1:] = state, ends[:-1]
        answer[1] = self._half.state * answer[0] + self._half.level * level + self._half.rise * rise / 2
        return answer


@dataclass(frozen=True, slots=True)
class _Share:
    """What the state, the input's level and its rise over a time add to a lag's output at the end of that time."""

    state: float
    level: float
    rise: float

    @classmethod
    def of(cls, time_constant_s: float, time_s: float) -> _Share:
        if time_constant_s == 0:
            return cls(0.0, 1.0, 1.0)
        keep = exp(-time_s / time_constant_s)
        return cls(keep, 1 - keep, 1 - time_constant_s / time_s * (1 - keep))


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
    return values - np.minimum(np.maximum(values, -half_width), half_width) if half_width else values
