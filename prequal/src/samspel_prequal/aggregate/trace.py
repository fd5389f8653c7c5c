"""One home's answer to one test, and where such answers come from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import numpy as np

from samspel_prequal.logs import Log, TestLabel
from samspel_prequal.product import Product
from samspel_prequal.signals import FloatArray

__all__ = ["EPOCH", "HomeTrace", "Source", "trace_of"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class HomeTrace:
    """One home in one test; `time_ms` is its own clock's UTC and rises, power is relative to its baseline."""

    home: str
    time_ms: FloatArray
    power_w: FloatArray
    frequency_hz: FloatArray | None  # what the home says was applied, or what it measured
    capacity_w: float | None = None


class Source(Protocol):
    """A fleet's answers, test by test."""

    @property
    def product(self) -> Product:
        """Whose tests these are."""
        ...

    @property
    def labels(self) -> tuple[TestLabel, ...]:
        """The tests there are."""
        ...

    def traces(self, label: TestLabel) -> Iterator[HomeTrace]:
        """Each home once, in any order."""
        ...


def trace_of(log: Log) -> HomeTrace:
    """A log as a home's trace."""
    start_ms = (log.start - EPOCH) / timedelta(milliseconds=1)
    capacity = log.of_product("Cap")
    noted = capacity[np.isfinite(capacity)] if capacity is not None else np.empty(0)
    frequency_hz = log.applied_frequency_hz if log.applied_frequency_hz is not None else log.grid_frequency_hz
    power_w = log.power_w - np.nan_to_num(log.baseline_w)
    return HomeTrace(
        log.resource, start_ms + log.time_s * 1000, power_w, frequency_hz, float(noted[0]) if len(noted) else None
    )
