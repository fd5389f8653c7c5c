"""A route of a battery for the tests of every station: exact, read back, without a timer, unless a test says more."""

from __future__ import annotations

from typing import Any

from samspel.contract.capability import (
    Authority,
    Deadman,
    Direction,
    EvidenceLevel,
    PvEffect,
    Reference,
    Route,
    Verify,
    WriteLife,
)


def route(direction: Direction = Direction.DISCHARGE, **changes: Any) -> Route:
    values: dict[str, Any] = {
        "name": direction.value,
        "direction": direction,
        "reference": Reference.BATTERY,
        "authority": Authority.EXACT,
        "pv_effect": PvEffect.NONE,
        "verify": Verify.READ_BACK,
        "deadman": Deadman.NONE,
        "write_life": WriteLife.VOLATILE,
        "evidence": EvidenceLevel.MEASURED,
        "source": "a test",
    }
    return Route(**(values | changes))
