"""What of the state is written, and that nothing is begun where there is nothing to write."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samspel.clock import LoopClock
from samspel.contract.command import OnExpiry
from samspel.control.journal import project, worth_keeping
from samspel.control.saving import Saving
from samspel.control.state import GiveBackOrder, Phase, State

from .kit import SNAPSHOT, Machine, stop
from .test_shell import WatchedJournal

pytestmark = pytest.mark.looptime

HELD = Machine().controlling().state
STOPPED = Machine().controlling()
STOPPED.command(stop())

LEASES = [
    replace(HELD.lease, **{name: value})
    for name, value in {
        "power_w": 1.0,
        "deadline": 1e6,
        "on_expiry": OnExpiry.HOLD,
        "written": True,
        "waits": True,
        "stations": {"gate": 1.0},
    }.items()
]
STOPS = [STOPPED.state.stop, replace(STOPPED.state.stop, since=3.0), replace(STOPPED.state.stop, asserted=True)]
VALUES = {
    "phase": [Phase.CONTROLLING, Phase.RELEASED],
    "lease": [HELD.lease, None, *LEASES],
    "stop": [None, *STOPS],
    "give_back": [None, GiveBackOrder(command_id=None, why="expired")],
    "snapshot": [None, dict(SNAPSHOT)],
    "marks": [(), ({"mark": 1},), ({"mark": 1}, {"mark": 2})],
    "written_w": [None, 0.0, 1000.0],
    "moved_w": [None, 0.0, 1000.0],
    "link_up": [False, True],
    "action_id": [0, 1],
    "looked_at": [0.0, 1.0],
}
CHANGES = [(name, value) for name, values in VALUES.items() for value in values]

states = st.builds(State, **{name: st.sampled_from(values[:2]) for name, values in VALUES.items()})


def without_wall(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_wall(inner) for key, inner in value.items() if key != "wall"}
    return value


@pytest.mark.parametrize(("name", "value"), CHANGES)
@given(one=states)
def test_what_is_worth_keeping_differs_exactly_where_the_document_does_but_for_the_time_of_day(one, name, value):
    other = replace(one, **{name: value})

    class Fixed(LoopClock):
        def monotonic(self) -> float:
            return 0.0

        def wall(self):
            return self.epoch

    clock = Fixed()
    documents = [without_wall(project(state, clock)) for state in (one, other)]
    assert (worth_keeping(one) == worth_keeping(other)) is (documents[0] == documents[1])


class Desk:
    """A state, and where it is saved."""

    def __init__(self) -> None:
        self.journal = WatchedJournal([])
        self.state = State()
        self.saving = Saving("battery", self.journal, LoopClock(), lambda: self.state)

    def turn(self, after: State) -> tuple[State, State]:
        before, self.state = self.state, after
        return before, after


async def test_a_turn_that_changes_nothing_that_is_kept_needs_no_saving():
    desk = Desk()
    turn = desk.turn(replace(HELD, snapshot=None, baseline=None))
    assert desk.saving.needs(*turn)
    await desk.saving.save(*turn)
    await asyncio.sleep(100)  # The wall clock's share of the deadline alone is not worth a write.
    assert not desk.saving.needs(*desk.turn(replace(desk.state, link_up=False, action_id=9, looked_at=99.0)))
    assert desk.saving.needs(*desk.turn(replace(desk.state, written_w=1.0)))


@pytest.mark.parametrize("part", ["snapshot", "baseline"])
async def test_another_snapshot_is_saved_also_where_the_document_is_the_same(part):
    desk = Desk()
    await desk.saving.save(*desk.turn(replace(HELD, snapshot={"a": 1}, baseline={"a": 1})))
    turn = desk.turn(replace(desk.state, **{part: {"a": 2}}))
    assert desk.saving.needs(*turn)
    await desk.saving.save(*turn)
    assert desk.journal.get(f"battery/{part}") == {"a": 2}


async def test_a_turn_that_changes_nothing_waits_for_what_is_being_written():
    """Else a stop that comes twice would be acknowledged before it is on disk once."""
    desk = Desk()
    desk.journal.delay_s = 1.0
    writing = asyncio.create_task(desk.saving.save(*desk.turn(replace(HELD, snapshot=None, baseline=None))))
    await asyncio.sleep(0.5)
    turn = desk.turn(desk.state)
    assert desk.saving.needs(*turn)
    await desk.saving.save(*turn)
    assert writing.done()
    assert desk.journal.log == ["disk battery/control"]
    assert not desk.saving.needs(*desk.turn(desk.state))


async def test_a_kernel_that_vouches_for_its_clock_from_now_on_is_worth_a_write():
    vouches = False

    class Clock(LoopClock):
        def synchronised(self) -> bool:
            return vouches

    desk = Desk()
    desk.saving = Saving("battery", desk.journal, Clock(), lambda: desk.state)
    await desk.saving.save(*desk.turn(replace(HELD, snapshot=None, baseline=None)))
    assert not desk.saving.needs(*desk.turn(desk.state))
    vouches = True
    turn = desk.turn(desk.state)
    assert desk.saving.needs(*turn)
    await desk.saving.save(*turn)
    assert desk.journal.get("battery/control")["lease"]["deadline"]["synchronised"] is True
