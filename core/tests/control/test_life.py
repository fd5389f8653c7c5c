"""The whole life of a set-point, and what each step leaves behind."""

from __future__ import annotations

import pytest
from samspel.contract.capability import Authority, Capabilities, Deadman, Direction
from samspel.contract.command import Accept, OnExpiry, Rank
from samspel.contract.driver import ControlState
from samspel.contract.errors import (
    DeadlinePassed,
    LinkDown,
    RequirementFailed,
    RouteUnavailable,
    SequenceAbandoned,
    StoreError,
)
from samspel.contract.outcome import Deviation, End, Stage
from samspel.control.events import Follow, Followed, GiveBack, Halt, Look, ResetShaping, Take, Took
from samspel.control.state import Phase, Policy

from ..routes import route  # noqa: TID252 - the tests of every station share it
from .kit import BASELINE, CAPABLE, INF, SNAPSHOT, Machine, arm, release, report, set_power, stop


def test_take_follow_expiry_release():
    machine = Machine()
    machine.up()
    assert machine.asked_driver() == [Look]
    machine.looked()
    assert machine.state.phase is Phase.RELEASED
    machine.command(set_power(ttl_s=60, hold_s=30))
    assert machine.asked_driver() == [Take]
    machine.took()
    assert machine.asked(Follow).power_w == 3000
    assert machine.asked(Follow).not_after == 60, "nothing unwritten may be sent in the hold"
    machine.followed()
    assert machine.state.phase is Phase.CONTROLLING
    assert machine.stages("sp") == [Stage.ACCEPTED, Stage.WRITTEN, Stage.VERIFIED]
    machine.wait(61)
    assert machine.asked_driver() == [Look], "the deadline is past, the hold is not"
    machine.looked(ControlState.OURS)
    assert machine.asked(Follow).not_after == 90
    machine.followed()
    machine.wait(29)
    assert machine.asked(GiveBack).snapshot == SNAPSHOT
    assert machine.end("sp") is End.COMPLETED
    assert any(isinstance(effect, ResetShaping) for effect in machine.effects)
    machine.gave_back()
    assert (machine.state.phase, machine.state.snapshot, machine.state.marks) == (Phase.RELEASED, None, ())


@pytest.mark.parametrize(
    ("on_expiry", "released_at"), [(OnExpiry.RELEASE, 60.0), (OnExpiry.HOLD_THEN_RELEASE, 90.0), (OnExpiry.HOLD, INF)]
)
def test_what_happens_at_the_deadline(on_expiry, released_at):
    machine = Machine().controlling(set_power(ttl_s=60, hold_s=30, on_expiry=on_expiry))
    for _ in range(120):
        machine.wait(1)
        if machine.asked_driver() == [Look]:
            machine.looked(ControlState.OURS)
        if machine.asked_driver() == [Follow]:
            machine.fed()
        else:
            break
    assert machine.now == min(released_at, 120)


def test_a_held_power_is_bounded_and_renewed():
    machine = Machine().controlling(set_power(ttl_s=60, on_expiry=OnExpiry.HOLD))
    machine.wait(5)
    assert machine.asked(Follow).not_after == 120
    machine.fed()
    machine.wait(200)
    machine.looked(ControlState.OURS)
    assert machine.asked(Follow).not_after == machine.now + 60


def test_a_set_point_is_never_first_written_after_its_deadline():
    machine = Machine().settled()
    machine.command(set_power(ttl_s=10, hold_s=30))
    machine.failed()
    machine.wait(10)
    assert machine.end("sp") is End.EXPIRED_UNWRITTEN
    assert not any(isinstance(effect, Follow) for effect in machine.driver)
    assert machine.state.phase is Phase.RELEASED


def test_a_deadline_that_passes_during_take_writes_nothing():
    machine = Machine().settled()
    machine.command(set_power(ttl_s=10))
    machine.now = 10.0
    machine.took()
    assert machine.asked_driver() == []
    machine.wait(0)
    assert machine.end("sp") is End.EXPIRED_UNWRITTEN
    assert machine.asked_driver() == [GiveBack]


