"""What stands between a set-point and its write: one commit, and no routine look."""

from __future__ import annotations

import asyncio

import pytest
from samspel.contract.driver import ControlState
from samspel.control.events import Follow, Look, Looked
from samspel.control.state import Phase
from samspel.control.turn import LOOK_PATIENCE, LOOKS_A_PERIOD

from .kit import Machine, reading, set_power
from .test_shell import Site


@pytest.mark.looptime
async def test_a_set_point_and_its_mark_cost_one_commit_before_the_write():
    async with Site() as site:
        site.give(set_power(ttl_s=600))
        await asyncio.sleep(1)
        site.log.clear()
        site.journal.delay_s = 0.2
        site.give(set_power("newer", 500, ttl_s=600))
        await asyncio.sleep(0.21)
        assert site.log == ["driver follow", "disk battery/control", "driver writes"]
        control = site.journal.get("battery/control")
        assert (control["lease"]["command_id"], control["marks"][-1]) == ("newer", {"mark": 500.0})


def test_a_routine_look_gives_way_while_we_control():
    machine = Machine().controlling()
    machine.wait(10)
    assert machine.asked_driver() == [Look]
    late = Looked(machine.state.action_id, reading(ControlState.FOREIGN))
    machine.command(set_power("newer", 500))
    assert machine.asked(Follow).power_w == 500
    machine.send(late)
    assert machine.state.phase is Phase.CONTROLLING, "what it saw may be from before the set-point"
    machine.followed(500)
    machine.wait(1)
    assert machine.asked_driver() == [Follow], "the bus is left to telemetry for a while"
    machine.fed()
    machine.wait(machine.policy.check_s / LOOKS_A_PERIOD)
    assert machine.asked_driver() == [Look], "it is still due"


def test_a_look_that_gave_way_for_long_goes_first():
    machine = Machine().controlling(set_power(ttl_s=600))
    machine.wait(LOOK_PATIENCE * machine.policy.check_s)
    machine.command(set_power("newest", 600))
    assert machine.asked_driver() == []
    machine.looked(ControlState.OURS)
    assert machine.asked(Follow).power_w == 600


def test_a_look_that_decides_what_to_do_gives_way_to_nothing():
    machine = Machine().controlling()
    machine.down()
    machine.up()
    assert machine.asked_driver() == [Look]
    machine.command(set_power("newer", 500))
    assert machine.asked_driver() == []
