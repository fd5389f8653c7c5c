"""The suite's own tools: simulated time, and the link in memory."""

from __future__ import annotations

import asyncio
import time

import pytest
from samspel.contract.errors import (
    BadAnswer,
    BusError,
    DeadlinePassed,
    DeviceBusy,
    DeviceRefused,
    LinkDown,
    NoAnswer,
    RegisterAbsent,
)
from samspel.contract.ports import Priority, Table
from samspel_contract.rig import Rig
from samspel_contract.simulated import simulated
from samspel_contract.target import loose

TWIN = "samspel_contract.toys.good.twin:twin"
READ = {"priority": Priority.FAST_TELEMETRY}
WRITE = {"function": 6, "priority": Priority.SET_POINT}
MODE = 205


@pytest.fixture
def target(toy):
    return loose(toy.folder / "driver.toml", TWIN)


def test_an_hour_takes_no_time():
    async def an_hour():
        begin = asyncio.get_running_loop().time()
        await asyncio.gather(asyncio.sleep(3600), asyncio.sleep(1800))
        assert asyncio.get_running_loop().time() - begin == pytest.approx(3600)

    begin = time.monotonic()
    simulated(an_hour)()
    assert time.monotonic() - begin < 60


def test_waiting_for_nothing_is_an_error_and_no_hang():
    async def for_ever():
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="stands still"):
        simulated(for_ever)()


def test_a_deadline_works_in_simulated_time():
    async def too_long():
        async with asyncio.timeout(5):
            await asyncio.sleep(6)

    with pytest.raises(TimeoutError):
        simulated(too_long)()


@pytest.mark.parametrize(
    ("name", "parameters", "error"),
    [
        ("busy", {}, DeviceBusy),
        ("mute", {}, NoAnswer),
        ("reset", {}, NoAnswer),
        ("half_open", {}, NoAnswer),
        ("refuse_connections", {}, LinkDown),
        ("slow", {"seconds": 30.0}, NoAnswer),
        ("refuse_writes", {"code": 4}, DeviceRefused),
        ("refuse_writes", {"code": 2}, RegisterAbsent),
        ("wrong_echo", {}, BadAnswer),
    ],
)
def test_misbehaviours_become_the_bus_errors(target, name, parameters, error):
    async def scene():
        rig = Rig.make(target)
        rig.twin.misbehave(name, **parameters)
        with pytest.raises(BusError) as caught:
            await rig.link.write(MODE, (0,), **WRITE)
        assert type(caught.value) is error

    simulated(scene)()


def test_what_is_read_is_what_the_device_holds(target):
    async def scene():
        rig = Rig.make(target)
        assert await rig.link.read(Table.HOLDING, MODE, 1, **READ) == (0,)
        await rig.link.write(MODE, (3,), **WRITE)
        assert await rig.link.read(Table.HOLDING, MODE, 1, **READ) == (3,)
        with pytest.raises(RegisterAbsent):
            await rig.link.read(Table.INPUT, MODE, 1, **READ)

    simulated(scene)()


def test_nothing_is_sent_after_its_deadline(target):
    async def scene():
        rig = Rig.make(target)
        await rig.link.read(Table.HOLDING, MODE, 1, **READ)
        with pytest.raises(DeadlinePassed):
            await rig.link.write(MODE, (3,), **WRITE, not_after=rig.now)
        assert rig.writes() == []

    simulated(scene)()


def test_a_cut_lets_the_last_write_through_and_nothing_more(target):
    async def scene():
        rig = Rig.make(target)
        rig.link.cut_after_writes(2)
        await rig.link.write(MODE, (1,), **WRITE)
        with pytest.raises(NoAnswer):
            await rig.link.write(MODE, (2,), **WRITE)
        with pytest.raises(LinkDown):
            await rig.link.write(MODE, (3,), **WRITE)
        rig.link.mend()
        assert await rig.link.read(Table.HOLDING, MODE, 1, **READ) == (2,)
        assert [write["values"] for write in rig.writes()] == [[1], [2]]

    simulated(scene)()