def test_a_take_that_outlives_its_set_point_comes_to_rest():
    machine = Machine().settled()
    machine.command(set_power(ttl_s=10))
    machine.wait(70)
    assert machine.end("sp") is End.EXPIRED_UNWRITTEN
    assert machine.asked_driver() == [], "the take still reads"
    machine.took()
    assert (machine.state.phase, machine.state.snapshot) == (Phase.RELEASED, None)
    assert machine.asked_driver() == []


def test_a_newer_set_point_supersedes_and_is_written_at_once():
    machine = Machine().controlling()
    machine.command(set_power("newer", -1000))
    assert machine.end("sp") is End.SUPERSEDED
    assert machine.asked(Follow).power_w == -1000


def test_a_set_point_that_comes_during_a_write_follows_it():
    machine = Machine().settled()
    machine.command(set_power())
    machine.took()
    machine.command(set_power("newer", -1000))
    assert machine.asked_driver() == []
    machine.followed()
    assert machine.asked(Follow).power_w == -1000
    machine.followed(-1000)
    assert machine.stages("newer") == [Stage.ACCEPTED, Stage.WRITTEN, Stage.VERIFIED]
    assert machine.stages("sp") == [Stage.ACCEPTED], "the write of the first served the second only"


@pytest.mark.parametrize("phase", [Phase.RELEASED, Phase.CONTROLLING])
def test_a_set_point_that_comes_during_a_look_does_not_wait_for_the_tick(phase):
    machine = Machine().controlling() if phase is Phase.CONTROLLING else Machine().settled()
    machine.wait(61 if phase is Phase.RELEASED else 10)
    assert machine.asked_driver() == [Look]
    machine.command(set_power("newer", 500))
    machine.looked(ControlState.OURS if phase is Phase.CONTROLLING else ControlState.DEFAULT)
    assert machine.asked_driver() == [Follow if phase is Phase.CONTROLLING else Take]


def test_a_suppressed_write_is_a_stage_and_adopts_the_deadline():
    machine = Machine().controlling(set_power(ttl_s=60))
    machine.wait(50)
    machine.looked(ControlState.OURS)
    machine.fed()
    machine.command(set_power("same", ttl_s=60))
    machine.send(Followed(machine.state.action_id, None))
    assert machine.stages("same") == [Stage.ACCEPTED, Stage.WRITE_SUPPRESSED]
    assert machine.state.lease.deadline == 110


def test_every_stage_of_a_set_point_is_said_once():
    machine = Machine().controlling()
    for _ in range(5):
        machine.wait(1)
        machine.followed()
    assert machine.stages("sp").count(Stage.WRITTEN) == 1


def test_a_repetition_of_the_set_point_in_force_changes_nothing():
    machine = Machine().controlling()
    before = machine.state
    assert machine.command(set_power()) == ()
    assert machine.state == before


def test_arm_is_refused():
    machine = Machine().settled()
    machine.command(arm())
    assert (machine.end("arm"), machine.why("arm")) == (End.REFUSED, "unsupported")


# --- release --------------------------------------------------------------------------------------------------------


def test_a_release_ends_completed_when_it_is_verified():
    machine = Machine().controlling()
    machine.command(release())
    assert machine.end("sp") is End.COMPLETED, "its own issuer released it"
    assert machine.end("release") is None
    machine.gave_back()
    assert machine.end("release") is End.COMPLETED
    assert machine.stages("release") == [Stage.ACCEPTED, Stage.WRITTEN, Stage.VERIFIED]


def test_a_release_by_another_issuer_supersedes():
    machine = Machine().controlling()
    machine.command(release(issuer="installer"), rank=Rank.INSTALLER)
    assert machine.end("sp") is End.SUPERSEDED


def test_a_release_takes_over_from_a_running_write():
    machine = Machine().settled()
    machine.command(set_power())
    machine.took()
    late = machine.asked(Follow).action_id
    machine.command(release())
    assert machine.asked_driver() == [GiveBack]
    assert machine.send(Followed(late, report(3000))) == (), "the late result of the abandoned write"


def test_a_release_with_a_dead_link_is_pending_and_first_when_it_is_back():
    machine = Machine().controlling()
    machine.down()
    machine.command(release())
    assert machine.stages("release") == [Stage.ACCEPTED, Stage.PENDING]
    machine.up()
    assert machine.asked_driver() == [GiveBack]


