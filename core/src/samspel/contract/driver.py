"""What a driver is to everything above it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from samspel.contract.capability import Capabilities
from samspel.contract.fault import Effect, FaultCode, Severity
from samspel.contract.outcome import Verification
from samspel.contract.telemetry import Reading

__all__ = [
    "ActiveFault",
    "ControlReading",
    "ControlState",
    "Driver",
    "Identity",
    "Json",
    "Mark",
    "Snapshot",
    "Wanted",
    "WriteReport",
]

Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]

Snapshot = dict[str, Json]
"""Opaque: the driver makes and consumes it, control stores it. What `release` needs to give back."""

Wanted = Callable[[], bool]
"""Whether a power is still asked for."""

Mark = dict[str, Json]
"""Opaque: which control registers a command writes, and with what. Lets `read_control` tell ours from foreign."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who answered. The only place, besides birth versions and raw fault detail, where a brand's words go up."""

    brand: str
    model: str
    serial: str
    firmware: str = ""
    battery_model: str = ""
    battery_serial: str = ""


class ControlState(StrEnum):
    """Who holds the device's control block."""

    DEFAULT = "default"
    OURS = "ours"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlReading:
    """The control block now. `fingerprint` changes whenever an owned register changes; `text` is for people."""

    state: ControlState
    fingerprint: str
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteReport:
    """What a set_power, stop or release did. `rung` names the ladder's step that worked, when there is a ladder.

    `power_w` is the power really written (contract sign) where the driver had to bound it further, else as asked.
    """

    mark: Mark
    power_w: float = 0.0
    verification: Verification
    rung: str | None = None
    skipped_because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveFault:
    """A condition that stands on the device now."""

    code: FaultCode
    severity: Severity
    effect: Effect
    text: str
    raw: str


class Driver(Protocol):
    """One device. Every method may raise a `BusError` or `DriverError`, and nothing else.

    A call to `stop` abandons any running sequence of the same driver at its next step boundary
    (`SequenceAbandoned` is raised in the abandoned call).
    """

    async def identify(self) -> Identity:
        """Read who answers. Raises UnsupportedModel when no map claims it."""
        ...

    async def read(self, groups: Sequence[str] = ("fast", "slow", "static")) -> Mapping[str, Reading]:
        """Read the signals of these groups. What cannot be read comes back invalid or absent, with its quality."""
        ...

    async def read_faults(self) -> Sequence[ActiveFault]:
        """Every condition that stands now."""
        ...

    async def read_control(self, marks: Sequence[Mark] = (), snapshot: Snapshot | None = None) -> ControlReading:
        """Compare the control block with its default, the snapshot and what we (may) have written."""
        ...

    async def take(self) -> Snapshot:
        """Read what `release` will give back. Writes nothing; raises RequirementFailed when control is not possible."""
        ...

    def plan(self, power_w: float) -> Mark:
        """What `set_power` would write for this power, before it is written: for the journal."""
        ...

    async def set_power(
        self,
        power_w: float,
        not_after: float,
        snapshot: Snapshot,
        previous_w: float | None,
        wanted: Wanted | None = None,
    ) -> WriteReport:
        """Command the battery; positive discharges, 0 W is a held zero. `not_after` is monotonic seconds: nothing is
        sent after it. `previous_w` is the power in force, if any, so that a reversal can be ordered. `wanted` is asked
        once more before power is written: waking a device may take minutes. Raises SequenceAbandoned when it is not.
        """
        ...

    async def keep_alive(self, power_w: float, not_after: float, snapshot: Snapshot) -> None:
        """Feed the device's timer (or repeat a volatile command). Only ever called for an unexpired target."""
        ...

    async def stop(self, snapshot: Snapshot | None) -> WriteReport:
        """Battery power to zero and held there. Valid from any partial state."""
        ...

    async def release(self, snapshot: Snapshot | None, marks: Sequence[Mark] = ()) -> WriteReport:
        """Give control back and verify; without a snapshot to the map's neutral values. `marks` are what we may have
        written before a restart: a register that holds something else is somebody else's and stays.
        """
        ...

    def capabilities(self) -> Capabilities:
        """The record of the identified device; call after `identify`."""
        ...

    @property
    def persistent_writes(self) -> int:
        """How many registers that wear have been sent by this object, whatever the answer was, stop and release too."""
        ...

    def rest_s(self, power_w: float, previous_w: float | None) -> float:
        """How long the battery has to be held at 0 W before it is told to move this way: a reversal's dwell, or what is
        left of it; 0 where that is the device's own affair. Call after `identify`. `previous_w` is the power in force
        or, where that is zero, the last one before it: an earlier process may have written both.
        """
        ...

    def versions(self) -> Mapping[str, str]:
        """What it is driven by (the register map and its digest), for the birth message; call after `identify`."""
        ...
