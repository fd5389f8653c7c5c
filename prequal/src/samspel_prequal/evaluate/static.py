"""The ramp of static FCR-D entities (TR 3.1.3), in the upward product's frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from samspel_prequal import rules
from samspel_prequal.evaluate.ramps import Activation, activation
from samspel_prequal.evaluate.transitions import find_transitions
from samspel_prequal.evaluate.windows import clean_mean, value_at
from samspel_prequal.product import Product
from samspel_prequal.signals import FloatArray, static_ramp

__all__ = ["StaticFigures", "static_figures"]

_REST_S = 60.0
_SHORT_HOLD_WINDOW_S = 30.0  # the hold of 60 s includes the activation: its second half is steady
_ENDED = 0.05  # of what is due: less than this left counts as deactivated


@dataclass(frozen=True, slots=True)
class StaticFigures:
    """Every figure of the static ramp."""

    steady_w: float
    activation: Activation
    peak_w: float
    early_w: float  # ΔP after 2.5 s
    deactivation_after_s: float  # first fall, from the return of the frequency
    ready_after_s: float  # back at rest, from the return of the frequency; inf if not within the log
    fall_10_s: float  # fastest mean fall over 10 s, share of ΔPt a second
    fall_1_s: float  # largest fall within 1 s, share of ΔPt


def static_figures(
    time_s: FloatArray, frequency_hz: FloatArray, power_w: FloatArray, *, theoretical_w: float
) -> StaticFigures:
    """Read every figure.

    Raises:
        EvaluationError: the ramp is not in the log.
    """
    signal = static_ramp(Product.FCR_D_UP)
    down, back = find_transitions(time_s, frequency_hz, signal.initial, signal.segments, required=2)
    rest_w = clean_mean(time_s, power_w, down.start_s - _REST_S, down.start_s)
    hold_s = back.start_s - down.end_s
    steady_from_s = back.start_s - (_REST_S if hold_s > 2 * _REST_S else _SHORT_HOLD_WINDOW_S)
    steady_w = clean_mean(time_s, power_w, steady_from_s, back.start_s) - rest_w
    active = (time_s >= down.start_s) & (time_s < back.start_s)
    after_s, after_w = _after(time_s, power_w - rest_w, back.start_s)
    due_w = abs(theoretical_w)
    return StaticFigures(
        steady_w=steady_w,
        activation=activation(time_s, power_w, down.start_s, rest_w),
        peak_w=float(np.max(power_w[active])) - rest_w,
        early_w=value_at(time_s, power_w, down.start_s + rules.STATIC_RESPONSE_BY_S) - rest_w,
        deactivation_after_s=_first_below(after_s, after_w, steady_w - _ENDED * due_w) - (back.end_s - back.start_s),
        ready_after_s=_first_below(after_s, after_w, _ENDED * due_w) - (back.end_s - back.start_s),
        fall_10_s=_fall(after_s, after_w, rules.STATIC_FALL_WINDOW_S) / rules.STATIC_FALL_WINDOW_S / due_w,
        fall_1_s=_fall(after_s, after_w, 1.0) / due_w,
    )


def _after(time_s: FloatArray, delta_w: FloatArray, since_s: float) -> tuple[FloatArray, FloatArray]:
    """Seconds and powers from the moment at which the frequency begins to return."""
    later = time_s >= since_s
    return time_s[later] - since_s, delta_w[later]


def _first_below(after_s: FloatArray, after_w: FloatArray, level_w: float) -> float:
    below = np.flatnonzero(after_w < level_w)
    return float(after_s[below[0]]) if len(below) else float("inf")


def _fall(after_s: FloatArray, after_w: FloatArray, window_s: float) -> float:
    """The largest fall of power within a window, 0 where it only rises."""
    inside = after_s <= after_s[-1] - window_s + 1e-6
    later_w = np.interp(after_s[inside] + window_s, after_s, after_w)
    return float(np.max(after_w[inside] - later_w, initial=0.0))
