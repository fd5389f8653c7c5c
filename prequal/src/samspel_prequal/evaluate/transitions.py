"""Where the frequency of a log left and reached its levels.

A log seldom begins with the signal, so the sequence is looked for in order. A ramp's start and end are where a straight
line through its middle meets the levels next to it: between samples, and untouched by noise on the levels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from samspel_prequal.errors import EvaluationError
from samspel_prequal.signals.signal import FloatArray, Segment

__all__ = ["Transition", "find_transitions"]

_AT_LEVEL_HZ = 0.02
_MIDDLE = (0.2, 0.8)  # of the way: the part of a ramp that the line goes through
_LEVEL_S = (1.0, 0.2)  # before a ramp: where its first level is read


@dataclass(frozen=True, slots=True)
class Transition:
    """One move of the frequency. For a step, start and end are the first sample at the new level."""

    label: str
    start_s: float
    end_s: float
    from_hz: float
    to_hz: float


def find_transitions(
    time_s: FloatArray, frequency_hz: FloatArray, initial_hz: float, segments: Sequence[Segment], *, required: int
) -> list[Transition]:
    """The moves of a known sequence, in order; what follows the required ones is taken as far as it is there.

    Raises:
        EvaluationError: the first level or one of the first `required` moves is not in the log.
    """
    since = _arrival(frequency_hz, 0, initial_hz)
    if since is None:
        raise EvaluationError(f"the frequency never is at {initial_hz:g} Hz, where this sequence begins")
    found: list[Transition] = []
    level_hz = initial_hz
    for number, segment in enumerate(segments):
        crossing = _crossing(frequency_hz, since, (level_hz + segment.target) / 2, segment.target > level_hz)
        arrival = None if crossing is None else _arrival(frequency_hz, crossing, segment.target)
        if crossing is None or arrival is None:
            if number >= required:
                break
            raise EvaluationError(
                f"move {segment.label} from {level_hz:g} to {segment.target:g} Hz was not found after "
                f"{time_s[since]:.1f} s: is this the sequence that the file name says?"
            )
        way = slice(since, arrival + 1)
        found.append(_transition(time_s, frequency_hz, way, float(time_s[crossing]), level_hz, segment))
        level_hz, since = segment.target, arrival
    return found


def _arrival(frequency_hz: FloatArray, since: int, level_hz: float) -> int | None:
    """The first sample at a level."""
    near = np.abs(frequency_hz[since:] - level_hz) < _AT_LEVEL_HZ
    return since + int(np.argmax(near)) if np.any(near) else None


def _crossing(frequency_hz: FloatArray, since: int, middle_hz: float, rising: bool) -> int | None:
    """The first sample at or past the middle between two levels."""
    beyond = frequency_hz[since:] >= middle_hz if rising else frequency_hz[since:] <= middle_hz
    return since + int(np.argmax(beyond)) if np.any(beyond) else None


def _transition(
    time_s: FloatArray, frequency_hz: FloatArray, way: slice, at_s: float, level_hz: float, segment: Segment
) -> Transition:
    """Start and end, from the samples between two levels, of which the middle is passed at `at_s`."""
    if np.isinf(segment.speed):
        return Transition(segment.label, at_s, at_s, level_hz, segment.target)
    half_s = abs(segment.target - level_hz) / segment.speed / 2
    share = (frequency_hz[way] - level_hz) / (segment.target - level_hz)
    middle = (share > _MIDDLE[0]) & (share < _MIDDLE[1])
    if np.count_nonzero(middle) < 2:
        return Transition(segment.label, at_s - half_s, at_s + half_s, level_hz, segment.target)
    slope, offset = np.polyfit(time_s[way][middle], frequency_hz[way][middle], 1)
    before_hz = _level_before(time_s, frequency_hz, at_s - half_s, level_hz)
    start_s, end_s = ((hz - offset) / slope for hz in (before_hz, segment.target))
    return Transition(segment.label, float(start_s), float(end_s), before_hz, segment.target)


def _level_before(time_s: FloatArray, frequency_hz: FloatArray, start_s: float, nominal_hz: float) -> float:
    """The level that a ramp leaves, as measured; the nominal one where it cannot be read."""
    held = (time_s > start_s - _LEVEL_S[0]) & (time_s < start_s - _LEVEL_S[1])
    level_hz = float(np.median(frequency_hz[held])) if np.count_nonzero(held) >= 3 else nominal_hz
    return level_hz if abs(level_hz - nominal_hz) < _AT_LEVEL_HZ else nominal_hz
