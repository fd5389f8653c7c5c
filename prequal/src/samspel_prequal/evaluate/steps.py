"""The FCR-N step sequence: steady powers and responses (TR 3.1.1, eq. 1, 2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from samspel_prequal.errors import EvaluationError
from samspel_prequal.evaluate.transitions import Transition, find_transitions
from samspel_prequal.evaluate.windows import AveragingWindow, steady_power_w
from samspel_prequal.signals import FloatArray, step

__all__ = ["StepFigures", "step_figures"]

_LAST_HOLD_S = 300.0


@dataclass(frozen=True, slots=True)
class StepFigures:
    """Steady powers at 50.0, 49.9, 50.1 and 50.0 Hz, and where the frequency moved."""

    p0_w: float
    p1_w: float
    p2_w: float
    p3_w: float
    moves: tuple[Transition, ...]  # to 49.9, 50.1 and 50.0 Hz

    @property
    def up_w(self) -> float:
        """ΔP1: positive when the entity supports."""
        return self.p1_w - (self.p0_w + self.p3_w) / 2

    @property
    def down_w(self) -> float:
        """ΔP2: negative when the entity supports."""
        return self.p2_w - (self.p0_w + self.p3_w) / 2


def step_figures(
    time_s: FloatArray,
    frequency_hz: FloatArray,
    power_w: FloatArray,
    *,
    window: AveragingWindow = AveragingWindow.LAST_60_S,
) -> StepFigures:
    """Read the steady powers. Whether a hold lasts 5 or 15 minutes is seen in the log.

    Raises:
        EvaluationError: the sequence is not in the log.
    """
    moves = _moves(time_s, frequency_hz)
    end_s = min(float(time_s[-1]), moves[-1].end_s + _LAST_HOLD_S)
    arrivals = [_arrival_of_rest(moves, time_s), *(move.end_s for move in moves[-3:])]
    departures = [*(move.start_s for move in moves[-3:]), end_s + 1e-3]
    powers = [
        steady_power_w(time_s, power_w, arrival, departure, window)
        for arrival, departure in zip(arrivals, departures, strict=True)
    ]
    p0_w, p1_w, p2_w, p3_w = powers
    return StepFigures(p0_w, p1_w, p2_w, p3_w, tuple(moves[-3:]))


def _moves(time_s: FloatArray, frequency_hz: FloatArray) -> list[Transition]:
    """The moves to 49.9, 50.1 and 50.0 Hz, after the small step against backlash if it was played."""
    segments = step().segments
    try:
        return find_transitions(time_s, frequency_hz, 50.0, segments, required=len(segments))
    except EvaluationError:
        return find_transitions(time_s, frequency_hz, 50.0, segments[-3:], required=3)


def _arrival_of_rest(moves: Sequence[Transition], time_s: FloatArray) -> float:
    """Since when the frequency has rested before the step to 49.9 Hz."""
    return moves[-4].end_s if len(moves) > 3 else float(time_s[0])
