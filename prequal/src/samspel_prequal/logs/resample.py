"""One log at one rate: how samples are made where there are none, and a report of what was made.

Rules, all of them named in `ResampleRule` and counted in `ResampleReport`:

- The new times are whole periods from the first row on.
- A gap is a distance of more than 1.5 usual ones. Up to `longest_fill_s` it is filled; new times inside a longer gap
  are left out, and no value is made up for them.
- Numbers lie on the straight line between their neighbours (`linear`), or keep the last value (`hold`); binaries and
  control modes always keep the last value.
- To a lower rate, `mean` averages over one new period centred on the new time, so that no phase is shifted;
  otherwise the value at the new time is taken, and what is quicker than half the new rate folds back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from samspel_prequal.errors import SignalError
from samspel_prequal.logs.columns import COLUMNS, Kind
from samspel_prequal.logs.log import Log
from samspel_prequal.signals.signal import FloatArray

__all__ = ["Between", "Gap", "ResampleReport", "ResampleRule", "resample"]

GAP = 1.5


class Between(StrEnum):
    """What a number is between two rows."""

    LINEAR = "linear"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class ResampleRule:
    """How to come to one rate."""

    rate_hz: float
    between: Between = Between.LINEAR
    longest_fill_s: float = 1.0
    mean: bool = False

    def __post_init__(self) -> None:
        if not self.rate_hz > 0 or self.longest_fill_s < 0:
            raise SignalError(
                f"a rate is above 0 Hz and a longest fill at least 0 s; found {self.rate_hz}, {self.longest_fill_s}"
            )


@dataclass(frozen=True, slots=True)
class Gap:
    """Missing rows: from the last row before to the first one after."""

    start_s: float
    end_s: float
    filled: bool


@dataclass(frozen=True, slots=True)
class ResampleReport:
    """What was done."""

    rule: ResampleRule
    rows_before: int
    rows_after: int
    filled: int  # new rows inside short gaps
    left_out: int  # new times inside long gaps
    gaps: tuple[Gap, ...]

    def __str__(self) -> str:
        how = f"{self.rule.between.value}{', mean' if self.rule.mean else ''}"
        return (
            f"{self.rows_before} rows to {self.rows_after} at {self.rule.rate_hz:g} Hz ({how}); {len(self.gaps)} gaps, "
            f"{self.filled} rows filled in gaps up to {self.rule.longest_fill_s:g} s, {self.left_out} left out"
        )


def resample(log: Log, rule: ResampleRule) -> tuple[Log, ResampleReport]:
    """Bring a log of two rows or more to one rate."""
    old_s = log.time_s
    steps_s = np.diff(old_s)
    wide = steps_s > GAP * log.period_s
    new_s = old_s[0] + np.arange(int((old_s[-1] - old_s[0]) * rule.rate_hz + 1e-6) + 1) / rule.rate_hz
    before = np.clip(np.searchsorted(old_s, new_s + 1e-9, side="right") - 1, 0, len(old_s) - 2)
    inside = wide[before] & (new_s > old_s[before] + 1e-9) & (new_s < old_s[before + 1] - 1e-9)
    lost = inside & (steps_s[before] > rule.longest_fill_s)
    kept = new_s[~lost]
    values = {name: _values(name, data, old_s, kept, rule) for name, data in log.values.items()}
    texts = {name: data[_last_before(old_s, kept)] for name, data in log.texts.items()}
    gaps = tuple(
        Gap(float(old_s[at]), float(old_s[at + 1]), bool(steps_s[at] <= rule.longest_fill_s))
        for at in np.flatnonzero(wide)
    )
    report = ResampleReport(rule, len(old_s), len(kept), int((inside & ~lost).sum()), int(lost.sum()), gaps)
    return replace(log, time_s=kept, values=values, texts=texts), report


def _values(name: str, data: FloatArray, old_s: FloatArray, new_s: FloatArray, rule: ResampleRule) -> FloatArray:
    if COLUMNS[name].kind is Kind.BINARY or (rule.between is Between.HOLD and not rule.mean):
        return data[_last_before(old_s, new_s)]
    if rule.mean and 1 / rule.rate_hz > float(np.median(np.diff(old_s))):
        return _centred_mean(data, old_s, new_s, 1 / rule.rate_hz)
    return np.asarray(np.interp(new_s, old_s, data), dtype=np.float64)


def _last_before(old_s: FloatArray, new_s: FloatArray) -> NDArray[np.intp]:
    return np.searchsorted(old_s, new_s + 1e-9, side="right") - 1


def _centred_mean(data: FloatArray, old_s: FloatArray, new_s: FloatArray, width_s: float) -> FloatArray:
    """The integral of the straight lines over one new period, by its width; at the ends over what there is."""
    area = np.concatenate([[0.0], np.cumsum(np.diff(old_s) * (data[:-1] + data[1:]) / 2)])
    low = np.maximum(new_s - width_s / 2, old_s[0])
    high = np.minimum(new_s + width_s / 2, old_s[-1])
    integral = _area_to(high, data, old_s, area) - _area_to(low, data, old_s, area)
    return np.asarray(integral / (high - low), dtype=np.float64)


def _area_to(time_s: FloatArray, data: FloatArray, old_s: FloatArray, area: FloatArray) -> FloatArray:
    at = np.clip(np.searchsorted(old_s, time_s, side="right") - 1, 0, len(old_s) - 1)
    return np.asarray(
        area[at] + (time_s - old_s[at]) * (data[at] + np.interp(time_s, old_s, data)) / 2, dtype=np.float64
    )
