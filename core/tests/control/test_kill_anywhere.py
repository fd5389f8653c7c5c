"""kill -9 after any single step of a discharge, a stop or a release: the next run finds the right row of the table.

The device is a row of registers that outlives the process; each write and each pause of the driver is a step. What the
process leaves is these registers and its journal.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest
from samspel.clock import LoopClock
from samspel.contract.driver import ControlState
from samspel.contract.outcome import End
from samspel.control.events import Followed, LinkUp, Say
from samspel.control.shell import Controller, Reports
from samspel.control.state import Phase, Policy
from samspel.store.memory import MemoryJournal

from .kit import CAPABLE, admit, reading, release, report, set_power, stop

REST = {"limit": 4000, "power": 0, "trigger": 0}
ZERO = {"limit": 0, "power": 0, "trigger": 1}


def discharge(power_w: float) -> dict[str, float]:
    return {"limit": 5000, "power": power_w, "trigger": 1}


class Killed(BaseException):
    """The process is gone."""


@dataclass
class World:
    """What a crash does not take: the device's registers and the disk. `steps_left` is when the process dies."""

    registers: dict[str, float] = field(default_factory=lambda: dict(REST))
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    steps: int = 0
    dies_at: int | None = None
    died: asyncio.Event = field(default_factory=asyncio.Event)

    async def step(self) -> None:
        """One more await of the process; it may be its last."""
        await asyncio.sleep(0.05)
        self.steps += 1
        if self.steps == self.dies_at:
            self.died.set()
        if self.died.is_set():
            await asyncio.Event().wait()

    async def write(self, name: str, value: float) -> None:
        await self.step()
        self.registers[name] = value
        await self.step()


class DyingJournal:
    """The disk as the process sees it: dying before or after a document is there are two steps."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.get = world.journal.get

    async def put(self, name: str, document: Any, *, durable: bool = False) -> None:
        await self._world.step()
        await self._world.journal.put(name, document, durable=durable)
        await self._world.step()


class Process:
    """One life of the edge: a controller and a driver over the world's registers."""

    def __init__(self, world: World, clock: LoopClock) -> None:
        self.world, self.clock = world, clock
        self.said: list[Say] = []
        self.moves: list[str] = []
        reports = Reports(self.said.append, lambda _: None, lambda _: None, lambda: None)
        journal = DyingJournal(world)
        self.controller = Controller("battery", self, reports, journal, clock, Policy(check_s=1e6, idle_check_s=1e6))
        self.task = asyncio.create_task(self.controller.run())
        self.controller.submit(LinkUp(CAPABLE))

    def give(self, command: Any) -> None:
        self.controller.submit(admit(command, now=self.clock.monotonic()))

    async def kill(self) -> None:
        for task in (self.task, *self.controller._tasks, *self.controller._savings):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def ends(self) -> dict[str, End]:
        return {say.command_id: say.end for say in self.said if say.end is not None}

    # --- control.shell.Actions ---

    async def look(self, state):
        """Ours is what a mark, the snapshot or the rest explains, register by register."""
        await self.world.step()
        known = [REST, ZERO, *state.marks]
        if self.world.registers["trigger"] == 0 and self.world.registers["limit"] == REST["limit"]:
            return reading(ControlState.DEFAULT), dict(REST)
        strange = [name for name, value in self.world.registers.items() if all(value != one[name] for one in known)]
        return reading(ControlState.FOREIGN if strange else ControlState.OURS), None

    async def take(self):
        await self.world.step()
        return dict(self.world.registers)

    async def follow(self, order, state):
        wanted = discharge(order.power_w)
        await self.controller.intend(order, wanted)
        self.moves.append("follow")
        await self._write_all(wanted)
        return Followed(order.action_id, report(order.power_w))

    async def halt(self, state, *, feed):
        self.moves.append("halt")
        await self._write_all(ZERO)
        return report(mark="zero")

    async def give_back(self, order, state):
        self.moves.append("give_back")
        await self._write_all(order.snapshot or REST)
        return report()

    async def _write_all(self, wanted: dict[str, float]) -> None:
        for name in ("limit", "power", "trigger"):
            await self.world.write(name, wanted[name])


async def live(world: World, clock: LoopClock, commands: list[Any], *, dies_at: int | None) -> Process:
    """Give the commands one after another; die at the step, or when all is done."""
    world.dies_at = dies_at
    process = Process(world, clock)
    for command in commands:
        await asyncio.sleep(2.0)
        if not world.died.is_set():
            process.give(command)
    await asyncio.sleep(5.0)
    await process.kill()
    world.dies_at = None
    world.died.clear()
    return process