def test_a_set_point_during_release_is_taken_up_afterwards():
    machine = Machine().controlling()
    machine.command(release())
    machine.command(set_power("next"))
    assert machine.asked_driver() == []
    machine.gave_back()
    assert machine.asked_driver() == [Take]


def test_a_failed_release_is_repeated_for_hours_with_growing_pauses():
    machine = Machine(policy=Policy(retry_first_s=1, retry_max_s=30)).controlling()
    machine.command(release())
    pauses = []
    for _ in range(100):
        machine.failed()
        pauses.append(machine.state.retry_at - machine.now)
        machine.wait(pauses[-1] - 0.5)
        assert machine.asked_driver() == []
        machine.wait(0.5)
        assert machine.asked_driver() == [GiveBack]
    assert pauses[:6] == [1, 2, 4, 8, 16, 30]
    assert max(pauses) == 30
    assert machine.end("release") is None
    machine.gave_back()
    assert machine.end("release") is End.COMPLETED


def test_a_release_of_what_is_released_is_still_verified():
    machine = Machine().settled()
    machine.command(release())
    assert machine.asked(GiveBack).snapshot == BASELINE


# --- ranks ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [set_power("low"), release("low")])
def test_a_lower_rank_cannot_displace_an_unexpired_lease(command):
    machine = Machine().controlling(rank=Rank.INSTALLER)
    machine.command(command, rank=Rank.DISPATCHER)
    assert (machine.end("low"), machine.why("low")) == (End.REFUSED, "outranked")
    assert machine.end("sp") is None


@pytest.mark.parametrize("on_expiry", [OnExpiry.HOLD, OnExpiry.HOLD_THEN_RELEASE])
def test_a_lease_that_is_only_held_on_may_be_displaced_by_anybody(on_expiry):
    machine = Machine().controlling(set_power(ttl_s=60, on_expiry=on_expiry), rank=Rank.INSTALLER)
    machine.now = 61.0
    machine.command(set_power("low"), rank=Rank.HOUSEHOLD)
    assert machine.asked(Follow).power_w == 3000
    assert machine.end("sp") is End.COMPLETED


@pytest.mark.parametrize("rank", [Rank.DISPATCHER, Rank.INSTALLER])
def test_an_equal_or_higher_rank_displaces(rank):
    machine = Machine().controlling(rank=Rank.DISPATCHER)
    machine.command(set_power("other", issuer="other"), rank=rank)
    assert machine.end("sp") is End.SUPERSEDED


# --- routes ---------------------------------------------------------------------------------------------------------

LOAD_FOLLOWING = Capabilities(
    routes=(route(Direction.CHARGE), route(Direction.DISCHARGE, authority=Authority.LOAD_FOLLOWING))
)


@pytest.mark.parametrize(
    ("authority", "accept", "follows"),
    [
        (authority, accept, order.index(authority) <= order.index(accept))
        for order in [["exact", "upper_bound", "load_following"]]
        for authority in order
        for accept in order
    ],
)
def test_a_command_says_which_kind_of_following_it_accepts(authority, accept, follows):
    machine = Machine()
    machine.up(Capabilities(routes=(route(Direction.DISCHARGE, authority=Authority(authority)),)))
    machine.looked()
    machine.command(set_power(accept=Accept(accept)))
    assert (machine.end("sp") is None) == follows


@pytest.mark.parametrize("power_w", [-1000.0, 0.0])
def test_without_a_route_in_that_direction_it_is_refused(power_w):
    machine = Machine()
    machine.up(Capabilities(routes=(route(Direction.DISCHARGE),)))
    machine.looked()
    machine.command(set_power(power_w=power_w))
    assert (machine.end("sp"), machine.why("sp")) == (End.REFUSED, "route")


def test_a_read_only_device_takes_no_set_point_but_every_stop():
    machine = Machine()
    machine.up(Capabilities(routes=CAPABLE.routes, read_only_because="unknown firmware"))
    machine.looked()
    machine.command(set_power())
    assert (machine.end("sp"), machine.why("sp")) == (End.REFUSED, "read_only")
    machine.command(stop())
    assert machine.asked_driver() == [Halt]


