"""A stop comes through from every state, holds, and ends only as it may."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from samspel.contract.capability import Capabilities, Deadman, Direction
from samspel.contract.command import Rank
from samspel.contract.driver import ControlState
from samspel.contract.errors import NoAnswer, SequenceAbandoned
from samspel.contract.fault import FaultCode, Severity
from samspel.contract.outcome import End, Stage
from samspel.control.events import Alarm, Clear, Follow, GiveBack, Halt, Look, ResetShaping, Take
from samspel.control.state import Action, Phase, Policy

from ..routes import route  # noqa: TID252 - the tests of every station share it
from .kit import BASELINE, SNAPSHOT, Machine, release, set_power, stop


def _released() -> Machine:
    return Machine().settled()


def _first_look() -> Machine:
    machine = Machine()
    machine.up()
    return machine


def _taking() -> Machine:
    machine = Machine().settled()
    machine.command(set_power())
    return machine


def _following() -> Machine:
    machine = _taking()
    machine.took()
    return machine


def _controlling() -> Machine:
    return Machine().controlling()


def _routine_look() -> Machine:
    machine = Machine().controlling()
    machine.wait(10)
    return machine


def _releasing() -> Machine:
    machine = Machine().controlling()
    machine.command(release("earlier"))
    return machine


def _release_failing() -> Machine:
    machine = _releasing()
    machine.failed()
    return machine


def _foreign() -> Machine:
    machine = _routine_look()
    machine.looked(ControlState.FOREIGN)
    return machine


def _stopped() -> Machine:
    return Machine().stopped(stop("earlier"))


def _stop_failing() -> Machine:
    machine = Machine().settled()
    machine.command(stop("earlier"))
    machine.failed()
    return machine


STATES = [
    _released,
    _first_look,
    _taking,
    _following,
    _controlling,
    _routine_look,
    _releasing,
    _release_failing,
    _foreign,
    _stopped,
    _stop_failing,
]


def by_name(make: Callable[[], Machine]) -> str:
    return make.__name__.strip("_")


@pytest.mark.parametrize("make", STATES, ids=by_name)
def test_a_stop_halts_at_once_whatever_runs(make):
    machine = make()
    running = machine.state.action_id
    machine.command(stop(seq=0))
    assert machine.asked_driver() == [Halt]
    assert machine.asked(Halt).action_id > running, "whatever ran before reports too late"
    assert any(isinstance(effect, ResetShaping) for effect in machine.effects)
    assert machine.state.phase is Phase.STOPPED
    assert machine.state.lease is None
    assert machine.state.give_back is None
    machine.halted()
    assert machine.stages("stop") == [Stage.ACCEPTED, Stage.WRITTEN, Stage.VERIFIED]
    assert machine.end("stop") is None, "a stop holds"
    for _ in range(100):
        machine.wait(7)
        assert machine.asked_driver() in ([], [Look])
        if machine.asked_driver():
            machine.looked(ControlState.OURS)


@pytest.mark.parametrize("make", STATES, ids=by_name)
def test_a_stop_with_a_dead_link_is_pending_alarmed_and_first_when_it_is_back(make):
    machine = make()
    machine.down()
    machine.command(stop())
    assert machine.asked_driver() == []
    assert machine.stages("stop") == [Stage.ACCEPTED, Stage.PENDING]
    alarm = machine.asked(Alarm)
    assert (alarm.code, alarm.severity) == (FaultCode.CONTROL_STOP_FAILED, Severity.CRITICAL)
    machine.wait(60)
    assert machine.asked_driver() == []
    machine.up()
    assert machine.asked_driver() == [Halt]
    machine.halted()
    assert Clear(FaultCode.CONTROL_STOP_FAILED) in machine.effects


@pytest.mark.parametrize("make", STATES, ids=by_name)
def test_whoever_was_commanding_learns_that_it_was_stopped(make):
    machine = make()
    running = [say.command_id for say in machine.said if machine.end(say.command_id) is None]
    machine.command(stop())
    assert {name: machine.end(name) for name in running if name != "stop"} == dict.fromkeys(running, End.SUPERSEDED)


def test_a_stop_that_the_link_loses_is_asserted_again():
    machine = Machine().stopped()
    machine.down()
    machine.up()
    assert machine.asked_driver() == [Halt]


def test_a_stop_that_held_when_the_link_went_is_no_failed_one():
    machine = Machine().stopped()
    machine.down()
    assert [one.code for one in machine.effects if isinstance(one, Alarm)] == [FaultCode.COMMS_DEVICE_LOST]


def test_a_stop_of_an_earlier_life_is_alarmed_while_the_device_does_not_answer():
    """nobody knows whether it held when that life ended"""
    held = Machine().stopped().state
    assert held.stop is not None
    machine = Machine(replace(held, stop=replace(held.stop, asserted=False), link_up=False, unsettled=True))
    machine.down()
    assert FaultCode.CONTROL_STOP_FAILED in [one.code for one in machine.effects if isinstance(one, Alarm)]
    assert Stage.PENDING not in machine.stages("stop"), "its outcome has been told"
    machine.up()
    assert machine.asked_driver() == [Halt]
    machine.halted()
    assert Clear(FaultCode.CONTROL_STOP_FAILED) in machine.effects


def test_a_stop_that_fails_is_repeated_until_it_holds():
    machine = Machine().controlling()
    machine.command(stop())
    for _ in range(20):
        machine.failed(NoAnswer("silence"))
        assert machine.asked(Alarm).code is FaultCode.CONTROL_STOP_FAILED
        machine.wait(30)
        assert machine.asked_driver() == [Halt]
    assert machine.stages("stop").count(Stage.PENDING) == 1
    machine.halted()
    assert machine.stages("stop")[-2:] == [Stage.WRITTEN, Stage.VERIFIED]


def test_an_abandoned_stop_is_repeated():
    machine = Machine().controlling()
    machine.command(stop())
    machine.failed(SequenceAbandoned("a newer stop"))
    machine.wait(1)
    assert machine.asked_driver() == [Halt]


@pytest.mark.parametrize("found", [ControlState.DEFAULT, ControlState.FOREIGN])
def test_a_stop_that_somebody_lifted_is_asserted_again(found):
    machine = Machine().stopped()
    machine.wait(10)
    assert machine.asked_driver() == [Look]
    machine.looked(found)
    assert machine.asked_driver() == [Halt]


def test_nothing_else_is_done_while_it_holds():
    machine = Machine().stopped()
    machine.command(set_power("next"))
    assert (machine.end("next"), machine.why("next")) == (End.REFUSED, "stopped")
    assert machine.asked_driver() == []


def test_a_repetition_of_the_stop_in_force_changes_nothing():
    machine = Machine().stopped()
    before = machine.state
    assert machine.command(stop()) == ()
    assert machine.state == before


# --- how it ends ----------------------------------------------------------------------------------------------------


def test_a_release_of_its_rank_ends_it():
    machine = Machine().stopped()
    machine.command(release())
    assert machine.end("stop") is End.COMPLETED
    assert machine.asked(GiveBack).snapshot == SNAPSHOT
    machine.gave_back()
    assert machine.state.phase is Phase.RELEASED


def test_a_stop_from_rest_is_given_back_to_the_baseline():
    machine = Machine().settled()
    machine.command(stop())
    machine.halted()
    machine.command(release())
    assert machine.asked(GiveBack).snapshot == BASELINE


@pytest.mark.parametrize("end", [release("end"), set_power("end", ends_stop="stop", issued_s=9)])
def test_a_lower_rank_ends_no_stop(end):
    machine = Machine().stopped(rank=Rank.INSTALLER)
    machine.command(end, rank=Rank.DISPATCHER)
    assert (machine.end("end"), machine.why("end")) == (End.REFUSED, "outranked")
    assert machine.state.stop is not None


@pytest.mark.parametrize(
    ("end", "older"),
    [
        (release("end", issuer="fleet", epoch=3, seq=4, issued_s=99), True),
        (release("end", issuer="fleet", epoch=3, seq=6, issued_s=0), False),
        (release("end", issuer="fleet", epoch=4, seq=0, issued_s=0), False),
        (release("end", issuer="other", epoch=9, seq=9, issued_s=49), True),
        (release("end", issuer="other", epoch=0, seq=0, issued_s=51), False),
        (set_power("end", ends_stop="stop", issuer="fleet", epoch=3, seq=4), True),
        (set_power("end", ends_stop="stop", issuer="fleet", epoch=3, seq=6), False),
        (set_power("end", ends_stop="stop", issuer="other", epoch=9, seq=9, issued_s=49), False),
    ],
)
def test_what_was_said_before_the_stop_does_not_end_it(end, older):
    machine = Machine().stopped(stop(issuer="fleet", epoch=3, seq=5, issued_s=50))
    machine.command(end)
    assert (machine.end("end") is End.SUPERSEDED) == older
    assert (machine.state.stop is not None) == older


def test_a_command_that_names_it_goes_on_from_the_held_zero():
    machine = Machine().stopped()
    machine.command(set_power("next", ends_stop="stop", seq=2, issued_s=1))
    assert machine.end("stop") is End.COMPLETED
    order = machine.asked(Follow)
    assert order.force
    assert machine.state.snapshot == SNAPSHOT


def test_a_command_that_names_another_stop_does_not():
    machine = Machine().stopped()
    machine.command(set_power("next", ends_stop="another", seq=2, issued_s=1))
    assert (machine.end("next"), machine.why("next")) == (End.REFUSED, "stopped")


def test_a_naming_command_during_the_stop_sequence_waits_for_its_end():
    machine = Machine().controlling()
    machine.command(stop())
    machine.command(set_power("next", ends_stop="stop", seq=2, issued_s=1))
    assert machine.asked_driver() == []
    machine.halted()
    assert machine.asked(Follow).power_w == 3000
    assert {"mark": "zero"} in machine.state.marks, "what the stop wrote is ours"


def test_a_naming_command_when_nothing_is_known_of_the_device_looks_first():
    machine = Machine()
    machine.up()
    machine.command(stop())
    machine.failed()
    machine.command(set_power("next", ends_stop="stop", seq=2, issued_s=1))
    assert machine.asked_driver() == []
    machine.wait(5)
    assert machine.asked_driver() == [Look]
    machine.looked(ControlState.DEFAULT)
    assert machine.asked_driver() == [Take]


def test_nobody_ends_it():
    machine = Machine(policy=Policy(stop_hold_max_s=3600)).stopped()
    machine.now = 3599.0
    machine.wait(0)
    assert machine.end("stop") is None
    machine.wait(1)
    alarm = machine.asked(Alarm)
    assert (alarm.code, alarm.severity) == (FaultCode.CONTROL_STOP_HELD_TOO_LONG, Severity.CRITICAL)
    assert (machine.end("stop"), machine.why("stop")) == (End.COMPLETED, "held_too_long")
    assert machine.asked_driver() == [GiveBack]
    machine.gave_back()
    machine.command(set_power("next"))
    assert Clear(FaultCode.CONTROL_STOP_HELD_TOO_LONG) in machine.effects, "somebody commands again"


# --- several stops --------------------------------------------------------------------------------------------------


def test_a_newer_stop_holds_for_its_own_time():
    machine = Machine(policy=Policy(stop_hold_max_s=3600)).stopped()
    machine.now = 3000.0
    machine.command(stop("newer", seq=2))
    assert machine.end("stop") is End.SUPERSEDED
    machine.halted()
    machine.now = 6599.0
    machine.wait(0)
    assert machine.end("newer") is None
    machine.wait(1)
    assert machine.end("newer") is End.COMPLETED


def test_a_lower_ranks_stop_does_not_lower_the_rank():
    machine = Machine().stopped(rank=Rank.INSTALLER)
    machine.command(stop("lower", seq=2), rank=Rank.HOUSEHOLD)
    machine.halted()
    machine.command(release(), rank=Rank.HOUSEHOLD)
    assert (machine.end("release"), machine.why("release")) == (End.REFUSED, "outranked")


@pytest.mark.parametrize("issuer", ["fleet", "other"])
def test_an_older_stop_that_arrives_late_does_not_weaken_the_newer(issuer):
    machine = Machine().stopped(stop(issuer="fleet", seq=5, issued_s=50))
    machine.command(stop("late", issuer=issuer, seq=1, issued_s=10))
    machine.halted()
    machine.command(release("between", issuer=issuer, seq=3, issued_s=30))
    assert machine.end("between") is End.SUPERSEDED
    assert machine.state.stop is not None


def test_the_state_names_what_runs():
    machine = Machine().controlling()
    machine.command(stop())
    assert machine.state.action is Action.HALT


def test_a_stop_whose_link_is_lost_on_the_way_waits_loudly():
    machine = Machine().controlling()
    machine.command(stop())
    machine.down()
    assert machine.stages("stop")[-1] is Stage.PENDING
    assert FaultCode.CONTROL_STOP_FAILED in [one.code for one in machine.effects if isinstance(one, Alarm)]


def test_a_release_whose_link_is_lost_on_the_way_waits():
    machine = Machine().controlling()
    machine.command(release("earlier"))
    machine.down()
    assert machine.stages("earlier")[-1] is Stage.PENDING


def test_a_stop_that_holds_says_nothing_new_when_the_link_is_lost():
    machine = Machine().stopped()
    machine.down()
    assert Stage.PENDING not in machine.stages("stop")


TIMED = Capabilities(
    routes=tuple(route(direction, deadman=Deadman.TIMEOUT, deadman_s=27.0, feed_s=8.0) for direction in Direction)
)


def _stopped_with_a_timer() -> Machine:
    machine = Machine()
    machine.up(TIMED)
    machine.looked()
    machine.command(stop())
    machine.halted()
    return machine


def test_a_stop_that_holds_is_fed_not_run_again():
    """Running it again would hide for ever that somebody else commands, and wears registers."""
    machine = _stopped_with_a_timer()
    machine.wait(8)
    assert machine.asked(Halt).feed
    machine.halted(fed=True)
    machine.wait(2)
    assert machine.asked_driver() == [Look], "ten seconds after the stop was written"
    machine.looked(ControlState.OURS)
    assert machine.state.fed_at == 8
    machine.wait(6)
    assert machine.asked(Halt).feed


def test_a_look_that_is_due_comes_before_a_feed_that_is_due():
    machine = _stopped_with_a_timer()
    machine.wait(11)
    assert machine.asked_driver() == [Look]


def test_a_second_master_is_noticed_between_two_feeds():
    machine = _stopped_with_a_timer()
    machine.wait(8)
    machine.halted(fed=True)
    machine.wait(2)
    machine.looked(ControlState.FOREIGN)
    assert machine.asked(Alarm).code is FaultCode.CONTROL_FOREIGN_MASTER
    assert not machine.asked(Halt).feed


def test_a_feed_that_fails_runs_the_whole_stop_again():
    machine = _stopped_with_a_timer()
    machine.wait(8)
    machine.failed(NoAnswer("silence"))
    for _ in range(5):
        machine.wait(5)
        if machine.asked_driver() == [Halt]:
            break
    assert not machine.asked(Halt).feed
