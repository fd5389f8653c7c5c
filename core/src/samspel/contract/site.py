"""What a site says about itself: birth, status and headroom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from samspel.contract.capability import Capabilities
from samspel.contract.driver import Identity
from samspel.contract.units import Identifier, Nonce, NonNegativeInt

__all__ = [
    "BIRTH_SCHEMA",
    "HEADROOM_SCHEMA",
    "STATUS_SCHEMA",
    "Birth",
    "Condition",
    "DeviceBirth",
    "DeviceHeadroom",
    "Headroom",
    "Status",
]

BIRTH_SCHEMA = "birth/1.0"
STATUS_SCHEMA = "status/1.0"
HEADROOM_SCHEMA = "headroom/1.0"


class Condition(StrEnum):
    """The site in one word."""

    ONLINE = "online"
    DEGRADED = "degraded"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceBirth:
    """One device as it was identified; `identity` is `None` until it has answered.

    `learned_latency_s`: by direction, how long this battery may take as this site has seen it; where nothing stands
    the route's own latency counts.
    """

    device: Identifier
    identity: Identity | None
    capabilities: Capabilities | None
    learned_latency_s: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Birth:
    """Versions of every package and map, capabilities, and the id of this run."""

    schema: str = BIRTH_SCHEMA
    site: Identifier
    boot_id: Identifier
    at: datetime
    versions: Mapping[str, str]
    devices: tuple[DeviceBirth, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Retained, and the last will. A command that echoes `nonce` proves its age on the site's own clock."""

    schema: str = STATUS_SCHEMA
    site: Identifier
    boot_id: Identifier
    at: datetime
    condition: Condition
    why: tuple[str, ...] = ()
    nonce: Nonce | None = None
    control: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceHeadroom:
    """Watts that one device can sustain each way now, both >= 0, and why they are not more.

    `writes_left`: writes of registers that wear, today; absent where the site sets no budget.
    """

    charge_w: float
    discharge_w: float
    why: tuple[str, ...] = ()
    writes_left: NonNegativeInt | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Headroom:
    """Site sum and per device."""

    schema: str = HEADROOM_SCHEMA
    site: Identifier
    at: datetime
    charge_w: float
    discharge_w: float
    devices: Mapping[str, DeviceHeadroom]
