"""The faults of one device at work: published, kept over a restart, told to control, and missed when not read."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from samspel.contract.driver import ActiveFault
from samspel.contract.errors import BusError
from samspel.contract.fault import Effect, FaultCode, FaultState, Severity
from samspel.faulting import BLIND_S, Faulting
from samspel.faults.debounce import USUAL
from samspel.faults.service import PAUSE_FIRST_S

from .kit import DEVICE, Clock

GRID_LOST = ActiveFault(
    code=FaultCode.GRID_LOST, severity=Severity.MAJOR, effect=Effect.OFFLINE, text="the grid is lost", raw="a bit 7"
)


class Life:
    """One device, looked at every 10 s; what `read` returns or raises is `now`."""

    def __init__(self) -> None:
        self.clock, self.kept, self.told = Clock(), {}, []
        self.now: list[ActiveFault] | BusError = []
        self.begin()

    def begin(self) -> None:
        self.faulting = Faulting(DEVICE, self.clock, USUAL, self.told.append, self.keep, self.kept)

    def keep(self, document: Any) -> None:
        self.kept = document

    async def read(self) -> list[ActiveFault]:
        if isinstance(self.now, BusError):
            raise self.now
        return self.now

    async def look(self, for_s: float) -> None:
        for _ in range(int(for_s / 10)):
            self.clock.now += 10
            with suppress(BusError):
                await self.faulting.look(self.read)

    def states(self, code: FaultCode) -> list[FaultState]:
        return [one.state for one in self.told if one.code is code]


async def test_faults_that_cannot_be_read_for_minutes_are_a_fault_until_they_are():
    life = Life()
    await life.look(10)
    life.now = BusError("dropped")
    await life.look(BLIND_S)
    assert life.told == []
    await life.look(100)
    assert life.states(FaultCode.INVERTER_MONITORING) == [FaultState.RAISED]
    life.now = []
    await life.look(10)
    assert life.states(FaultCode.INVERTER_MONITORING) == [FaultState.RAISED, FaultState.CLEARED]


async def test_a_device_that_is_not_connected_is_not_missed_a_second_time():
    life = Life()
    life.now = BusError("dropped")
    await life.look(BLIND_S)
    life.faulting.link_down()
    life.clock.now += 3600
    await life.look(BLIND_S)
    assert life.told == []


async def test_the_pause_after_a_fault_outlives_a_restart_and_is_told_as_what_it_is():
    life = Life()
    life.now = [GRID_LOST]
    await life.look(10)
    assert "the grid is lost" in life.faulting.news().why
    life.now = []
    await life.look(40)
    assert life.faulting.effect is Effect.OFFLINE, "the pause"
    assert life.faulting.news().why == "a fault is over; set-points are taken again 30 s after its end"
    assert life.faulting.news() is None
    life.begin()
    assert life.faulting.effect is Effect.OFFLINE
    assert life.faulting.news().why == "a fault is over; set-points are taken again 30 s after its end"
    life.clock.now += PAUSE_FIRST_S
    assert life.faulting.effect is Effect.NONE
    assert life.faulting.news().why == ""


@pytest.mark.parametrize("trouble", [[], BusError("dropped")], ids=str)
async def test_the_first_look_is_made_once_on_a_link(trouble):
    life = Life()
    life.now = trouble
    await life.faulting.look_first(life.read)
    life.now = [GRID_LOST]
    await life.faulting.look_first(life.read)
    assert life.states(FaultCode.GRID_LOST) == ([] if trouble == [] else [FaultState.RAISED])
    life.faulting.link_down()
    await life.faulting.look_first(life.read)
    assert life.states(FaultCode.GRID_LOST) == [FaultState.RAISED]
