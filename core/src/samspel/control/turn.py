"""One turn of the machine: the state as it changes, and the effects as they are asked for.

`machine.step` makes a turn, hands it to the handlers and returns what it holds; nothing outside ever sees it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from samspel.contract.driver import Mark
from samspel.contract.fault import FaultCode, Severity
from samspel.contract.outcome import End, Stage
from samspel.control.events import (
    Alarm,
    Clear,
    Effect,
    Follow,
    GiveBack,
    Halt,
    Look,
    ResetShaping,
    Say,
    Take,
)
from samspel.control.state import Action, GiveBackOrder, Phase, Policy, State

__all__ = ["Turn"]

KEPT_MARKS = 4

LOOK_PATIENCE = 12
"""So many periods may a routine look be put off: rare enough to leave 99 of 100 set-points alone at one a second."""

LOOKS_A_PERIOD = 4
"""How often in a period a look that gives way is tried again."""

UNBOUNDED_HOLD_S = 60.0
"""A set-point that holds without end is written with a bound that each tick renews."""


@dataclass(slots=True)
class Turn:
    """`state` is replaced, never changed; `effects` are in order."""

    state: State
    now: float
    policy: Policy
    effects: list[Effect] = field(default_factory=list)

    def set(self, **changes: Any) -> None:  # noqa: ANN401 - what dataclasses.replace takes
        """Replace parts of the state."""
        self.state = replace(self.state, **changes)

    def do(self, effect: Effect) -> None:
        """Ask for an effect."""
        self.effects.append(effect)

    # --- outcomes ---

    def end_lease(self, end: End, reason: str = "", text: str = "") -> None:
        """The set-point that was followed ends; a deadline that has passed turns `superseded` into `completed`."""
        lease = self.state.lease
        if lease is None:
            return
        if end is End.SUPERSEDED and lease.written and self.now >= lease.deadline:
            end = End.COMPLETED
        self.do(Say(command_id=lease.command_id, end=end, reason=reason, text=text, stations=lease.stations))
        self.set(lease=None, news=False)

    def alarm(self, code: FaultCode, severity: Severity, text: str) -> None:
        """Raise a fault of control itself; repeating it is harmless."""
        self.do(Alarm(code, severity, text))

    def clear(self, code: FaultCode) -> None:
        """Clear it; clearing what does not stand is harmless."""
        self.do(Clear(code))

    def mark(self, mark: Mark) -> None:
        """Remember what the registers (may) hold of ours."""
        if not self.state.marks or self.state.marks[-1] != mark:
            self.set(marks=(*self.state.marks, mark)[-KEPT_MARKS:])

    # --- actions: at most one runs, and each gets a fresh id ---

    def _begin(self, action: Action) -> int:
        self.set(action=action, action_id=self.state.action_id + 1)
        return self.state.action_id

    def idle(self) -> bool:
        """Whether an action may start now."""
        return self.state.link_up and self.state.action is None and self.now >= self.state.retry_at

    def leave_look(self) -> None:
        """While we control, a set-point does not wait for a routine look: its answer is ignored, and one is
        made again after a pause, since the reads that are still under way take the bus from telemetry. Only a look
        that has given way for long goes first, or nobody would look while commands come fast.
        """
        state = self.state
        overdue = self.now - state.looked_at >= LOOK_PATIENCE * self.policy.check_s
        routine = state.action is Action.LOOK and state.phase is Phase.CONTROLLING and not state.unsettled
        if routine and not overdue:
            self.set(action=None, next_look_at=self.now + self.policy.check_s / LOOKS_A_PERIOD)

    def look(self) -> None:
        """Read the control block."""
        self.do(Look(self._begin(Action.LOOK)))

    def take(self) -> None:
        """Make the snapshot and begin to control."""
        self.set(phase=Phase.TAKING)
        self.do(Take(self._begin(Action.TAKE)))

    def go_on(self) -> None:
        """What the lease needs next, if anything may start now and the control block is known."""
        if not self.idle() or self.state.unsettled or self.state.lease is None:
            return
        if self.state.phase is Phase.RELEASED:
            self.take()
        elif self.state.phase is Phase.CONTROLLING:
            self.follow()

    def follow(self) -> None:
        """Follow the lease now. One that has just run out is left for the next tick to end."""
        lease = self.state.lease
        if lease is None or self.now >= lease.ends_at:
            return
        # What is held after the deadline is what stood then: a ramp that had not arrived does not go on.
        power_w = lease.power_w if self.now < lease.deadline else self.state.written_w or 0.0
        not_after = min(lease.ends_at, max(lease.deadline, self.now) + UNBOUNDED_HOLD_S)
        self.set(following=lease.command_id)
        action_id = self._begin(Action.FOLLOW)
        self.do(
            Follow(
                action_id,
                lease.command_id,
                power_w,
                not_after,
                force=self.state.force,
            )
        )

    def halt(self, *, feed: bool = False) -> None:
        """Run the stop sequence, whatever else runs; or only feed what holds already."""
        self.do(Halt(self._begin(Action.HALT), feed=feed))

    def give_back(self) -> None:
        """Run the release, whatever else runs (a stop never runs then)."""
        self.do(GiveBack(self._begin(Action.GIVE_BACK), self.state.snapshot or self.state.baseline))

    # --- moves used by several handlers ---

    def order_release(self, command_id: str | None, why: str) -> None:
        """Control goes back; with a dead link the order waits."""
        self.set(
            phase=Phase.RELEASING,
            give_back=GiveBackOrder(command_id=command_id, why=why),
            failures=0,
            retry_at=self.now,
        )
        self.do(ResetShaping())
        if self.state.link_up:
            self.give_back()
        elif command_id is not None:
            self.release_waits(command_id)

    def release_waits(self, command_id: str) -> None:
        """A release that has no link to go over."""
        self.do(Say(command_id=command_id, stage=Stage.PENDING, reason="lost_link", text="waits for the link"))

    def stop_waits(self, command_id: str) -> None:
        """The same of a stop, and loudly."""
        self.do(Say(command_id=command_id, stage=Stage.PENDING, reason="lost_link", text="waits for the link"))
        self.stop_unproved()

    def stop_unproved(self) -> None:
        """A stop is in force of which nobody knows whether it holds."""
        self.alarm(FaultCode.CONTROL_STOP_FAILED, Severity.CRITICAL, "a stop waits: the device does not answer")

    def back_off(self) -> None:
        """Try again later, each time a little later."""
        failures = self.state.failures + 1
        delay = min(self.policy.retry_first_s * 2 ** min(failures - 1, 10), self.policy.retry_max_s)
        self.set(failures=failures, retry_at=self.now + delay)
