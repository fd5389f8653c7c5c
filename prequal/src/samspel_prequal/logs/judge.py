"""What a log's numbers say about the log: gaps, rates, units, swapped columns, resolution, and the file's own name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from samspel_prequal import rules
from samspel_prequal.logs import columns
from samspel_prequal.logs.columns import DATE_TIME
from samspel_prequal.logs.findings import Findings, first_row
from samspel_prequal.logs.log import Log
from samspel_prequal.logs.name import TIMEZONES, LogName
from samspel_prequal.product import TestType

__all__ = ["Rows", "judge"]

PLAUSIBLE_HZ: Final = (45.0, 55.0)
# More than the largest unit of the synchronous area; ten times what the entity is rated for, where that is known.
PLAUSIBLE_W: Final = 2_000e6
OVER_RATING: Final = 10.0
GAP: Final = 1.5  # of the usual time between samples
MIXED_SHARE: Final = 0.05
ENOUGH_VALUES: Final = 10
RATE_TOLERANCE: Final = 1.01
# Tests whose frequency or power really stands on few levels say nothing about resolution.
_CONTINUOUS: Final = {TestType.SINE, TestType.RAMP, TestType.OPERATION}
_NOTHING: Final = np.array([])
IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Rows:
    """Where a log's rows and columns stand in its file: lines, and numbers of columns, from 1."""

    line: IntArray
    column: Mapping[str, int]

    def place(self, mask: NDArray[np.bool_], header: str, after: int = 0) -> dict[str, int | str]:
        """The first row of a mask (and so many after it), its column, and how many there are."""
        line = int(self.line[first_row(mask) + after])
        return {"line": line, "column": self.column[header], "header": header, "count": int(mask.sum())}


def judge(log: Log, name: LogName, rows: Rows, findings: Findings, rated_w: float | None) -> None:
    """Report what is wrong with a log that could be parsed."""
    _blanks(log, rows, findings)
    _frequency(log, rows, findings)
    _power(log, rows, findings, rated_w)
    _sampling(log, name, rows, findings)
    _interval(log, name, findings)
    _resolution(log, rows, findings, rated_w)


def _blanks(log: Log, rows: Rows, findings: Findings) -> None:
    for header in (columns.POWER, columns.APPLIED_FREQUENCY, columns.GRID_FREQUENCY, columns.BASELINE):
        blank = np.isnan(log.values.get(header, _NOTHING))
        if blank.any():
            message = "expected a value in every row, found a blank; leave out rows that were not measured"
            findings.error("blank", message, **rows.place(blank, header))


def _frequency(log: Log, rows: Rows, findings: Findings) -> None:
    lowest, highest = PLAUSIBLE_HZ
    for header in (columns.APPLIED_FREQUENCY, columns.GRID_FREQUENCY):
        data = log.values.get(header, _NOTHING)
        outside = (data < lowest) | (data > highest)
        if outside.any():
            found_hz = float(data[first_row(outside)])
            swapped = _swapped(log)
            hint = "power and frequency seem to have changed places" if swapped else _unit_hint(found_hz)
            message = f"expected 45 to 55 Hz, found {found_hz:g}; {hint}"
            findings.error("swapped" if swapped else "frequency", message, **rows.place(outside, header))


def _swapped(log: Log) -> bool:
    lowest, highest = PLAUSIBLE_HZ
    power_mw = log.power_w / columns.MEGA
    return bool(((power_mw > lowest) & (power_mw < highest)).all())


def _unit_hint(value: float) -> str:
    lowest, highest = PLAUSIBLE_HZ
    if lowest < value / 1000 < highest:
        return "this looks like millihertz: write hertz"
    return (
        "this looks like a deviation: write the frequency itself" if abs(value) < 5 else "write the frequency in hertz"
    )


def _power(log: Log, rows: Rows, findings: Findings, rated_w: float | None) -> None:
    limit_w = PLAUSIBLE_W if rated_w is None else OVER_RATING * rated_w
    beyond = np.abs(log.power_w) > limit_w
    if beyond.any():
        limit_mw, found_mw = limit_w / columns.MEGA, log.power_w[first_row(beyond)] / columns.MEGA
        message = f"expected power in MW, at most {limit_mw:g}, found {found_mw:g}; {_power_hint(log, rated_w)}"
        findings.error("power-unit", message, **rows.place(beyond, columns.POWER))


def _power_hint(log: Log, rated_w: float | None) -> str:
    largest = float(np.nanmax(np.abs(log.power_w))) / columns.MEGA
    kilowatts = rated_w is not None and largest <= 2 * rated_w / 1000
    return "this looks like kilowatts: divide by 1000" if kilowatts else "this looks like watts: divide by 1000000"


