"""What holds whatever happens, in whatever order: random commands, link faults, failures, crashes and time."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule
from samspel.contract.admitted import Admitted
from samspel.contract.command import OnExpiry, Rank, Stop
from samspel.contract.driver import ControlState
from samspel.contract.errors import (
    DeadlinePassed,
    NoAnswer,
    RequirementFailed,
    RouteUnavailable,
    SamspelError,
    SequenceAbandoned,
    StoreError,
    VerifyFailed,
)
from samspel.contract.errors import LinkDown as LinkIsDown
from samspel.control.events import (
    Event,
    Failed,
    Follow,
    Followed,
    GaveBack,
    GiveBack,
    Halt,
    Halted,
    Intended,
    LinkDown,
    LinkUp,
    Look,
    Looked,
    Say,
    Take,
    Tick,
    Took,
    Unguarded,
)
from samspel.control.journal import Documents, load, project
from samspel.control.machine import step
from samspel.control.state import Action, Phase, Policy, State

from .kit import CAPABLE, FakeClock, admit, reading, release, report, set_power, stop

DriverEffect = Look | Take | Follow | Halt | GiveBack
ACTIONS = {
    Look: Action.LOOK,
    Take: Action.TAKE,
    Follow: Action.FOLLOW,
    Halt: Action.HALT,
    GiveBack: Action.GIVE_BACK,
}
ERRORS = [NoAnswer, VerifyFailed, DeadlinePassed, LinkIsDown, RequirementFailed, RouteUnavailable, SequenceAbandoned]
POLICY = Policy(stop_hold_max_s=200, orphan_s=100, check_s=5, idle_check_s=20)

ranks = st.sampled_from(list(Rank))
issuers = st.sampled_from(["a", "b", "c"])
small = st.integers(0, 5)


class Control(RuleBasedStateMachine):
    """The machine, a device that is default, ours or foreign, and a journal that is written at every turn."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.state = State()
        self.device = ControlState.DEFAULT
        self.documents = Documents()
        self.running: list[DriverEffect] = []
        self.given: set[str] = set()
        self.before_ids: set[str] = set()
        self.ends: Counter[str] = Counter()
        self.pending_stop = False
        self.names, self.snapshots = count(), count()
        self.save(State())

    # --- one turn, and everything that must hold of it ---

    def send(self, event: Event) -> None:
        before = self.state
        self.state, effects = step(before, event, self.clock.now, POLICY)
        asked = [effect for effect in effects if isinstance(effect, DriverEffect)]
        self.running += asked
        for effect in effects:
            if isinstance(effect, Say) and effect.end is not None:
                self.ends[effect.command_id] += 1
        self.save(before)
        self.check_ends()
        self.check_driver(before, event, asked)
        self.check_stop(before, event, asked)
        self.check_snapshot(before, event)

    def check_ends(self) -> None:
        assert all(times == 1 for times in self.ends.values()), self.ends
        assert set(self.ends) <= self.given, "somebody ended who never was"

    def check_driver(self, before: State, event: Event, asked: list[DriverEffect]) -> None:
        assert len(asked) <= 1, asked
        for effect in asked:
            assert self.state.link_up
            assert (self.state.action, self.state.action_id) == (ACTIONS[type(effect)], effect.action_id)
            if isinstance(effect, Follow):
                assert effect.not_after > self.clock.now
                assert self.state.lease is not None
                assert not self.state.unsettled, "written before the control block was known"
                assert not self.state.unguarded, "nobody watches, and no route has a timer"
            finished = getattr(event, "action_id", None) == before.action_id or isinstance(event, LinkUp)
            if before.action is not None and not finished:
                assert isinstance(effect, Halt | GiveBack), f"{effect} beside {before.action}"
        if Phase.FOREIGN in (before.phase, self.state.phase) and not isinstance(event, GaveBack):
            assert not any(isinstance(effect, Follow | Take) for effect in asked)

    def check_stop(self, before: State, event: Event, asked: list[DriverEffect]) -> None:
        if self.state.stop is not None:
            assert self.state.phase is Phase.STOPPED
            assert not any(isinstance(effect, Follow | Take | GiveBack) for effect in asked)
        if isinstance(event, Admitted) and isinstance(event.command, Stop) and event.command.id not in self.before_ids:
            assert any(isinstance(effect, Halt) for effect in asked) == self.state.link_up
            self.pending_stop = not self.state.link_up
        if self.state.stop is None:
            self.pending_stop = False
        if self.pending_stop and asked:
            assert isinstance(asked[0], Halt), "a pending stop is the first thing that is written"
            self.pending_stop = False

    def check_snapshot(self, before: State, event: Event) -> None:
        if before.snapshot is None:
            return
        assert self.state.snapshot in (before.snapshot, None)
        given_up = isinstance(event, GaveBack) or before.phase is Phase.FOREIGN
        assert self.state.snapshot is not None or given_up, f"an open snapshot was dropped at {event}"

    def save(self, before: State) -> None:
        """What the shell does before it runs the effects; through JSON, as on disk."""
        control = json.loads(json.dumps(project(self.state, self.clock)))
        changes: dict[str, Any] = {"control": control}
        if self.state.snapshot is not None and self.state.snapshot is not before.snapshot:
            changes["snapshot"] = dict(self.state.snapshot)
        if self.state.baseline is not None:
            changes["baseline"] = dict(self.state.baseline)
        self.documents = replace(self.documents, **changes)

    # --- commands ---

    def command(self, make: Callable[..., Any], rank: Rank, issuer: str, epoch: int, seq: int, **more: Any) -> None:
        name = f"{make.__name__}-{next(self.names)}"
        self.before_ids = set(self.given)
        self.given.add(name)
        issued_s = self.clock.now - seq
        command = make(name, issuer=issuer, epoch=epoch, seq=seq, issued_s=issued_s, **more)
        self.send(admit(command, rank=rank, now=self.clock.now))

    @rule(
        rank=ranks,
        issuer=issuers,
        epoch=small,
        seq=small,
        power_w=st.sampled_from([-3000.0, 0.0, 2000.0]),
        ttl_s=st.sampled_from([1.0, 30.0, 300.0]),
        on_expiry=st.sampled_from(list(OnExpiry)),
        names_stop=st.booleans(),
    )
    def on_set_power(self, rank, issuer, epoch, seq, power_w, ttl_s, on_expiry, names_stop):
        named = self.state.stop.command_id if names_stop and self.state.stop else None
        more = {"power_w": power_w, "ttl_s": ttl_s, "on_expiry": on_expiry, "ends_stop": named}
        self.command(set_power, rank, issuer, epoch, seq, **more)

    @rule(rank=ranks, issuer=issuers, epoch=small, seq=small)
    def on_release(self, rank, issuer, epoch, seq):
        self.command(release, rank, issuer, epoch, seq)

    @rule(rank=ranks, issuer=issuers, epoch=small, seq=small)
    def on_stop(self, rank, issuer, epoch, seq):
        self.command(stop, rank, issuer, epoch, seq)

    @precondition(lambda self: self.state.stop is not None)
    @rule(rank=ranks)
    def on_stop_repeated(self, rank):
        self.before_ids = set(self.given)
        before = self.state
        latch = self.state.stop
        again = stop(latch.command_id, issuer=latch.issuer, epoch=latch.epoch, seq=latch.seq)
        self.send(admit(again, rank=rank, now=self.clock.now))
        assert self.state == before

    # --- the device and the way to it ---

    @rule()
    def on_link_up(self):
        self.send(LinkUp(CAPABLE))

    @rule()
    def on_link_down(self):
        self.send(LinkDown())

    @rule(why=st.sampled_from(["", "nobody watches"]))
    def on_guard(self, why):
        self.send(Unguarded(why))

    @rule(found=st.sampled_from(list(ControlState)))
    def on_meddling(self, found):
        self.device = found

    @precondition(lambda self: self.running)
    @rule()
    def on_success(self):
        self.succeed(self.running.pop())

    @precondition(lambda self: len(self.running) > 1)
    @rule()
    def on_late_success(self):
        self.succeed(self.running.pop(0))

    @precondition(lambda self: self.running)
    @rule(error=st.sampled_from(ERRORS), moved=st.booleans(), late=st.booleans())
    def on_failure(self, error, moved, late):
        effect = self.running.pop(0 if late else -1)
        if moved and isinstance(effect, Follow | Halt):
            self.device = ControlState.OURS
        self.fail(effect, error("as the example wants it"))

    @precondition(lambda self: self.running and isinstance(self.running[-1], Follow))
    @rule()
    def on_intended(self):
        self.send(Intended({"mark": self.running[-1].power_w}))

    @precondition(lambda self: self.took_first())
    @rule()
    def on_disk_full(self):
        """The shell refuses the take whose snapshot it could not keep."""
        before = replace(self.state, snapshot=None)
        refused = self.running.pop()
        self.state = before
        self.send(Failed(refused.action_id, Action.TAKE, StoreError("full")))

    def took_first(self) -> bool:
        """Whether the newest turn was a first take: its follow has not begun."""
        return (
            bool(self.running)
            and isinstance(self.running[-1], Follow)
            and self.running[-1].action_id == self.state.action_id
            and self.state.action is Action.FOLLOW
            and self.state.written_w is None
            and not self.state.marks
        )

    def succeed(self, effect: DriverEffect) -> None:
        match effect:
            case Look():
                baseline = {"baseline": 1} if self.device is ControlState.DEFAULT else None
                self.send(Looked(effect.action_id, reading(self.device, self.device.value), baseline))
            case Take():
                self.send(Took(effect.action_id, {"snapshot": next(self.snapshots)}))
            case Follow():
                self.device = ControlState.OURS
                self.send(Followed(effect.action_id, report(effect.power_w)))
            case Halt():
                self.device = self.device if effect.feed else ControlState.OURS
                self.send(Halted(effect.action_id, report(mark="zero"), fed=effect.feed))
            case GiveBack():
                self.device = ControlState.DEFAULT
                self.send(GaveBack(effect.action_id, report()))

    def fail(self, effect: DriverEffect, error: SamspelError) -> None:
        self.send(Failed(effect.action_id, ACTIONS[type(effect)], error))

    # --- time, and the end of it ---

    @rule(seconds=st.sampled_from([0.0, 1.0, 5.0, 29.0, 61.0, 201.0]))
    def on_time(self, seconds):
        self.clock.now += seconds
        self.send(Tick())

    @rule(dead_s=st.sampled_from([0.0, 10.0, 400.0]), reboot=st.booleans(), synced=st.booleans())
    def on_crash(self, dead_s, reboot, synced):
        self.running.clear()
        wall = self.clock.wall() + timedelta(seconds=dead_s)
        now = 5.0 if reboot else self.clock.now + dead_s
        boot = f"{self.clock.boot}+" if reboot else self.clock.boot
        self.clock = FakeClock(now=now, boot=boot, synced=synced, started=wall - timedelta(seconds=now))
        before = self.state
        self.state = load(self.documents, self.clock)
        self.pending_stop = self.state.stop is not None
        assert (self.state.stop is None) == (before.stop is None)
        assert self.state.snapshot == before.snapshot

    def teardown(self):
        """Nobody commands, the device is well, time goes on: control comes to rest and nothing is left unanswered."""
        if self.device is ControlState.FOREIGN:
            self.device = ControlState.DEFAULT
        self.heal(300)
        if self.state.lease is not None:
            assert self.state.lease.on_expiry is OnExpiry.HOLD
            self.command(release, Rank.LOCAL_SAFETY, "final", 99, 0)
            self.heal(10)
        assert self.state.phase is Phase.RELEASED
        assert (self.state.lease, self.state.stop, self.state.give_back, self.state.snapshot) == (None,) * 4
        assert self.device is ControlState.DEFAULT
        assert set(self.ends) == self.given

    def heal(self, turns: int) -> None:
        if not self.state.link_up:
            self.send(LinkUp(CAPABLE))
        for _ in range(turns):
            while self.running:
                self.succeed(self.running.pop(0))
            self.clock.now += 5.0
            self.send(Tick())


Control.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestControl = Control.TestCase