def test_what_was_accepted_before_the_device_was_known_is_judged_when_it_is():
    machine = Machine()
    machine.command(set_power(accept=Accept.EXACT))
    assert machine.stages("sp") == [Stage.ACCEPTED]
    machine.up(LOAD_FOLLOWING)
    assert (machine.end("sp"), machine.why("sp")) == (End.REFUSED, "route")
    machine.looked()
    assert machine.asked_driver() == []


def test_a_written_set_point_whose_route_is_gone_fails_and_is_given_back():
    machine = Machine().controlling()
    machine.down()
    machine.up(Capabilities(routes=CAPABLE.routes, read_only_because="unknown firmware"))
    assert machine.end("sp") is End.FAILED
    machine.looked(ControlState.OURS)
    assert machine.asked_driver() == [GiveBack]


# --- failures -------------------------------------------------------------------------------------------------------


def test_three_failed_writes_end_it_and_give_back():
    machine = Machine(policy=Policy(failures_before_end=3, check_s=1000)).settled()
    machine.command(set_power())
    machine.took()
    for _ in range(2):
        machine.failed()
        machine.wait(5)
        assert machine.asked(Follow).force, "what stands in the registers is unknown"
    machine.failed()
    assert (machine.end("sp"), machine.why("sp")) == (End.FAILED, "device")
    assert machine.asked_driver() == [GiveBack]


def test_a_look_between_two_failed_writes_does_not_forgive_them():
    machine = Machine(policy=Policy(failures_before_end=3, check_s=1)).controlling(set_power(ttl_s=600))
    for _ in range(40):
        machine.wait(1)
        if machine.asked_driver() == [Look]:
            machine.looked(ControlState.OURS)
        if machine.asked_driver() == [Follow]:
            machine.failed()
    assert machine.end("sp") is End.FAILED


@pytest.mark.parametrize("error", [RequirementFailed("calibrating"), RouteUnavailable("none")])
def test_what_cannot_be_carried_out_is_not_tried_three_times(error):
    machine = Machine().settled()
    machine.command(set_power())
    machine.took()
    machine.failed(error)
    assert (machine.end("sp"), machine.why("sp")) == (End.FAILED, "route")
    assert machine.asked_driver() == [GiveBack]


@pytest.mark.parametrize("error", [DeadlinePassed("late"), LinkDown("gone")])
def test_a_dead_link_or_a_passed_deadline_is_no_failure_of_the_device(error):
    machine = Machine().settled()
    machine.command(set_power(ttl_s=600))
    machine.took()
    for _ in range(10):
        machine.failed(error)
        machine.wait(31)
        if machine.asked_driver() == [Look]:
            machine.looked(ControlState.OURS)
    assert machine.end("sp") is None


@pytest.mark.parametrize(
    ("error", "reason"), [(RequirementFailed("calibrating"), "requirement"), (StoreError("full"), "store")]
)
def test_a_take_that_cannot_be_ends_the_set_point(error, reason):
    machine = Machine().settled()
    machine.command(set_power())
    machine.failed(error)
    assert (machine.end("sp"), machine.why("sp")) == (End.FAILED, reason)
    assert (machine.state.phase, machine.state.snapshot) == (Phase.RELEASED, None)


def test_a_take_that_fails_is_tried_again():
    machine = Machine().settled()
    machine.command(set_power())
    machine.failed()
    machine.wait(1)
    assert machine.asked_driver() == [Take]


def test_an_abandoned_take_does_not_leave_it_taking_for_ever():
    machine = Machine().settled()
    machine.command(set_power())
    machine.failed(SequenceAbandoned("by whom?"))
    machine.wait(1)
    assert machine.asked_driver() == [Take]


def test_a_failed_routine_look_does_not_starve_the_feeding():
    machine = Machine(policy=Policy(check_s=10)).controlling()
    machine.wait(10)
    assert machine.asked_driver() == [Look]
    machine.failed()
    machine.wait(1)
    assert machine.asked_driver() == [Follow]
    machine.fed()
    assert machine.stages("sp").count(Stage.ACCEPTED) == 1, "no adoption is announced"


# --- the snapshot ---------------------------------------------------------------------------------------------------


