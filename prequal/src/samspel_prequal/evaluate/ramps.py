"""The FCR-D ramp sequence (TR 3.1.2), in the upward product's frame: falling frequency, rising power."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from samspel_prequal import rules
from samspel_prequal.evaluate.transitions import Transition, find_transitions
from samspel_prequal.evaluate.windows import (
    AveragingWindow,
    clean_mean,
    integral,
    steady_power_w,
    value_at,
)
from samspel_prequal.product import Product
from samspel_prequal.signals import FloatArray, ramp

__all__ = ["Activation", "RampFigures", "activation", "excess_energy_s", "ramp_figures"]

_ALONE = 6
_REST_S = 10.0  # before ramp 1, whose hold is only 30 s long: R4's ΔP counts from the mean over these
_LAST_HOLD_S = 300.0
_NEEDED = ("3", "4")
_OPTIONAL = ("6", "7", "8")


@dataclass(frozen=True, slots=True)
class Activation:
    """What happened after the start of a ramp to full activation."""

    start_s: float
    rest_w: float  # power before
    power_w: float  # ΔP at 7.5 s
    energy_ws: float  # ∫ΔP over 7.5 s


@dataclass(frozen=True, slots=True)
class RampFigures:
    """Every figure of the sequence; powers relative to the baseline, seconds from the start of the log."""

    moves: tuple[Transition, ...]
    p3_w: float
    p4_w: float
    p6_w: float | None  # None, as ramps 7 and 8, where the log ends before
    combination_w: dict[str, float]  # P_7 - P_6 and P_8 - P_6, where they were played
    activation: Activation  # ramp 5
    least_held_w: float  # least ΔP from 7.5 s to ramp 6
    noise_w: float  # of one sample of power, standard deviation before ramp 5
    sampled_w: float  # ΔP at t_n
    excess_ws: float  # R4's largest integral

    @property
    def steady_w(self) -> float:
        """P_ss,3 - P_ss,4."""
        return self.p3_w - self.p4_w


def ramp_figures(
    time_s: FloatArray,
    frequency_hz: FloatArray,
    power_w: FloatArray,
    *,
    theoretical_w: float,
    window: AveragingWindow = AveragingWindow.LAST_60_S,
) -> RampFigures:
    """Read every figure; ramps 7 and 8 as far as they are there.

    Raises:
        EvaluationError: one of ramps 1 to 6 is not in the log.
    """
    signal = ramp(Product.FCR_D_UP, combination=True)
    moves = find_transitions(time_s, frequency_hz, signal.initial, signal.segments, required=_ALONE)
    holds = {
        move.label: (move.end_s, following)
        for move, following in zip(moves, [*(m.start_s for m in moves[1:]), _end_s(time_s, moves[-1])], strict=True)
    }
    steady = {
        label: steady_power_w(time_s, power_w, *bounds, window)
        for label, bounds in holds.items()
        if label in _NEEDED or (label in _OPTIONAL and bounds[1] - bounds[0] >= rules.STEADY_WINDOW_S)
    }
    at = {move.label: move.start_s for move in moves}
    active = activation(time_s, power_w, at["5"], steady["4"])
    sampled_w, excess_ws = excess_energy_s(time_s, power_w, at["1"], theoretical_w)
    return RampFigures(
        moves=tuple(moves),
        p3_w=steady["3"],
        p4_w=steady["4"],
        p6_w=steady.get("6"),
        combination_w={label: steady[label] - steady["6"] for label in ("7", "8") if label in steady and "6" in steady},
        activation=active,
        least_held_w=_least_held_w(time_s, power_w, active, at["6"]),
        noise_w=_noise_w(time_s, power_w, at["5"]),
        sampled_w=sampled_w,
        excess_ws=excess_ws,
    )


def activation(time_s: FloatArray, power_w: FloatArray, start_s: float, rest_w: float) -> Activation:
    """ΔP and its integral 7.5 s after a start, counted from the power at rest."""
    until_s = start_s + rules.ACTIVATION_TIME_S
    reached_w = value_at(time_s, power_w, until_s) - rest_w
    energy_ws = integral(time_s, power_w - rest_w, start_s, until_s)
    return Activation(start_s, rest_w, reached_w, energy_ws)


def excess_energy_s(
    time_s: FloatArray, power_w: FloatArray, ramp_1_s: float, theoretical_w: float
) -> tuple[float, float]:
    """R4: ΔP at t_n, and the largest integral of ΔP above min(ΔP(t_n), half of what is due), over 40 s."""
    rest_w = clean_mean(time_s, power_w, ramp_1_s - _REST_S, ramp_1_s)
    start_s = ramp_1_s + rules.DEACTIVATION_SAMPLE_S
    end_s = start_s + rules.DEACTIVATION_WINDOW_S
    inner = (time_s > start_s) & (time_s < end_s)
    grid = np.concatenate([[start_s], time_s[inner], [end_s]])
    delta_w = np.interp(grid, time_s, power_w) - rest_w
    above_w = delta_w - min(abs(delta_w[0]), rules.DEACTIVATION_POWER_CAP * abs(theoretical_w))
    pieces = (above_w[1:] + above_w[:-1]) / 2 * np.diff(grid)
    return float(delta_w[0]), float(max(np.max(np.cumsum(pieces)), 0.0))


def _least_held_w(time_s: FloatArray, power_w: FloatArray, active: Activation, until_s: float) -> float:
    start_s = active.start_s + rules.ACTIVATION_TIME_S
    inside = power_w[(time_s > start_s) & (time_s < until_s - 1e-6)]
    return float(min(np.min(inside, initial=np.inf) - active.rest_w, active.power_w))


def _noise_w(time_s: FloatArray, power_w: FloatArray, ramp_5_s: float) -> float:
    """White noise, from sample to sample in the last minute of rest: slow swings do not count as noise."""
    resting = (time_s >= ramp_5_s - rules.STEADY_WINDOW_S) & (time_s < ramp_5_s)
    steps = np.diff(power_w[resting])
    return float(np.sqrt(np.mean(steps**2) / 2)) if len(steps) else 0.0


def _end_s(time_s: FloatArray, last: Transition) -> float:
    return min(float(time_s[-1]) + 1e-3, last.end_s + _LAST_HOLD_S)
