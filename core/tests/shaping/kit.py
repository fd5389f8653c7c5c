"""Readings and contexts in few words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from samspel.contract.telemetry import Quality, Reading
from samspel.shaping.filter import ShapingContext

AT = datetime(2026, 1, 1, tzinfo=UTC)


def reading(value: Any, *, at: float = 0.0, quality: Quality = Quality.GOOD) -> Reading:
    return Reading(value, "", AT, at, quality)


def context(
    *, now: float = 0.0, written_w: float | None = None, worn: int = 0, shaped_w: float | None = None, **readings: Any
) -> ShapingContext:
    made = {name: value if isinstance(value, Reading) else reading(value) for name, value in readings.items()}
    return ShapingContext(now=now, written_w=written_w, worn=worn, shaped_w=shaped_w, readings=made)
