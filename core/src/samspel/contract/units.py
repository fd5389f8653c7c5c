"""Value types with their unit and range. The range is checked wherever a value crosses a line.

Power is in watts at the battery terminal, on every device; positive discharges. Grid power: positive is import.
"""

from __future__ import annotations

from typing import Annotated

from annotated_types import Interval, Len, MaxLen

__all__ = ["Identifier", "NonNegativeInt", "Nonce", "Percent", "PositiveSeconds", "Seconds", "Watts"]

Watts = Annotated[float, Interval(ge=-1_000_000.0, le=1_000_000.0)]
"""Power in watts. The bound of 1 MW only keeps nonsense out; a home is limited by its own configuration."""

Percent = Annotated[float, Interval(ge=0.0, le=100.0)]

Seconds = Annotated[float, Interval(ge=0.0, le=31_536_000.0)]
"""A duration of at most a year."""

PositiveSeconds = Annotated[float, Interval(gt=0.0, le=31_536_000.0)]

NonNegativeInt = Annotated[int, Interval(ge=0, le=2**63 - 1)]
"""A counter. The bound is what every database and language can hold; nanoseconds since 1970 fit."""

Identifier = Annotated[str, Len(1, 128)]
"""An id chosen by somebody else: any text of 1 to 128 characters."""

Nonce = Annotated[str, MaxLen(64)]
