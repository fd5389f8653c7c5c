"""What can happen to control, and what it can ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from samspel.contract.admitted import Admitted
from samspel.contract.capability import Capabilities
from samspel.contract.driver import ControlReading, Mark, Snapshot, WriteReport
from samspel.contract.errors import SamspelError
from samspel.contract.fault import FaultCode, Severity
from samspel.contract.outcome import Deviation, End, Stage, Verification
from samspel.control.state import Action

__all__ = [
    "Alarm",
    "Clear",
    "Effect",
    "Event",
    "Failed",
    "Follow",
    "Followed",
    "GaveBack",
    "GiveBack",
    "Halt",
    "Halted",
    "Intended",
    "LinkDown",
    "LinkUp",
    "Look",
    "Looked",
    "OutOfService",
    "ResetShaping",
    "Say",
    "Suspect",
    "Take",
    "Tick",
    "Took",
    "Unguarded",
    "Withdraw",
    "said_rest",
    "said_written",
]

# --- events ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed; about once a second."""


@dataclass(frozen=True, slots=True)
class LinkUp:
    """The device answers, and its identity is confirmed."""

    capabilities: Capabilities


@dataclass(frozen=True, slots=True)
class LinkDown:
    """The device no longer answers."""


@dataclass(frozen=True, slots=True)
class Withdraw:
    """We no longer trust what we command with: the set-point ends, and control goes back. A stop stays in force."""

    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class OutOfService:
    """A fault of the device forbids to command it, `why` being for people; empty when it may be commanded again."""

    why: str


@dataclass(frozen=True, slots=True)
class Unguarded:
    """No guard watches us, `why` being for people; empty when one does again. What would stand without the device's
    own timer is given back, and nothing new is taken there.
    """

    why: str


@dataclass(frozen=True, slots=True)
class Suspect:
    """The battery does something else than was written: somebody else may command. Worth a look now, unless that has
    been done: the control block `reads_as_ours`.
    """

    reads_as_ours: bool = False


@dataclass(frozen=True, slots=True)
class Looked:
    """The control block was read. `snapshot` is given when it was at its default: what a stop will restore."""

    action_id: int
    reading: ControlReading
    snapshot: Snapshot | None = None


@dataclass(frozen=True, slots=True)
class Took:
    """Control may be taken: this is what release will give back."""

    action_id: int
    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class Intended:
    """The shaped target is about to be written; journaled before the write."""

    mark: Mark


@dataclass(frozen=True, slots=True)
class Followed:
    """A follow ended. `report` is `None` when nothing had to be written (`fed`: the device's timer was fed).

    The command itself is not on the wire yet where zero is held for a reversal's dwell (`rest_s`: for so long), or
    where it `waits` for the route's spacing.
    """

    action_id: int
    report: WriteReport | None
    fed: bool = False
    rest_s: float = 0.0
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Halted:
    """The stop sequence ended. `fed`: it already held, and only the device's timer was fed."""

    action_id: int
    report: WriteReport
    fed: bool = False


@dataclass(frozen=True, slots=True)
class GaveBack:
    """The release ended, verified."""

    action_id: int
    report: WriteReport


@dataclass(frozen=True, slots=True)
class Failed:
    """An action failed."""

    action_id: int
    action: Action
    error: SamspelError


Event = (
    Admitted
    | Tick
    | LinkUp
    | LinkDown
    | Withdraw
    | OutOfService
    | Unguarded
    | Suspect
    | Looked
    | Took
    | Intended
    | Followed
    | Halted
    | GaveBack
    | Failed
)

# --- effects --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Look:
    """Read the control block."""

    action_id: int


@dataclass(frozen=True, slots=True)
class Take:
    """Make the snapshot."""

    action_id: int


@dataclass(frozen=True, slots=True)
class Follow:
    """Make the device follow `power_w` (before shaping) for a command; nothing may be sent after `not_after`."""

    action_id: int
    command_id: str
    power_w: float
    not_after: float
    force: bool


@dataclass(frozen=True, slots=True)
class Halt:
    """Power to zero now; abandons whatever runs. `feed`: the zero holds, and the device's timer wants to be fed."""

    action_id: int
    feed: bool = False


@dataclass(frozen=True, slots=True)
class GiveBack:
    """Release and verify; abandons whatever runs, except a stop."""

    action_id: int
    snapshot: Snapshot | None


@dataclass(frozen=True, slots=True)
class ResetShaping:
    """Filters forget: the next target is the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """One outcome: exactly one of stage, deviation and end."""

    command_id: str
    stage: Stage | None = None
    deviation: Deviation | None = None
    end: End | None = None
    reason: str = ""
    text: str = ""
    target_power_w: float | None = None
    verification: Verification | None = None
    rung: str | None = None
    stations: Mapping[str, float] = field(default_factory=dict)


def said_rest(command_id: str, rest_s: float) -> Say:
    """What is said of a reversal that waits at zero."""
    return Say(
        command_id=command_id,
        deviation=Deviation.DWELL,
        reason="reversal",
        text=f"a reversal: the battery rests at 0 W for {rest_s:.0f} s before it moves the other way",
        target_power_w=0.0,
    )


def said_written(command_id: str, report: WriteReport) -> tuple[Say, Say]:
    """What is said of a write: that it was written, and how far that is proved."""
    return (
        Say(command_id=command_id, stage=Stage.WRITTEN, target_power_w=report.power_w, rung=report.rung),
        Say(
            command_id=command_id,
            stage=Stage.VERIFIED,
            verification=report.verification,
            text=report.skipped_because,
            rung=report.rung,
        ),
    )


@dataclass(frozen=True, slots=True)
class Alarm:
    """A fault of control itself stands."""

    code: FaultCode
    severity: Severity
    text: str


@dataclass(frozen=True, slots=True)
class Clear:
    """It no longer stands."""

    code: FaultCode


Effect = Look | Take | Follow | Halt | GiveBack | ResetShaping | Say | Alarm | Clear
