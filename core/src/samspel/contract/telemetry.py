"""Measured values, each with its own measurement time and quality."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from samspel.contract.units import Identifier, NonNegativeInt

__all__ = ["TELEMETRY_SCHEMA", "Quality", "Reading", "Telemetry"]

TELEMETRY_SCHEMA = "telemetry/1.0"


class Quality(StrEnum):
    """Whether a value may be believed. Only `good` values may drive control."""

    GOOD = "good"
    STALE = "stale"
    FROZEN = "frozen"
    INVALID = "invalid"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of one signal.

    `value` is `None` unless the quality is good, stale or frozen: an invalid reading is left out, never 0.
    `measured_at` is UTC, `monotonic_s` the same instant on the site's monotonic clock; neither is ever restamped.
    """

    value: float | str | None
    unit: str
    measured_at: datetime
    monotonic_s: float
    quality: Quality

    def usable(self) -> float | None:
        """The number, when it is good; otherwise nothing."""
        if self.quality is Quality.GOOD and isinstance(self.value, int | float):
            return float(self.value)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry:
    """One cycle of one device: signal name to reading. Names are those of `samspel.contract.signals`."""

    schema: str = TELEMETRY_SCHEMA
    device: Identifier
    boot_id: Identifier
    seq: NonNegativeInt
    at: datetime
    readings: Mapping[str, Reading]
