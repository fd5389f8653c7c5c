"""What became of a command: stages on the way, deviations at any time, and exactly one end.

One outcome message carries one of the three. The correlation is the command's id.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from samspel.contract.units import Identifier, NonNegativeInt, Percent

__all__ = ["OUTCOME_SCHEMA", "Deviation", "End", "Evidence", "Outcome", "Stage", "Verification"]

OUTCOME_SCHEMA = "outcome/1.0"


class Stage(StrEnum):
    """How far a command has come. `write_suppressed` adopts the new deadline without a new write;
    `pending` is a stop or release that waits for a dead link.
    """

    RECEIVED = "received"
    ACCEPTED = "accepted"
    ARMED = "armed"
    PENDING = "pending"
    WRITTEN = "written"
    WRITE_SUPPRESSED = "write_suppressed"
    VERIFIED = "verified"
    DELIVERED = "delivered"


class Verification(StrEnum):
    """How `verified` was reached. `skipped` carries its reason in the outcome's text."""

    READ_BACK = "read_back"
    EFFECT = "effect"
    SKIPPED = "skipped"


class Deviation(StrEnum):
    """How the battery differs from what was commanded."""

    CLAMPED = "clamped"
    OVERRIDDEN = "overridden"
    UNRESPONSIVE = "unresponsive"
    REVERSED = "reversed"
    SIDE_EFFECT = "side_effect"
    DWELL = "dwell"
    LOST_LINK = "lost_link"


class End(StrEnum):
    """How a command ended; every received command ends exactly once."""

    COMPLETED = "completed"
    EXPIRED_UNWRITTEN = "expired_unwritten"
    SUPERSEDED = "superseded"
    REFUSED = "refused"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Measured watts at one moment; `None` where no valid reading existed. Battery: positive discharges.
    Grid: positive is import. PV and AC: positive is production and delivery to the AC side.
    """

    battery_power_w: float | None = None
    pv_power_w: float | None = None
    ac_power_w: float | None = None
    grid_power_w: float | None = None
    soc_pct: float | None = None
    age_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One step in a command's life: exactly one of `stage`, `deviation` and `end` is set.

    `at` is UTC; `monotonic_s` is the site's monotonic clock at that moment, comparable only within one `boot_id`.
    `stations` holds, at the end, the monotonic time at which the command passed each station.
    `reason` is a closed word for programs, `text` a sentence for people.
    """

    schema: str = OUTCOME_SCHEMA
    command_id: Identifier
    device: Identifier
    boot_id: Identifier
    seq: NonNegativeInt
    at: datetime
    monotonic_s: float
    stage: Stage | None = None
    deviation: Deviation | None = None
    end: End | None = None
    reason: str = ""
    text: str = ""
    target_power_w: float | None = None
    verification: Verification | None = None
    rung: str | None = None
    in_tolerance_pct: Percent | None = None
    energy_wh: float | None = None
    before: Evidence | None = None
    after: Evidence | None = None
    stations: Mapping[str, float] = field(default_factory=dict)
    duplicate: bool = False

    def __post_init__(self) -> None:
        if sum(part is not None for part in (self.stage, self.deviation, self.end)) != 1:
            raise ValueError("an outcome carries exactly one of stage, deviation and end")