def _sampling(log: Log, name: LogName, rows: Rows, findings: Findings) -> None:
    if len(log.time_s) < 2:
        findings.error("no-data", "expected two rows or more", line=2)
        return
    steps_ms = np.rint(np.diff(log.time_s) * 1000)
    usual_ms = float(np.median(steps_ms))
    irregular = np.abs(steps_ms - usual_ms) > 0.5 * usual_ms
    if irregular.mean() > MIXED_SHARE:
        message = (
            f"expected one sampling rate, found {steps_ms[first_row(irregular)]:g} ms among {usual_ms:g} ms; "
            "right only for a log kept on change (0.01 MW, 5 mHz)"
        )
        findings.defect("mixed-rates", message, **rows.place(irregular, DATE_TIME, after=1))
    else:
        _gaps(steps_ms, usual_ms, rows, findings)
    _rate(log, name, usual_ms, findings)


def _gaps(steps_ms: NDArray[np.float64], usual_ms: float, rows: Rows, findings: Findings) -> None:
    gap = steps_ms > GAP * usual_ms
    if gap.any():
        found_ms = steps_ms[first_row(gap)]
        missing = int(np.rint(steps_ms[gap] / usual_ms - 1).sum())
        message = f"{found_ms:g} ms between rows that come every {usual_ms:g} ms; {missing} samples are missing in all"
        findings.defect("gap", message, **rows.place(gap, DATE_TIME, after=1))


def _rate(log: Log, name: LogName, usual_ms: float, findings: Findings) -> None:
    operation = log.label.test_type is TestType.OPERATION
    lowest_hz = (
        rules.MIN_OPERATION_RATE_HZ
        if operation
        else rules.MIN_TEST_RATE_HZ.get(log.product, rules.MIN_OPERATION_RATE_HZ)
    )
    if usual_ms > RATE_TOLERANCE * 1000 / lowest_hz:
        consent = "" if operation else "; the TSO may allow 1 Hz for a fast, stable response"
        findings.defect(
            "rate",
            f"expected at least {lowest_hz:g} samples a second, found one every {usual_ms:g} ms{consent}",
            line=2,
            column=1,
        )
    if abs(usual_ms - name.sampling_ms) > 0.01 * name.sampling_ms:
        findings.defect(
            "rate-in-name", f"the file name says {name.sampling_ms:g} ms, the rows come every {usual_ms:g} ms"
        )


def _interval(log: Log, name: LogName, findings: Findings) -> None:
    zone = TIMEZONES[name.zone]
    first = log.start.astimezone(zone)
    seconds = [(first - name.start).total_seconds() + float(log.time_s[at]) for at in (0, -1)]
    length_s = (name.end - name.start).total_seconds()
    if not (0 <= seconds[0] < 60 and -60 <= seconds[1] - length_s < 60):
        message = (
            f"the file name says {name.start:%Y%m%dT%H%M}-{name.end:%Y%m%dT%H%M} {name.zone}, the rows begin at "
            f"{first:%Y%m%dT%H%M%S} and last {seconds[1] - seconds[0]:.0f} s"
        )
        whole_hours = abs(seconds[0]) >= 1800 and abs((seconds[0] + 1800) % 3600 - 1800) < 60
        hint = "; whole hours apart: is the timezone right?" if whole_hours else ""
        findings.defect("interval", message + hint)


def _resolution(log: Log, rows: Rows, findings: Findings, rated_w: float | None) -> None:
    if log.label.test_type not in _CONTINUOUS:
        return
    allowed_w = rules.POWER_RESOLUTION_W if rated_w is None else rules.power_resolution_w(rated_w)
    checks: tuple[tuple[str, float, Callable[[float], str]], ...] = (
        (columns.POWER, allowed_w, lambda step: f"{step / columns.MEGA:g} MW"),
        (columns.APPLIED_FREQUENCY, rules.FREQUENCY_RESOLUTION_HZ, lambda step: f"{step * 1000:.3g} mHz"),
        (columns.GRID_FREQUENCY, rules.FREQUENCY_RESOLUTION_HZ, lambda step: f"{step * 1000:.3g} mHz"),
    )
    for header, allowed, say in checks:
        step = _step(log.values.get(header))
        if step > 1.001 * allowed:
            message = f"expected steps of at most {say(allowed)}, found {say(step)} at the finest"
            findings.defect("resolution", message, line=2, column=rows.column[header], header=header)


def _step(data: NDArray[np.float64] | None) -> float:
    """The smallest distance between two different values; 0 where there are too few to tell."""
    levels = np.unique(np.round(data, 9)) if data is not None else np.array([])
    return float(np.diff(levels).min()) if len(levels) >= ENOUGH_VALUES else 0.0
