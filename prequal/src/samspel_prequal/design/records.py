"""What installed drivers say about their devices: capability records, read as data. No driver's code is imported.

Needs the `samspel` distribution, which this one does not depend on: without it there are no records.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from samspel.contract.capability import Route
    from samspel.driver.manifest import CapabilityRule, Manifest
    from samspel.registers.model import Confidence

__all__ = ["DriverRecord", "RouteRecord", "Unread", "installed_records", "records_of"]

_GROUP = "samspel.drivers"


@dataclass(frozen=True, slots=True)
class RouteRecord:
    """One way to move the battery, as far as the design side looks at it. Times in s, power in W."""

    name: str
    direction: str  # charge, discharge or zero
    authority: str
    ramp: str  # step, linear or unknown
    latency_s: float | None  # write to 90 % of the target
    reversal_dwell_s: float
    dead_zone_w: float
    spacing_s: float
    wake_s: float
    deadman: str
    write_life: str
    evidence: str
    confidence: str
    source: str


@dataclass(frozen=True, slots=True)
class DriverRecord:
    """One capability rule of one driver."""

    driver: str
    models: tuple[str, ...]
    firmware: tuple[tuple[str, str], ...]
    paths: tuple[str, ...]
    routes: tuple[RouteRecord, ...]

    def first(self, direction: str) -> RouteRecord | None:
        """The preferred route of a direction."""
        return next((route for route in self.routes if route.direction == direction), None)


@dataclass(frozen=True, slots=True)
class Unread:
    """A driver that is installed and could not be read."""

    driver: str
    why: str


def installed_records() -> tuple[tuple[DriverRecord, ...], tuple[Unread, ...]]:
    """The records of every installed driver, and those drivers that could not be read, with the reason."""
    try:
        from samspel.contract.errors import SamspelError  # noqa: PLC0415 - an optional neighbour
        from samspel.plugins.loader import read_brand  # noqa: PLC0415
        from samspel.plugins.metadata import offers  # noqa: PLC0415
    except ModuleNotFoundError as reason:
        if (reason.name or "").partition(".")[0] != "samspel":
            raise
        return (), ()
    records: list[DriverRecord] = []
    unread: list[Unread] = []
    for name in sorted({offer.name for offer in offers(_GROUP) if not offer.disabled}):
        try:
            records += records_of(read_brand(name).manifest)
        except SamspelError as reason:
            unread.append(Unread(name, str(reason)))
    return tuple(records), tuple(unread)


def records_of(manifest: Manifest) -> list[DriverRecord]:
    """The rules of one manifest."""
    return [_record(manifest.name, rule) for rule in manifest.capabilities]


def _record(driver: str, rule: CapabilityRule) -> DriverRecord:
    return DriverRecord(driver, rule.models, rule.firmware, rule.paths, tuple(_routes(rule.routes)))


def _routes(routes: Iterable[tuple[Route, Confidence]]) -> Iterable[RouteRecord]:
    for route, confidence in routes:
        yield RouteRecord(
            name=route.name,
            direction=route.direction.value,
            authority=route.authority.value,
            ramp=route.ramp.value,
            latency_s=route.latency_s,
            reversal_dwell_s=route.reversal_dwell_s,
            dead_zone_w=route.dead_zone_w,
            spacing_s=route.spacing_s,
            wake_s=route.wake_s,
            deadman=route.deadman.value,
            write_life=route.write_life.value,
            evidence=route.evidence.value,
            confidence=confidence.value,
            source=route.source,
        )
