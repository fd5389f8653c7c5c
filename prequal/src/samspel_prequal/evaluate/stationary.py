"""Which part of a sine log is stationary.

1. The sine is where the frequency lies between 0.2 and 1.5 amplitudes from its centre, crossings of the centre
   included: rests at the centre and elsewhere fall away.
2. From the end of it, whole periods are counted back. Each gives one response: power's phasor over frequency's.
3. The settled response is the mean over the last required periods. Going back in time, periods are stationary while
   they differ from it by less than 2 % of it, or three times their random spread if that is more.
   Beyond the required number they must come closer, within 0.01 %: more periods shall take noise away and bring no
   transient in.
4. With fewer stationary periods than required, the last required ones are used and the section says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from samspel_prequal.errors import EvaluationError
from samspel_prequal.evaluate.sine_fit import fit_sine
from samspel_prequal.signals.signal import FloatArray

__all__ = ["StationarySection", "stationary_section"]

TOLERANCE = 0.02  # of the settled response
EXTRA_TOLERANCE = 0.0001  # the same, beyond the required number
_SPREADS = 3.0
_NEAR, _FAR = 0.2, 1.5  # amplitudes from the centre
_CROSSING = 0.3  # of a period: longer out of reach is a rest
_CROSSING_REACH = 0.05  # of a period: a crossing this near the last swinging sample still belongs to the sine
_ROUNDING_S = 1e-6
_SINE_SHARE = 0.2  # a period of a clean sine leaves less than this of it unexplained


@dataclass(frozen=True, slots=True)
class StationarySection:
    """Samples start to stop (stop excluded) hold `periods` whole periods."""

    start: int
    stop: int
    periods: int
    stationary: int  # periods found stationary
    needed: int

    @property
    def enough(self) -> bool:
        """Whether the required number of stationary periods was found."""
        return self.stationary >= self.needed


def stationary_section(
    time_s: FloatArray,
    frequency_hz: FloatArray,
    power_w: FloatArray,
    *,
    centre_hz: float,
    amplitude_hz: float,
    period_s: float,
    needed: int,
) -> StationarySection:
    """Find the periods to evaluate, as the module says.

    Raises:
        EvaluationError: not even one whole period of a sine of this period is there.
    """
    span_s = _sine_span(time_s, frequency_hz - centre_hz, amplitude_hz, period_s)
    edges = _edges_back(time_s, *span_s, period_s)
    responses = _responses(time_s, frequency_hz, power_w, edges, period_s)
    if not responses:
        raise EvaluationError(
            f"no whole period of a {period_s:g} s sine round {centre_hz:g} Hz was found: is the period in the "
            "file name right, and is the applied frequency in the log?"
        )
    stationary = _settled(np.array(responses), needed)
    used = min(max(stationary, needed), len(responses))
    return StationarySection(edges[used], edges[0], used, stationary, needed)


def _sine_span(
    time_s: FloatArray, deviation_hz: FloatArray, amplitude_hz: float, period_s: float
) -> tuple[float, float]:
    """Start and end of the longest stretch that swings without a rest, up to the crossings next to it."""
    away = np.abs(deviation_hz) / amplitude_hz
    swinging = np.flatnonzero((away > _NEAR) & (away < _FAR))
    if len(swinging) < 4:
        return 0.0, 0.0
    breaks = np.flatnonzero(np.diff(time_s[swinging]) > _CROSSING * period_s)
    starts = np.concatenate([[0], breaks + 1])
    stops = np.concatenate([breaks, [len(swinging) - 1]])
    longest = int(np.argmax(time_s[swinging[stops]] - time_s[swinging[starts]]))
    first, last = int(swinging[starts[longest]]), int(swinging[stops[longest]])
    step_s = float(np.median(np.diff(time_s)))
    crossing_s = _crossing(time_s[first : last + 1], deviation_hz[first : last + 1], period_s)
    start_s, end_s = float(time_s[first]) - step_s / 2, float(time_s[last]) + step_s / 2
    before_s = (start_s - crossing_s) % (period_s / 2)
    after_s = (crossing_s - end_s) % (period_s / 2)
    reach_s = _CROSSING_REACH * period_s
    return start_s - (before_s if before_s < reach_s else 0.0), end_s + (after_s if after_s < reach_s else 0.0)


def _crossing(time_s: FloatArray, deviation_hz: FloatArray, period_s: float) -> float:
    """A time at which the sine crosses its centre, from its last period."""
    since = int(np.searchsorted(time_s, time_s[-1] - period_s))
    if len(time_s) - since < 4:
        return float(time_s[-1])
    phasor = fit_sine(time_s[since:], deviation_hz[since:], period_s).phasor
    return float((np.pi / 2 - np.angle(phasor)) / (2 * np.pi) * period_s)


def _edges_back(time_s: FloatArray, start_s: float, end_s: float, period_s: float) -> list[int]:
    """Edges of whole periods, latest first; an edge is the first sample after it."""
    step_s = float(np.median(np.diff(time_s))) if len(time_s) > 1 else period_s
    count = int((end_s - start_s + step_s) / period_s)
    edges_s = end_s - period_s * np.arange(count + 1) - _ROUNDING_S
    return [int(edge) for edge in np.searchsorted(time_s, edges_s)]


def _responses(
    time_s: FloatArray, frequency_hz: FloatArray, power_w: FloatArray, edges: list[int], period_s: float
) -> list[complex]:
    """One response a period, latest first, up to the first period whose frequency is no sine."""
    found: list[complex] = []
    for stop, start in pairwise(edges):
        if stop - start < 4:
            break
        frequency = fit_sine(time_s[start:stop], frequency_hz[start:stop], period_s)
        if frequency.residual_ratio > _SINE_SHARE:
            break
        found.append(fit_sine(time_s[start:stop], power_w[start:stop], period_s).phasor / frequency.phasor)
    return found


def _settled(responses: NDArray[np.complex128], needed: int) -> int:
    """How many of the latest periods share one response."""
    settled = complex(np.mean(responses[:needed]))
    share = np.where(np.arange(len(responses)) < needed, TOLERANCE, EXTRA_TOLERANCE)
    allowed = np.maximum(share * abs(settled), _SPREADS * _spread(responses[:needed]))
    strays = np.flatnonzero(np.abs(responses - settled) > allowed)
    return int(strays[0]) if len(strays) else len(responses)


def _spread(responses: NDArray[np.complex128]) -> float:
    """What is random from period to period: second differences, which a steady drift leaves at zero; 0 of two."""
    bends = np.diff(responses, 2)
    return float(np.sqrt(np.mean(np.abs(bends) ** 2) / 6)) if len(bends) else 0.0
