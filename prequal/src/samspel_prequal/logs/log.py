"""A log as the rest of the program sees it: arrays in watts, hertz and seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from samspel_prequal.errors import LogNameError
from samspel_prequal.logs import columns
from samspel_prequal.logs.columns import COLUMNS, header_for
from samspel_prequal.logs.label import TestLabel
from samspel_prequal.logs.name import TIMEZONES, LogName
from samspel_prequal.product import Product
from samspel_prequal.signals.signal import FloatArray

__all__ = ["Log", "TextArray"]

TextArray = NDArray[np.str_]


@dataclass(frozen=True, slots=True)
class Log:
    """One test, or one stretch of operation, of one resource.

    `time_s` counts from `start` (aware, UTC) and only rises. `values` holds every numeric column by its header without
    a sine's suffix, in SI units: W instead of MW, W/Hz instead of MW/Hz, the rest as in the table (SOC in per cent,
    ResSize in minutes, binaries 0 or 1). A blank cell is NaN. `texts` holds the control modes.
    """

    resource: str
    product: Product
    label: TestLabel
    start: datetime
    time_s: FloatArray
    values: Mapping[str, FloatArray]
    texts: Mapping[str, TextArray] = field(default_factory=dict)
    area: str = "SE3"
    zone: str = "UTC"

    def __post_init__(self) -> None:
        if self.start.tzinfo is None:
            raise ValueError("a log's start carries its timezone")
        if unknown := sorted((self.values.keys() | self.texts.keys()) - COLUMNS.keys()):
            raise ValueError(f"unknown columns {unknown}; the table of columns is in samspel_prequal.logs.columns")
        wrong = [name for name, data in {**self.values, **self.texts}.items() if len(data) != len(self.time_s)]
        if wrong or columns.POWER not in self.values:
            raise ValueError(f"every column is as long as time_s and power is among them; wrong: {wrong}")

    @property
    def power_w(self) -> FloatArray:
        """Active power, injection positive."""
        return self.values[columns.POWER]

    @property
    def grid_frequency_hz(self) -> FloatArray | None:
        """Measured grid frequency."""
        return self.values.get(columns.GRID_FREQUENCY)

    @property
    def applied_frequency_hz(self) -> FloatArray | None:
        """The test signal."""
        return self.values.get(columns.APPLIED_FREQUENCY)

    @property
    def frequency_hz(self) -> FloatArray:
        """What the entity answers to: the applied signal where there is one, else the grid."""
        for header in (columns.APPLIED_FREQUENCY, columns.GRID_FREQUENCY):
            if header in self.values:
                return self.values[header]
        raise ValueError("this log has neither an applied nor a measured frequency")

    @property
    def baseline_w(self) -> FloatArray:
        """Power without activation; zero where the log has no baseline."""
        found = self.values.get(columns.BASELINE)
        return np.zeros_like(self.time_s) if found is None else found

    @property
    def soc_pct(self) -> FloatArray | None:
        """State of charge of a battery."""
        return self.values.get(columns.STATE_OF_CHARGE)

    @property
    def period_s(self) -> float:
        """The usual time between samples (the median)."""
        return float(np.median(np.diff(self.time_s))) if len(self.time_s) > 1 else 0.0

    @property
    def name(self) -> LogName:
        """The file name that belongs to this log."""
        if len(self.time_s) == 0:
            raise LogNameError("a log without samples has no interval and so no name")
        zone = TIMEZONES[self.zone]
        ends = [self.start + timedelta(seconds=float(self.time_s[at])) for at in (0, -1)]
        start, end = (moment.astimezone(zone).replace(second=0, microsecond=0) for moment in ends)
        sampling_ms = round(self.period_s * 1000, 3) or 1000.0
        return LogName(self.resource, self.product, self.label, self.area, self.zone, start, end, sampling_ms)

    def of_product(self, stem: str) -> FloatArray | None:
        """A column of this log's own product: `NEM`, `AEM`, `NEM_MW` (in W), `ResSize` or `Cap`."""
        return self.values.get(header_for(stem, self.product))

    def between(self, start_s: float, end_s: float) -> Log:
        """The samples from `start_s` up to, not including, `end_s`."""
        first, last = np.searchsorted(self.time_s, [start_s, end_s])
        return self.rows(slice(int(first), int(last)))

    def rows(self, which: slice | NDArray[np.bool_]) -> Log:
        """Some of the rows; times still count from the same start."""
        return replace(
            self,
            time_s=self.time_s[which],
            values={name: data[which] for name, data in self.values.items()},
            texts={name: data[which] for name, data in self.texts.items()},
        )

    @classmethod
    def of(
        cls,
        product: Product,
        label: TestLabel,
        time_s: FloatArray,
        frequency_hz: FloatArray,
        power_w: FloatArray,
        *,
        applied: bool = True,
        resource: str = "HOME1",
        start: datetime = datetime(2026, 1, 5, 10, tzinfo=UTC),
        **more: FloatArray,
    ) -> Log:
        """The shortest way to a log from arrays in SI units; `more` takes further columns by header."""
        header = columns.APPLIED_FREQUENCY if applied else columns.GRID_FREQUENCY
        return cls(resource, product, label, start, time_s, {columns.POWER: power_w, header: frequency_hz, **more})
