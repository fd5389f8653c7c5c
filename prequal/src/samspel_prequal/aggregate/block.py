"""All homes' answers to one test on one grid of times: a row a home. This is all that is ever held in memory at once.

Rules, reported with the result: times come from the homes' own clocks; values lie on straight lines between samples. A
gap longer than `longest_fill_s` is filled as its rule says; a home without a single sample of a test is absent in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain, islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from samspel_prequal.aggregate.trace import HomeTrace
from samspel_prequal.errors import AggregateError
from samspel_prequal.signals import FloatArray

__all__ = ["Block", "GapRule", "Gaps", "Grid", "gather_block", "rows_in_parts"]

_REFERENCE_HOMES: Final = 25  # whose median sets the grid and the applied frequency: one wrong clock moves nothing
Rows = NDArray[np.float32]  # 24 bits are more than any meter gives, and half of the memory


class GapRule(StrEnum):
    """What a home is taken to have done where its log has no sample."""

    ABSENT = "absent"  # nothing: what is not shown is not delivered
    HOLD = "hold"  # what it did last
    LINE = "line"  # the straight line to its next sample


@dataclass(frozen=True, slots=True)
class Gaps:
    """How missing samples are treated."""

    rule: GapRule = GapRule.ABSENT
    longest_fill_s: float = 1.0  # up to here it is always the straight line


@dataclass(frozen=True, slots=True)
class Grid:
    """Equally spaced times, in milliseconds since 1970."""

    start_ms: float
    step_ms: float
    count: int

    @property
    def time_ms(self) -> FloatArray:
        """All of them."""
        return np.asarray(self.start_ms + np.arange(self.count) * self.step_ms, dtype=np.float64)

    @property
    def time_s(self) -> FloatArray:
        """From the first one."""
        return np.asarray(np.arange(self.count) * self.step_ms / 1000, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Block:
    """One test of a fleet. Rows are in the order of `homes`; powers in W."""

    homes: tuple[str, ...]
    grid: Grid
    frequency_hz: FloatArray
    power_w: Rows
    missing: FloatArray  # share of the grid's times that no sample of the home stands for
    clock_s: FloatArray  # how far the home's clock is ahead, seen in its own log of the frequency; NaN: not seen
    capacity_w: FloatArray  # as noted in the logs; NaN: not noted

    @property
    def total_w(self) -> FloatArray:
        """The sum over all homes."""
        return np.asarray(self.power_w.sum(axis=0, dtype=np.float64))


def gather_block(traces: Iterable[HomeTrace], gaps: Gaps, period_s: float | None = None) -> Block:
    """Put every home on the grid of the first homes' median. `period_s` is that of a sine, which shows clocks.

    Raises:
        AggregateError: no home, a home twice, or no home with a frequency.
    """
    stream = iter(traces)
    first = list(islice(stream, _REFERENCE_HOMES))
    grid = _grid(first)
    wanted_ms = grid.time_ms
    frequency_hz = _frequency(first, wanted_ms)
    turn = _Turn(period_s, wanted_ms, frequency_hz)
    rows: list[Rows] = []
    facts: dict[str, tuple[float, float, float]] = {}
    for trace in chain(first, stream):
        if trace.home in facts:
            raise AggregateError(f"home {trace.home} answers the same test twice: keep one of its logs")
        power_w, missing = _placed(trace.time_ms, trace.power_w, wanted_ms, gaps)
        rows.append(power_w.astype(np.float32))
        facts[trace.home] = (missing, turn.clock_s(trace), trace.capacity_w or np.nan)
    columns = np.array(list(facts.values())).T
    return Block(tuple(facts), grid, frequency_hz, np.stack(rows), *columns)


def _grid(first: list[HomeTrace]) -> Grid:
    long_enough = [trace for trace in first if len(trace.time_ms) > 1]
    if not long_enough:
        raise AggregateError("no home has two samples of this test")
    step_ms = float(np.median([np.median(np.diff(trace.time_ms)) for trace in long_enough]))
    start_ms = float(np.median([trace.time_ms[0] for trace in long_enough]))
    end_ms = float(np.median([trace.time_ms[-1] for trace in long_enough]))
    return Grid(start_ms, step_ms, round((end_ms - start_ms) / step_ms) + 1)


def _frequency(first: list[HomeTrace], wanted_ms: FloatArray) -> FloatArray:
    """Sample by sample the median over the first homes."""
    known = [_finite(trace) for trace in first if trace.frequency_hz is not None]
    placed = [np.interp(wanted_ms, time_ms, values) for time_ms, values in known if len(time_ms)]
    if not placed:
        raise AggregateError(
            f"none of the first {len(first)} homes has a frequency (ApplFreqSig or GridFreq): nothing can be judged"
        )
    return np.asarray(np.median(placed, axis=0), dtype=np.float64)


def _finite(trace: HomeTrace) -> tuple[FloatArray, FloatArray]:
    assert trace.frequency_hz is not None  # noqa: S101 - asked before
    good = np.isfinite(trace.frequency_hz)
    return (trace.time_ms, trace.frequency_hz) if good.all() else (trace.time_ms[good], trace.frequency_hz[good])


def _placed(time_ms: FloatArray, power_w: FloatArray, wanted_ms: FloatArray, gaps: Gaps) -> tuple[FloatArray, float]:
    """A home's power at the wanted times, and the share of these that no sample stands for."""
    good = np.isfinite(power_w)
    if good.all() and np.array_equal(time_ms, wanted_ms):
        return power_w, 0.0
    time_ms, power_w = time_ms[good], power_w[good]
    if len(time_ms) == 0:
        return np.zeros(len(wanted_ms)), 1.0
    lost, before = _lost(time_ms, wanted_ms, gaps.longest_fill_s)
    values = np.interp(wanted_ms, time_ms, power_w)
    if gaps.rule is GapRule.ABSENT:
        values = np.where(lost, 0.0, values)
    elif gaps.rule is GapRule.HOLD:
        values = np.where(lost, power_w[before], values)
    return values, float(lost.mean())


