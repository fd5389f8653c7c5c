"""What a connection that does not work looks like, and what to do: the loader of `symptoms.toml`.

The vendor's words stand in the file; what may be observed is the closed list below, so that one doctor serves all.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from importlib.resources.abc import Traversable
from typing import Annotated

from pydantic import Field

from samspel.driver.documents import Doc, read_document
from samspel.registers.model import Confidence

__all__ = ["Evidence", "Symptom", "load_symptoms"]


class Evidence(StrEnum):
    """One thing that can be observed from outside, without knowing the brand."""

    CONNECTION_REFUSED = "connection_refused"
    CLOSED_SOON_AFTER_ACCEPT = "closed_soon_after_accept"
    ALL_READS_TIME_OUT = "all_reads_time_out"
    FIRST_READ_LOST = "first_read_lost"
    STATIC_READS_WORK = "static_reads_work"
    LIVE_READS_FAIL = "live_reads_fail"
    ANSWERS_SLOW = "answers_slow"
    READS_WORK = "reads_work"
    WRITES_REFUSED = "writes_refused"
    WROTE_BEFORE_RECONNECT = "wrote_before_reconnect"
    WRITES_ACKNOWLEDGED = "writes_acknowledged"
    BATTERY_STAYS_IDLE = "battery_stays_idle"
    METER_OFFLINE = "meter_offline"
    GRID_SIGN_SWAPPED = "grid_sign_swapped"
    PV_COLLAPSES_UNDER_COMMAND = "pv_collapses_under_command"
    SET_POINT_OVERWRITTEN = "set_point_overwritten"
    MODEL_NOT_RECOGNISED = "model_not_recognised"
    WORKED_BEFORE = "worked_before"
    DARK = "dark"
    DAYLIGHT = "daylight"


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptom:
    """All of `when` observed together points at `cause`; `fix` is what a person can do, most likely first."""

    name: str
    when: frozenset[Evidence]
    cause: str
    fix: tuple[str, ...]
    confidence: Confidence
    source: str


class SymptomDoc(Doc):
    """`[[symptoms]]`."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    when: list[Annotated[Evidence, Field(strict=False)]] = Field(min_length=1)
    cause: str = Field(min_length=1)
    fix: list[str] = Field(min_length=1)
    confidence: Confidence = Field(strict=False)
    source: str = Field(min_length=1)


class SymptomsDoc(Doc):
    """A whole file."""

    symptoms: list[SymptomDoc]


def load_symptoms(path: Traversable) -> tuple[Symptom, ...]:
    """The rules of a `symptoms.toml`, the most specific first. Raises MapError."""
    rules = [_symptom(one) for one in read_document(path, SymptomsDoc).symptoms]
    return tuple(sorted(rules, key=lambda rule: -len(rule.when)))


def _symptom(one: SymptomDoc) -> Symptom:
    return Symptom(
        name=one.name,
        when=frozenset(one.when),
        cause=one.cause,
        fix=tuple(one.fix),
        confidence=one.confidence,
        source=one.source,
    )
