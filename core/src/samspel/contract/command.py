"""What a dispatcher may ask of a device: four kinds of command.

A command is decided from its payload alone: who asks (issuer, epoch, seq), of whom (target), until when
(issued_at and ttl_s, optionally bounded by the last nonce the site published), and what (kind and its fields).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Literal

from samspel.contract.units import Identifier, Nonce, NonNegativeInt, PositiveSeconds, Seconds, Watts

__all__ = [
    "COMMAND_SCHEMA",
    "Accept",
    "Arm",
    "Baseline",
    "Command",
    "OnExpiry",
    "Rank",
    "Release",
    "SetPower",
    "Stop",
]

COMMAND_SCHEMA = "command/1.0"


class Rank(IntEnum):
    """Who outranks whom. A lower rank cannot displace a higher one's unexpired lease."""

    HOUSEHOLD = 10
    DISPATCHER = 20
    INSTALLER = 30
    LOCAL_SAFETY = 40


class OnExpiry(StrEnum):
    """What happens when a set-point's deadline passes without a successor."""

    HOLD_THEN_RELEASE = "hold_then_release"
    """Keep the power for `hold_s` more seconds, then give control back."""
    RELEASE = "release"
    """Give control back at the deadline."""
    HOLD = "hold"
    """Keep the power until somebody commands again."""


class Accept(StrEnum):
    """Which kind of following the issuer accepts of a route."""

    EXACT = "exact"
    UPPER_BOUND = "upper_bound"
    LOAD_FOLLOWING = "load_following"


class Baseline(StrEnum):
    """On what a local programme's power is summed."""

    ZERO = "zero"
    CONSTANT = "constant"
    SCHEDULE = "schedule"
    OWN_LOGIC = "own_logic"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Envelope:
    """The fields that every command has.

    `issued_at` is UTC. `target` is "site/device" and must equal the topic. `epoch` counts the issuer's leases,
    `seq` orders its commands within one. `ends_stop` names the latched stop that this command ends.
    """

    schema: str = COMMAND_SCHEMA
    id: Identifier
    issuer: Identifier
    epoch: NonNegativeInt
    seq: NonNegativeInt
    issued_at: datetime
    ttl_s: PositiveSeconds
    target: Identifier
    nonce: Nonce | None = None
    ends_stop: Identifier | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPower(_Envelope):
    """Follow `power_w` at the battery terminal until the deadline; positive discharges, 0 W is a held zero."""

    kind: Literal["set_power"] = "set_power"
    power_w: Watts
    on_expiry: OnExpiry = OnExpiry.HOLD_THEN_RELEASE
    hold_s: Seconds = 30.0
    accept: Accept = Accept.EXACT


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm(_Envelope):
    """Run a local programme of `product` with `capacity_w` on a baseline, between `start_at` and `end_at` (UTC)."""

    kind: Literal["arm"] = "arm"
    product: Identifier
    capacity_w: Watts
    start_at: datetime
    end_at: datetime
    baseline: Baseline = Baseline.ZERO
    baseline_w: Watts = 0.0
    parameters: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Release(_Envelope):
    """Give control back to the device's own logic, verified. Age never drops it; order does."""

    kind: Literal["release"] = "release"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop(_Envelope):
    """Battery power to zero now, from any authorised issuer, whatever its age or epoch. Latched."""

    kind: Literal["stop"] = "stop"


Command = SetPower | Arm | Release | Stop
