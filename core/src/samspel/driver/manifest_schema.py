"""The TOML of `driver.toml` as it may be written. Every table refuses keys it does not know."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from samspel.contract.capability import (
    Authority,
    Deadman,
    Direction,
    EvidenceLevel,
    PvEffect,
    Ramp,
    Reference,
    Verify,
    WriteLife,
)
from samspel.contract.ports import Table
from samspel.driver.documents import Doc
from samspel.registers.model import Confidence, DataType, WordOrder

__all__ = [
    "BusDoc",
    "CapabilityDoc",
    "FirmwareDoc",
    "IdentityDoc",
    "IdentityRowDoc",
    "ManifestDoc",
    "PathDoc",
    "RefuseDoc",
    "RouteDoc",
    "TelemetryDoc",
]


class HeadDoc(Doc):
    """The keys before the first table. `words` are the brand's own, which never appear in anything published."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str = Field(min_length=1)
    brand: str = Field(min_length=1)
    contract: str = Field(pattern=r"^[0-9]+\.[0-9]+$")
    map_schema: str = Field(pattern=r"^[0-9]+\.[0-9]+$")
    maps: list[str] = Field(min_length=1)
    faults: str
    symptoms: str | None = None
    words: list[str] = Field(min_length=1)


Pair = tuple[float, float]


class BusDoc(Doc):
    """`[bus]`: how the device wants to be spoken to; what is left out is the bus's own default. Times in s."""

    framing: Literal["socket", "rtu"] | None = None
    connect_timeout_s: float | None = Field(default=None, gt=0)
    connect_wait_s: float | None = Field(default=None, ge=0)
    reconnect_s: Pair | None = Field(default=None, strict=False)
    gap_s: float | None = Field(default=None, ge=0)
    write_gap_s: float | None = Field(default=None, ge=0)
    gap_max_s: float | None = Field(default=None, ge=0)
    timeout_s: float | None = Field(default=None, gt=0)
    min_timeout_s: float | None = Field(default=None, gt=0)
    drop_after_timeouts: int | None = Field(default=None, ge=1)
    busy_codes: tuple[int, ...] | None = Field(default=None, strict=False)
    absent_codes: tuple[int, ...] | None = Field(default=None, strict=False)
    backoff_s: Pair | None = Field(default=None, strict=False)
    busy_tries: int | None = Field(default=None, ge=1)
    telemetry_patience_s: float | None = Field(default=None, gt=0)
    write_function_fallback: bool | None = None
    any_unit_answers: bool | None = None


class PathDoc(Doc):
    """`[[paths]]`: one way to reach the device. `units` are scanned in this order. `bus` overrides `[bus]`.

    `read_back` false: registers may read as before for minutes after a write that landed.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str = ""
    port: int = Field(ge=1, le=65535)
    units: list[int] = Field(min_length=1)
    session: bool = False
    read_back: bool = True
    bus: BusDoc = BusDoc()
    source: str = Field(min_length=1)


class IdentityRowDoc(Doc):
    """One register of `[identity]`: text, or a number. Its `labels` give the text, or it is said with as many decimals
    as `scale` has, after `prefix`.
    """

    address: int = Field(ge=0, le=65535)
    count: int = Field(default=1, ge=1, le=125)
    type: DataType = Field(default=DataType.STRING, strict=False)
    table: Table = Field(default=Table.HOLDING, strict=False)
    words: WordOrder = Field(default=WordOrder.HIGH_FIRST, strict=False)
    labels: dict[str, str] = Field(default_factory=dict)
    scale: float = Field(default=1.0, gt=0)
    prefix: str = ""
    optional: bool = False


class RefuseDoc(Doc):
    """`[[identity.refuse]]`: a device that answers one of `values` here is refused with the sentence `because`."""

    address: int = Field(ge=0, le=65535)
    count: int = Field(default=1, ge=1, le=125)
    type: DataType = Field(default=DataType.U16, strict=False)
    table: Table = Field(default=Table.HOLDING, strict=False)
    words: WordOrder = Field(default=WordOrder.HIGH_FIRST, strict=False)
    values: list[int | str] = Field(min_length=1)
    because: str = Field(min_length=1)


class IdentityDoc(Doc):
    """`[identity]`. `fingerprint` is searched in the text of `model`; its group `model`, if any, is the clean name."""

    fingerprint: str = Field(min_length=1)
    model: IdentityRowDoc
    serial: IdentityRowDoc
    firmware: IdentityRowDoc | None = None
    battery_model: IdentityRowDoc | None = None
    battery_serial: IdentityRowDoc | None = None
    refuse: list[RefuseDoc] = Field(default_factory=list)


class TelemetryDoc(Doc):
    """`[telemetry]`. A live block that has not changed for `frozen_after_s` is frozen; 0: never."""

    frozen_after_s: float = Field(default=0.0, ge=0)


class FirmwareDoc(Doc):
    """A closed range of firmware strings."""

    low: str = Field(alias="from", pattern="[0-9]")
    high: str = Field(alias="to", pattern="[0-9]")


class RouteDoc(Doc):
    """One route: the fields of `contract.capability.Route`, and how far its source is trusted."""

    name: str = Field(min_length=1)
    direction: Direction = Field(strict=False)
    reference: Reference = Field(strict=False)
    authority: Authority = Field(strict=False)
    pv_effect: PvEffect = Field(strict=False)
    verify: Verify = Field(strict=False)
    deadman: Deadman = Field(strict=False)
    write_life: WriteLife = Field(strict=False)
    evidence: EvidenceLevel = Field(strict=False)
    confidence: Confidence = Field(strict=False)
    source: str = Field(min_length=1)
    dead_zone_w: float = Field(default=0.0, ge=0)
    granularity_w: float = Field(default=1.0, gt=0)
    spacing_s: float = Field(default=0.0, ge=0)
    reversal_dwell_s: float = Field(default=0.0, ge=0)
    wake_s: float = Field(default=0.0, ge=0)
    latency_s: float | None = Field(default=None, ge=0)
    ramp: Ramp = Field(default=Ramp.UNKNOWN, strict=False)
    deadman_s: float | None = Field(default=None, gt=0)
    feed_s: float | None = Field(default=None, gt=0)


class CapabilityDoc(Doc):
    """`[[capabilities]]`: the routes of some models, firmware and paths in one way of control (without `control`: the
    map's own); the first table that fits counts.
    """

    models: list[str] = Field(min_length=1)
    firmware: list[FirmwareDoc] = Field(default_factory=list)
    paths: list[str] = Field(default_factory=list)
    control: str = ""
    routes: list[RouteDoc]


class ManifestDoc(HeadDoc):
    """A whole file."""

    bus: BusDoc = BusDoc()
    paths: list[PathDoc] = Field(min_length=1)
    identity: IdentityDoc
    telemetry: TelemetryDoc = TelemetryDoc()
    capabilities: list[CapabilityDoc] = Field(min_length=1)
