"""The file name of a log.

`[Resource]_[Service]_[TestType]_[Area]_[Timezone]_[Interval]_[SamplingRate].csv` (TP 11.1); TR 6.2.1 puts `_[Date]`
after the rate. Both are read; the second is written on request.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Final

from samspel_prequal.errors import LogNameError
from samspel_prequal.logs.label import TestLabel
from samspel_prequal.product import Product

__all__ = ["AREAS", "TIMEZONES", "LogName"]

AREAS: Final = ("SE1", "SE2", "SE3", "SE4", "FI", "NO1", "NO2", "NO3", "NO4", "NO5", "DK2")
# Fixed offsets: a log has no clock change in it. CET is winter time all year; CEST must be named.
TIMEZONES: Final = {
    name: timezone(timedelta(hours=hours), name)
    for name, hours in (("UTC", 0), ("CET", 1), ("CEST", 2), ("EET", 2), ("EEST", 3))
}
PATTERN: Final = "[Resource]_[Service]_[TestType]_[Area]_[Timezone]_[Interval]_[SamplingRate].csv"
MINUTE_FORMAT: Final = "%Y%m%dT%H%M"
_FIELDS_AFTER_SERVICE: Final = 5
_RATE: Final = re.compile(r"(\d+(?:[.]\d+)?)(ms|s)")
_SAFE_RESOURCE: Final = re.compile(r"[A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class LogName:
    """A parsed file name. `start` and `end` are local to `zone` and carry it; both are whole minutes."""

    resource: str
    product: Product
    label: TestLabel
    area: str
    zone: str
    start: datetime
    end: datetime
    sampling_ms: float
    date: date | None = None

    def __post_init__(self) -> None:
        if not _SAFE_RESOURCE.fullmatch(self.resource):
            raise LogNameError(
                f"resource {self.resource!r}: only ASCII letters, digits, '.', '-' and '_' go into a file name"
            )
        if self.zone not in TIMEZONES:
            raise LogNameError(f"timezone {self.zone!r} is not one of {', '.join(TIMEZONES)}")
        if self.area not in AREAS:
            raise LogNameError(f"area {self.area!r} is not one of {', '.join(AREAS)}")
        if self.end < self.start:
            raise LogNameError(f"the interval ends at {self.end:%Y%m%dT%H%M}, before its start")

    def __str__(self) -> str:
        fields = [
            self.resource,
            self.product.service,
            str(self.label),
            self.area,
            self.zone,
            f"{self.start:{MINUTE_FORMAT}}-{self.end:{MINUTE_FORMAT}}",
            f"{self.sampling_ms:g}ms",
        ]
        fields += [f"{self.date:%Y%m%d}"] if self.date else []
        return "_".join(fields) + ".csv"

    @classmethod
    def parse(cls, path: str | Path) -> LogName:
        """Take a file name apart.

        Raises:
            LogNameError: naming the field that is wrong.
        """
        name = Path(path).name
        stem, dot, extension = name.rpartition(".")
        if not dot or extension not in {"csv", "parquet"}:
            raise LogNameError(f"{name!r} must end in .csv (or .parquet): {PATTERN}")
        try:
            return cls._from_fields(stem.split("_"))
        except LogNameError as reason:
            raise LogNameError(f"file name {name!r}: {reason}") from None

    @classmethod
    def _from_fields(cls, fields: list[str]) -> LogName:
        at = _service_at(fields)
        product = Product.from_service(fields[at])
        rest = fields[at + 1 :]
        day = _parse_date(rest.pop()) if rest and re.fullmatch(r"\d{8}", rest[-1]) else None
        if len(rest) < _FIELDS_AFTER_SERVICE:
            raise LogNameError(f"found {at + 1 + len(rest)} fields between underscores; expected {PATTERN}")
        *test, area, zone, interval, rate = rest
        if zone not in TIMEZONES:
            raise LogNameError(f"timezone {zone!r} is not one of {', '.join(TIMEZONES)}")
        start, end = _parse_interval(interval, zone)
        label = TestLabel.parse("_".join(test), product)
        return cls("_".join(fields[:at]), product, label, area, zone, start, end, _parse_rate(rate), day)


def _service_at(fields: list[str]) -> int:
    """Where the service word stands; what is before it is the resource, which may hold underscores."""
    for at, word in enumerate(fields):
        if at and word in {product.service for product in Product}:
            return at
    raise LogNameError(
        f"no service found between underscores; expected Fcrn, FcrdUp or FcrdDo as the second field of {PATTERN}"
    )


def _parse_interval(text: str, zone: str) -> tuple[datetime, datetime]:
    if not re.fullmatch(r"\d{8}T\d{4}-\d{8}T\d{4}", text):
        raise LogNameError(f"interval {text!r}: expected YYYYMMDDThhmm-YYYYMMDDThhmm")
    try:
        start, end = (
            datetime.strptime(part, MINUTE_FORMAT).replace(tzinfo=TIMEZONES[zone]) for part in text.split("-")
        )
    except ValueError:
        raise LogNameError(f"interval {text!r} holds a date that does not exist") from None
    return start, end


def _parse_rate(text: str) -> float:
    match = _RATE.fullmatch(text)
    if match is None or float(match[1]) <= 0:
        raise LogNameError(f"sampling rate {text!r}: expected the time between samples, as 100ms or 1s")
    return float(match[1]) * (1.0 if match[2] == "ms" else 1000.0)


def _parse_date(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 - a calendar day has no zone
    except ValueError:
        raise LogNameError(f"date {text!r} does not exist") from None