DISCHARGE = [set_power(ttl_s=600)]
STOPPED = [set_power(ttl_s=600), stop()]
RELEASED = [set_power(ttl_s=600), release()]


async def count_steps(commands: list[Any]) -> int:
    world = World()
    await live(world, LoopClock(), commands, dies_at=None)
    return world.steps


async def die_everywhere(commands: list[Any]):
    """Every point of the story at which the process can die, each with its own world."""
    steps = await count_steps(commands)
    assert steps > 15, "the story is long enough to be worth it"
    for dies_at in range(1, steps + 1):
        world, clock = World(), LoopClock()
        await live(world, clock, commands, dies_at=dies_at)
        yield dies_at, world, clock


@pytest.mark.looptime
async def test_killed_anywhere_in_a_discharge_the_deadline_ahead():
    async for dies_at, world, clock in die_everywhere(DISCHARGE):
        leased = (world.journal.get("battery/control") or {}).get("lease") is not None
        held = dict(world.registers)
        process = await live(world, clock, [], dies_at=None)
        state = process.controller.state
        if leased:
            assert state.phase is Phase.CONTROLLING, dies_at
            assert world.registers == discharge(3000), "adopted, or taken again, for the remaining time"
            assert process.ends() == {}
            assert state.snapshot == REST, "the snapshot is that of before the first write"
        else:
            assert held == REST, "nothing is written before the command is on disk"
            assert state.phase is Phase.RELEASED


@pytest.mark.looptime
@pytest.mark.parametrize("why", ["expired", "reboot without a clock"])
async def test_killed_anywhere_in_a_discharge_that_cannot_go_on(why):
    async for dies_at, world, clock in die_everywhere(DISCHARGE):
        leased = (world.journal.get("battery/control") or {}).get("lease") is not None
        if why == "expired":
            await asyncio.sleep(700)
        else:
            clock.boot, clock.is_synchronised = "boot-2", False
        process = await live(world, clock, [], dies_at=None)
        assert world.registers["trigger"] == 0, dies_at
        assert world.registers["limit"] == REST["limit"], dies_at
        assert process.controller.state.phase is Phase.RELEASED
        assert set(process.ends()) == ({"sp"} if leased else set())
        assert "follow" not in process.moves


@pytest.mark.looptime
async def test_killed_anywhere_in_a_discharge_that_somebody_else_then_took_over():
    async for dies_at, world, clock in die_everywhere(DISCHARGE):
        world.registers = {"limit": 1234, "power": 77, "trigger": 1}
        process = await live(world, clock, [], dies_at=None)
        assert process.moves == [], dies_at
        assert world.registers == {"limit": 1234, "power": 77, "trigger": 1}
        assert process.controller.state.phase is Phase.FOREIGN


@pytest.mark.looptime
async def test_killed_anywhere_in_a_stop():
    latched = 0
    async for dies_at, world, clock in die_everywhere(STOPPED):
        document = world.journal.get("battery/control") or {}
        process = await live(world, clock, [], dies_at=None)
        if document.get("stop") is not None:
            latched += 1
            assert process.moves == ["halt"], dies_at
            assert world.registers == ZERO
            assert process.controller.state.stop.asserted
            process = await live(world, clock, [release()], dies_at=None)
            assert world.registers == REST, "what was before the discharge"
        elif document.get("lease") is not None:
            # Not yet on disk: the broker has it still, and gives it again.
            process = await live(world, clock, [stop()], dies_at=None)
            assert world.registers == ZERO
    assert latched > 5, "the latch is on disk for most of the stop"


@pytest.mark.looptime
async def test_killed_anywhere_in_a_release():
    orders = 0
    async for dies_at, world, clock in die_everywhere(RELEASED):
        document = world.journal.get("battery/control") or {}
        ordered = document.get("give_back") is not None
        finished = document.get("lease") is None and not ordered
        process = await live(world, clock, [], dies_at=None)
        orders += ordered
        if ordered:
            assert process.moves == ["give_back"], dies_at
            assert process.ends() == {"release": End.COMPLETED}
        if ordered or finished:
            assert world.registers == REST
            assert process.controller.state.phase is Phase.RELEASED
    assert orders > 5, "the order is on disk for as long as the release takes"
