"""What we command with is no longer trusted: give back, whatever was followed."""

from __future__ import annotations

import pytest
from samspel.contract.fault import FaultCode
from samspel.contract.outcome import End
from samspel.control.events import GiveBack, Halt, LinkUp, Withdraw
from samspel.control.state import Phase

from .kit import CAPABLE, SNAPSHOT, Machine, set_power

EVENT = Withdraw("map_suspect", "it went the wrong way")


def test_the_set_point_ends_and_control_goes_back():
    machine = Machine().controlling()
    machine.send(EVENT)
    assert machine.end("sp") is End.INTERRUPTED
    assert machine.why("sp") == "map_suspect"
    assert machine.asked(GiveBack).snapshot == SNAPSHOT
    machine.gave_back()
    assert machine.state.phase is Phase.RELEASED


def test_a_stop_stays_in_force():
    machine = Machine().stopped()
    machine.send(EVENT)
    assert machine.state.stop is not None
    assert machine.asked_driver() == []


def test_with_a_dead_link_it_is_given_back_later():
    machine = Machine().controlling()
    machine.down()
    machine.send(EVENT)
    assert machine.end("sp") is End.INTERRUPTED
    machine.send(LinkUp(CAPABLE))
    assert machine.asked_driver() == [GiveBack]
    assert FaultCode.CONTROL_RELEASE_FAILED not in [getattr(effect, "code", None) for effect in machine.effects]


def test_a_released_device_is_left_alone():
    machine = Machine().settled()
    machine.send(EVENT)
    assert machine.asked_driver() == []
    assert machine.state.phase is Phase.RELEASED


@pytest.mark.parametrize("moment", ["taking", "following"])
def test_while_something_runs_it_is_abandoned(moment):
    machine = Machine().settled()
    machine.command(set_power())
    if moment == "following":
        machine.took()
    machine.send(EVENT)
    assert machine.asked_driver() == [GiveBack]
    late = machine.state.action_id - 1
    assert late != machine.state.action_id
    assert Halt not in machine.asked_driver()
