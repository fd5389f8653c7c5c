"""What control knows about one device. Everything in it that must survive a crash is projected by `journal`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from samspel.contract.capability import Capabilities
from samspel.contract.command import Accept, Command, OnExpiry, Rank
from samspel.contract.driver import Mark, Snapshot

__all__ = ["Action", "GiveBackOrder", "Lease", "Phase", "Policy", "State", "StopLatch"]


class Phase(StrEnum):
    """Who holds the battery."""

    RELEASED = "released"
    TAKING = "taking"
    CONTROLLING = "controlling"
    RELEASING = "releasing"
    STOPPED = "stopped"
    FOREIGN = "foreign"
    LOST = "lost"


class Action(StrEnum):
    """What the shell is doing with the driver; one at a time, but stop and release take over."""

    TAKE = "take"
    FOLLOW = "follow"
    HALT = "halt"
    GIVE_BACK = "give_back"
    LOOK = "look"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The site's configuration of control. All in seconds.

    `orphan_s`: release a foreign, unchanging control block after this time; `None` never.
    """

    stop_hold_max_s: float = 3600.0
    orphan_s: float | None = None
    check_s: float = 10.0
    idle_check_s: float = 60.0
    retry_first_s: float = 1.0
    retry_max_s: float = 30.0
    failures_before_end: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The set-point that is followed, and for how long. Times are monotonic seconds.

    `waits`: it was said that it cannot be written yet. `trusted` is false for a lease read from the journal
    whose deadline cannot be placed on this boot's clock.
    """

    command_id: str
    issuer: str
    rank: Rank
    power_w: float
    accept: Accept
    on_expiry: OnExpiry
    hold_s: float
    deadline: float
    issued_at: datetime
    trusted: bool = True
    written: bool = False
    waits: bool = False
    stations: Mapping[str, float] = field(default_factory=dict)

    @property
    def ends_at(self) -> float:
        """When the power must no longer be held for this command. What was never written is never held."""
        if not self.written:
            return self.deadline
        if self.on_expiry is OnExpiry.HOLD:
            return float("inf")
        return self.deadline + (self.hold_s if self.on_expiry is OnExpiry.HOLD_THEN_RELEASE else 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class StopLatch:
    """A stop in force. `asserted` is true while the device is known to hold zero."""

    command_id: str
    issuer: str
    rank: Rank
    epoch: int
    seq: int
    issued_at: datetime
    since: float
    asserted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveBackOrder:
    """A release that must be carried out; `command_id` is `None` for our own (expiry, recovery)."""

    command_id: str | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """One device. `unsettled`: the control block must be looked at before anything is written.

    `marks` are the newest intended writes, newest last; `written_w` the power in force, as far as we know; `moved_w`
    the last one but zero, which the battery may be resting from.
    `action_id` grows with each action, so that a late result of an abandoned one is recognised; `following` is the
    command that the running follow is for. `news`: the lease has not been acted on yet. `force`: write anyway.
    No routine look begins before `next_look_at`. `fault`: why the device may not be commanded now. `unguarded`: why
    nothing may stand that the device would not end by itself.
    """

    phase: Phase = Phase.RELEASED
    lease: Lease | None = None
    stop: StopLatch | None = None
    give_back: GiveBackOrder | None = None
    snapshot: Snapshot | None = None
    baseline: Snapshot | None = None
    marks: tuple[Mark, ...] = ()
    capabilities: Capabilities | None = None
    link_up: bool = False
    unsettled: bool = True
    written_w: float | None = None
    moved_w: float | None = None
    fed_at: float = 0.0
    news: bool = False
    force: bool = True
    following: str | None = None
    action: Action | None = None
    action_id: int = 0
    failures: int = 0
    retry_at: float = 0.0
    looked_at: float = float("-inf")
    next_look_at: float = float("-inf")
    fault: str = ""
    unguarded: str = ""
    foreign_fingerprint: str = ""
    foreign_since: float = 0.0

    def carries_out(self, command: Command) -> bool:
        """Whether this is the set-point, stop or release that is in force."""
        if self.give_back is not None and self.give_back.command_id == command.id:
            return True
        holder = self.lease or self.stop
        return holder is not None and (holder.command_id, holder.issuer) == (command.id, command.issuer)