def test_an_open_snapshot_is_not_overwritten_when_the_device_fell_back_by_itself():
    machine = Machine().controlling()
    machine.wait(10)
    machine.looked(ControlState.DEFAULT)
    assert machine.deviations("sp") == [Deviation.OVERRIDDEN]
    assert machine.asked_driver() == [Take]
    machine.send(Took(machine.state.action_id, {"limit_w": 9999}))
    assert machine.state.snapshot == SNAPSHOT
    assert machine.asked(Follow).force


def test_an_open_snapshot_is_given_back_when_the_second_take_fails():
    machine = Machine(policy=Policy(failures_before_end=1)).controlling()
    machine.wait(10)
    machine.looked(ControlState.DEFAULT)
    machine.failed()
    assert machine.end("sp") is End.FAILED
    assert machine.asked(GiveBack).snapshot == SNAPSHOT


# --- somebody else --------------------------------------------------------------------------------------------------


def test_a_second_master_ends_control_and_nothing_more_is_written():
    machine = Machine().controlling()
    machine.wait(10)
    machine.looked(ControlState.FOREIGN)
    assert machine.state.phase is Phase.FOREIGN
    assert (machine.end("sp"), machine.why("sp")) == (End.INTERRUPTED, "foreign")
    assert machine.deviations("sp") == [Deviation.OVERRIDDEN]
    machine.command(set_power("next"))
    assert (machine.end("next"), machine.why("next")) == (End.REFUSED, "foreign")
    for _ in range(30):
        machine.wait(30)
        assert machine.asked_driver() in ([], [Look])
        if machine.asked_driver():
            machine.looked(ControlState.FOREIGN)


def test_an_orphan_is_released_to_neutral_after_its_time_without_change():
    machine = Machine(policy=Policy(orphan_s=100, check_s=10)).settled()
    machine.down()
    machine.up()
    machine.looked(ControlState.FOREIGN, "a")
    machine.wait(60)
    machine.looked(ControlState.FOREIGN, "b")
    machine.wait(60)
    machine.looked(ControlState.FOREIGN, "b")
    assert machine.state.phase is Phase.FOREIGN, "it changed a minute ago"
    machine.wait(40)
    machine.looked(ControlState.FOREIGN, "b")
    assert machine.asked(GiveBack).snapshot is None


def test_without_orphan_s_a_foreign_block_is_left_alone_for_ever():
    machine = Machine(policy=Policy(orphan_s=None)).settled()
    machine.down()
    machine.up()
    machine.looked(ControlState.FOREIGN)
    for _ in range(100):
        machine.wait(3600)
        assert machine.asked_driver() == [Look]
        machine.looked(ControlState.FOREIGN)


def test_foreign_is_left_by_a_release():
    machine = Machine().controlling()
    machine.wait(10)
    machine.looked(ControlState.FOREIGN)
    machine.command(release())
    assert machine.asked(GiveBack).snapshot == SNAPSHOT
    machine.gave_back()
    assert machine.state.phase is Phase.RELEASED


@pytest.mark.parametrize("found", [ControlState.OURS, ControlState.DEFAULT])
def test_when_the_second_master_goes_our_open_snapshot_is_given_back(found):
    machine = Machine().controlling()
    machine.wait(10)
    machine.looked(ControlState.FOREIGN)
    machine.wait(10)
    machine.looked(found)
    assert machine.asked(GiveBack).snapshot == SNAPSHOT


def test_a_leftover_of_ours_is_given_back_again():
    machine = Machine().settled()
    machine.wait(61)
    machine.looked(ControlState.OURS)
    assert machine.asked_driver() == [GiveBack]


# --- a device's own timer -------------------------------------------------------------------------------------------


def test_a_stop_is_fed_where_the_held_zero_has_a_timer():
    timed = Capabilities(
        routes=(
            route(Direction.DISCHARGE),
            route(Direction.ZERO, deadman=Deadman.TIMEOUT, deadman_s=27.0, feed_s=8.0),
        )
    )
    machine = Machine(policy=Policy(check_s=1000))
    machine.up(timed)
    machine.looked()
    machine.command(stop())
    machine.halted()
    machine.wait(7)
    assert machine.asked_driver() == []
    machine.wait(1)
    assert machine.asked_driver() == [Halt]
    machine.halted()
    assert machine.stages("stop").count(Stage.WRITTEN) == 1