def _lost(
    time_ms: FloatArray, wanted_ms: FloatArray, longest_fill_s: float
) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
    """Which wanted times lie in a long gap, or far beyond an end; and the last sample before each."""
    last = len(time_ms) - 1
    after = np.searchsorted(time_ms, wanted_ms)
    left, right = np.maximum(after - 1, 0), np.minimum(after, last)
    gap_ms = np.where(after > last, 2 * (wanted_ms - time_ms[last]), time_ms[right] - time_ms[left])
    gap_ms = np.where(after == 0, 2 * (time_ms[0] - wanted_ms), gap_ms)
    usual_ms = float(wanted_ms[1] - wanted_ms[0]) if len(wanted_ms) > 1 else 0.0
    exact = time_ms[right] == wanted_ms
    return (gap_ms > max(longest_fill_s * 1000, 1.5 * usual_ms)) & ~exact, left


class _Turn:
    """A home that logs the same sine at other times has another clock; the offset is known up to whole periods."""

    def __init__(self, period_s: float | None, wanted_ms: FloatArray, frequency_hz: FloatArray) -> None:
        self._period_ms = period_s * 1000 if period_s else 0.0
        self._reference = self._phasor(wanted_ms, frequency_hz) if period_s else 0j

    def clock_s(self, trace: HomeTrace) -> float:
        """How far a home's clock is ahead; NaN where the test, or the home's log, does not show it."""
        if trace.frequency_hz is None or self._reference == 0:
            return float("nan")
        time_ms, values = _finite(trace)
        there = self._phasor(time_ms, values) if len(time_ms) > 3 else 0j
        turned = float(np.angle(self._reference / there)) if there != 0 else float("nan")
        return turned / (2 * np.pi) * self._period_ms / 1000

    def _phasor(self, time_ms: FloatArray, values: FloatArray) -> complex:
        """Over whole periods, so that a rest at an end does not turn it."""
        periods = np.floor((time_ms[-1] - time_ms[0]) / self._period_ms + 1e-9)
        count = int(np.searchsorted(time_ms, time_ms[0] + periods * self._period_ms, side="right"))
        angle = (time_ms[:count] - time_ms[0]) * (2 * np.pi / self._period_ms)
        part = values[:count] - values[:count].mean()
        start = np.exp(-2j * np.pi * (time_ms[0] % self._period_ms) / self._period_ms)
        return complex(part @ np.cos(angle), -(part @ np.sin(angle))) * complex(start)


def rows_in_parts(rows: Rows, part: slice, size: int = 128) -> Iterator[tuple[slice, FloatArray]]:
    """Some homes at a time, in double precision."""
    for start in range(0, len(rows), size):
        some = slice(start, start + size)
        yield some, rows[some, part].astype(np.float64)
