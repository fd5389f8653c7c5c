"""What one device can do, per model, firmware and path, and what that statement rests on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from samspel.contract.command import Accept

__all__ = [
    "Authority",
    "Capabilities",
    "Deadman",
    "Direction",
    "EvidenceLevel",
    "PvEffect",
    "Ramp",
    "Reference",
    "Route",
    "Verify",
    "WriteLife",
]

Authority = Accept
"""How a route follows its target; the same words as what a command accepts."""


class Direction(StrEnum):
    """Which way a route moves the battery."""

    CHARGE = "charge"
    DISCHARGE = "discharge"
    ZERO = "zero"

    @classmethod
    def of(cls, power_w: float) -> Direction:
        """Which way a power of the contract goes; positive discharges."""
        if power_w == 0:
            return cls.ZERO
        return cls.DISCHARGE if power_w > 0 else cls.CHARGE


class Reference(StrEnum):
    """Where the power that the device regulates is measured."""

    BATTERY = "battery"
    AC_TERMINAL = "ac_terminal"
    GRID_POINT = "grid_point"


class PvEffect(StrEnum):
    """What the command does to photovoltaic production."""

    NONE = "none"
    CEILING = "ceiling"
    """PV is throttled to the commanded power."""
    MAY_STOP = "may_stop"
    """PV may stop altogether while the command stands."""
    UNKNOWN = "unknown"


class Verify(StrEnum):
    """How a write can be proved."""

    READ_BACK = "read_back"
    EFFECT = "effect"
    NONE = "none"


class Deadman(StrEnum):
    """Whether the device ends the command by itself when it is not fed."""

    NONE = "none"
    TIMEOUT = "timeout"


class WriteLife(StrEnum):
    """Whether the route's registers wear."""

    VOLATILE = "volatile"
    PERSISTENT = "persistent"
    UNKNOWN = "unknown"


class EvidenceLevel(StrEnum):
    """What a statement rests on, strongest first. Products are permitted on `measured` only."""

    MEASURED = "measured"
    DOCUMENT = "document"
    INFERRED = "inferred"
    TWIN = "twin"


class Ramp(StrEnum):
    """How the power approaches its target."""

    STEP = "step"
    LINEAR = "linear"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One way to move the battery in one direction. Powers in W, times in s; `None` means not known.

    `latency_s` is write to 90 % of the target. `deadman_s` is the device's own timeout, `None` without one.
    `rung` names a step of the ladder when a held zero has several. `source` says who measured or wrote it.
    """

    name: str
    direction: Direction
    reference: Reference
    authority: Authority
    pv_effect: PvEffect
    verify: Verify
    deadman: Deadman
    write_life: WriteLife
    evidence: EvidenceLevel
    source: str
    dead_zone_w: float = 0.0
    granularity_w: float = 1.0
    spacing_s: float = 0.0
    reversal_dwell_s: float = 0.0
    wake_s: float = 0.0
    latency_s: float | None = None
    ramp: Ramp = Ramp.UNKNOWN
    deadman_s: float | None = None
    feed_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """The record of one identified device. `read_only_because` is empty when control is allowed."""

    routes: tuple[Route, ...]
    read_only_because: str = ""

    def route(self, direction: Direction) -> Route | None:
        """The preferred (first declared) route of a direction."""
        return next((route for route in self.routes if route.direction is direction), None)
