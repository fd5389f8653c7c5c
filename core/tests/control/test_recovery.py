"""The decision table: as a function, through a lost link, and through the journal after a crash or a reboot."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from samspel.contract.command import OnExpiry, Rank
from samspel.contract.driver import ControlState
from samspel.contract.fault import FaultCode
from samspel.contract.outcome import Deviation, End, Stage
from samspel.control.events import Clear, Follow, GiveBack, Halt, Intended, Look, Take
from samspel.control.journal import Documents, load, project
from samspel.control.recovery import Decision, decide
from samspel.control.state import GiveBackOrder, Lease, Phase, State, StopLatch

from .kit import BASELINE, EPOCH, SNAPSHOT, FakeClock, Machine, release, set_power

OURS, DEFAULT, FOREIGN = ControlState.OURS, ControlState.DEFAULT, ControlState.FOREIGN


def lease(*, deadline: float = 60.0, trusted: bool = True) -> Lease:
    return Lease(
        command_id="sp",
        issuer="fleet",
        rank=Rank.DISPATCHER,
        power_w=3000.0,
        accept=set_power().accept,
        on_expiry=OnExpiry.HOLD_THEN_RELEASE,
        hold_s=30.0,
        deadline=deadline,
        issued_at=EPOCH,
        trusted=trusted,
        written=True,
    )


LATCH = StopLatch(command_id="stop", issuer="fleet", rank=Rank.DISPATCHER, epoch=1, seq=1, issued_at=EPOCH, since=0.0)
ORDER = GiveBackOrder(command_id="release", why="command")


@pytest.mark.parametrize("found", list(ControlState))
@pytest.mark.parametrize("leased", [None, lease(), lease(deadline=5)])
@pytest.mark.parametrize("order", [None, ORDER])
def test_a_latched_stop_comes_before_everything(found, leased, order):
    assert decide(found, stop=LATCH, give_back=order, lease=leased, held=True, now=10) is Decision.REASSERT_STOP


@pytest.mark.parametrize("found", list(ControlState))
@pytest.mark.parametrize("leased", [None, lease()])
def test_an_ordered_release_is_finished(found, leased):
    assert decide(found, stop=None, give_back=ORDER, lease=leased, held=True, now=10) is Decision.FINISH_RELEASE


@pytest.mark.parametrize(
    ("found", "leased", "held", "decision"),
    [
        (OURS, lease(), True, Decision.ADOPT),
        (OURS, lease(deadline=10), True, Decision.RELEASE),
        (OURS, lease(trusted=False), True, Decision.RELEASE),
        (OURS, None, True, Decision.RELEASE),
        (OURS, None, False, Decision.RELEASE),
        (FOREIGN, lease(), True, Decision.FOREIGN),
        (FOREIGN, None, False, Decision.FOREIGN),
        (DEFAULT, lease(), True, Decision.TAKE),
        (DEFAULT, lease(), False, Decision.TAKE),
        (DEFAULT, lease(deadline=10), False, Decision.IDLE),
        (DEFAULT, lease(deadline=10), True, Decision.RELEASE),
        (DEFAULT, lease(trusted=False), False, Decision.IDLE),
        (DEFAULT, None, False, Decision.IDLE),
        (DEFAULT, None, True, Decision.RELEASE),
    ],
)
def test_the_table(found, leased, held, decision):
    assert decide(found, stop=None, give_back=None, lease=leased, held=held, now=10) is decision


# --- through a lost link --------------------------------------------------------------------------------------------


def _link_comes_back(after_s: float, found: ControlState) -> Machine:
    machine = Machine().controlling(set_power(ttl_s=60))
    machine.down()
    assert machine.state.phase is Phase.LOST
    assert machine.deviations("sp") == [Deviation.LOST_LINK]
    machine.now += after_s
    machine.up()
    assert machine.asked_driver() == [Look], "nothing is written before the control block is known"
    machine.looked(found)
    return machine


def test_link_back_ours_deadline_ahead_is_adopted_for_the_remaining_time():
    machine = _link_comes_back(20, OURS)
    order = machine.asked(Follow)
    assert order.force
    assert machine.state.lease.deadline == 60
    assert any(say.reason == "adopted" and say.text == "40 s remain" for say in machine.said)


def test_link_back_ours_deadline_passed_is_released():
    machine = _link_comes_back(60, OURS)
    assert machine.end("sp") is End.INTERRUPTED
    assert machine.asked(GiveBack).snapshot == SNAPSHOT


def test_link_back_default_deadline_ahead_is_taken_again():
    machine = _link_comes_back(20, DEFAULT)
    assert machine.deviations("sp") == [Deviation.LOST_LINK, Deviation.OVERRIDDEN]
    assert machine.asked_driver() == [Take]


def test_link_back_default_deadline_passed_is_tidied():
    machine = _link_comes_back(60, DEFAULT)
    assert machine.end("sp") is End.INTERRUPTED
    assert machine.asked(GiveBack).snapshot == SNAPSHOT


def test_link_back_foreign_is_left_alone():
    machine = _link_comes_back(20, FOREIGN)
    assert machine.end("sp") is End.INTERRUPTED
    assert machine.state.phase is Phase.FOREIGN
    assert machine.asked_driver() == []


def test_the_deadline_passes_while_the_link_is_dead():
    machine = Machine().controlling(set_power(ttl_s=60, hold_s=30))
    machine.down()
    machine.wait(90)
    assert machine.end("sp") is End.COMPLETED
    assert machine.asked_driver() == []
    machine.up()
    assert machine.asked_driver() == [GiveBack]


def test_a_look_that_fails_after_the_link_is_back_is_repeated_before_anything_is_written():
    machine = Machine().controlling()
    machine.down()
    machine.up()
    for _ in range(3):
        machine.failed()
        machine.wait(8)
        assert machine.asked_driver() == [Look]


def test_foreign_is_over_when_the_link_comes_back_to_a_default():
    machine = Machine().settled()
    machine.wait(60)
    machine.looked(FOREIGN)
    machine.down()
    machine.up()
    machine.looked(DEFAULT)
    assert machine.state.phase is Phase.RELEASED
    assert Clear(FaultCode.CONTROL_FOREIGN_MASTER) in machine.effects


# --- through the journal --------------------------------------------------------------------------------------------


def _restart(machine: Machine, clock: FakeClock, *, dead_s: float = 1.0, reboot: bool = False, synced: bool = True):
    """kill -9, and a new process `dead_s` later. The document goes through JSON, as on disk."""
    clock.now = machine.now
    document = json.loads(json.dumps(project(machine.state, clock)))
    later = FakeClock(now=clock.now + dead_s, synced=synced, started=clock.started)
    if reboot:
        # A reboot resets the monotonic clock; the wall clock goes on.
        later = FakeClock(now=5.0, boot="boot-2", synced=synced)
        later.started = clock.wall() + timedelta(seconds=dead_s - 5.0)
    documents = Documents(control=document, snapshot=dict(SNAPSHOT), baseline=dict(BASELINE))
    return Machine(state=load(documents, later), now=later.now)


@pytest.mark.parametrize("reboot", [False, True], ids=["same boot", "reboot"])
@pytest.mark.parametrize(
    ("dead_s", "found", "asked", "end"),
    [
        (20, OURS, Follow, None),
        (20, DEFAULT, Take, None),
        (20, FOREIGN, None, End.INTERRUPTED),
        (70, OURS, GiveBack, End.INTERRUPTED),
        (70, DEFAULT, GiveBack, End.INTERRUPTED),
        (70, FOREIGN, None, End.INTERRUPTED),
    ],
)
def test_a_crash_while_controlling(reboot, dead_s, found, asked, end):
    machine = _restart(Machine().controlling(set_power(ttl_s=60)), FakeClock(), dead_s=dead_s, reboot=reboot)
    assert machine.state.phase is Phase.LOST
    machine.up()
    assert machine.asked_driver() == [Look]
    machine.looked(found)
    assert machine.asked_driver() == ([asked] if asked else [])
    assert machine.end("sp") is end
    if asked is Follow:
        assert machine.state.lease.deadline == pytest.approx(machine.now + 40)
        assert machine.state.snapshot == SNAPSHOT


@pytest.mark.parametrize(("before", "after"), [(True, False), (False, True), (False, False)])
def test_after_a_reboot_a_deadline_needs_a_clock_that_was_right_then_and_is_now(before, after):
    machine = _restart(Machine().controlling(), FakeClock(synced=before), dead_s=20, reboot=True, synced=after)
    machine.up()
    machine.looked(OURS)
    assert machine.asked_driver() == [GiveBack]
    assert machine.end("sp") is End.INTERRUPTED


def test_within_a_boot_the_wall_clock_does_not_matter():
    machine = _restart(Machine().controlling(), FakeClock(synced=False), dead_s=20, synced=False)
    machine.up()
    machine.looked(OURS)
    assert machine.asked_driver() == [Follow]


@pytest.mark.parametrize("reboot", [False, True], ids=["same boot", "reboot"])
@pytest.mark.parametrize("synced", [False, True])
def test_a_latched_stop_survives_everything(reboot, synced):
    machine = _restart(Machine().stopped(rank=Rank.INSTALLER), FakeClock(), reboot=reboot, synced=synced)
    assert machine.state.phase is Phase.STOPPED
    assert machine.state.stop.rank is Rank.INSTALLER
    machine.up()
    assert machine.asked_driver() == [Halt]
    machine.halted()
    machine.command(release("low"), rank=Rank.DISPATCHER)
    assert machine.end("low") is End.REFUSED


@pytest.mark.parametrize(("synced", "ends"), [(True, True), (False, False)])
def test_the_age_of_a_stop_goes_on_over_a_reboot_only_on_a_good_clock(synced, ends):
    machine = _restart(Machine().stopped(), FakeClock(), dead_s=3600, reboot=True, synced=synced)
    machine.wait(0)
    # It ends as failed: this run never got to assert it.
    assert (machine.end("stop") is End.FAILED) == ends


def test_a_release_that_was_ordered_is_finished():
    before = Machine().controlling()
    before.command(release())
    machine = _restart(before, FakeClock())
    assert machine.state.phase is Phase.RELEASING
    machine.up()
    assert machine.asked(GiveBack).snapshot == SNAPSHOT
    machine.gave_back()
    assert machine.end("release") is End.COMPLETED


def test_a_crash_after_the_first_intention_is_recognised_by_its_mark():
    before = Machine().settled()
    before.command(set_power())
    before.took()
    before.send(Intended({"mark": "discharge"}))
    machine = _restart(before, FakeClock())
    assert machine.state.marks == ({"mark": "discharge"},)
    machine.up()
    machine.looked(OURS)
    assert machine.asked_driver() == [Follow]
    machine.followed()
    assert machine.stages("sp") == [Stage.WRITTEN, Stage.VERIFIED]


def test_a_crash_before_anything_was_written_takes_again_with_the_snapshot_held():
    before = Machine().settled()
    before.command(set_power())
    before.took()
    machine = _restart(before, FakeClock())
    machine.up()
    machine.looked(DEFAULT)
    assert machine.asked_driver() == [Take]
    assert machine.deviations("sp") == [], "nothing was overridden: it was never written"


def test_a_crash_at_rest_starts_at_rest():
    machine = _restart(Machine().settled(), FakeClock())
    assert (machine.state.phase, machine.state.snapshot) == (Phase.RELEASED, None)
    assert machine.state.baseline == BASELINE
    machine.up()
    machine.looked(DEFAULT)
    assert machine.asked_driver() == []


def test_the_journal_keeps_the_whole_lease_and_latch():
    clock = FakeClock()
    full = State(lease=lease(), stop=LATCH, give_back=ORDER, snapshot=dict(SNAPSHOT), marks=({"mark": "a"},))
    again = load(Documents(control=project(full, clock), snapshot=dict(SNAPSHOT)), clock)
    assert (again.lease, again.stop, again.give_back) == (full.lease, full.stop, full.give_back)
    assert (again.snapshot, again.marks) == (full.snapshot, full.marks)


def test_a_snapshot_that_was_given_back_is_not_held_again():
    clock = FakeClock()
    again = load(Documents(control=project(State(), clock), snapshot=dict(SNAPSHOT)), clock)
    assert again.snapshot is None


def test_without_a_document_it_starts_at_rest_and_unsettled():
    state = load(Documents(control=None, baseline=dict(BASELINE)), FakeClock())
    assert (state.phase, state.unsettled, state.baseline) == (Phase.RELEASED, True, BASELINE)
