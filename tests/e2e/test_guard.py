"""The guard with real processes: its edge is killed, stopped and blocked; it is killed itself; the box loses power.

The twins run faster than life; so does the device's own timer. No scene depends on how fast this machine is.
"""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from .disks import fill, small_disk
from .edge_process import is_gone
from .guarded import FOLLOWED, child, discharging, gives_back, guarded, on_its_own
from .patience import until
from .real import RealHome, battery_w
from .registers import registers
from .scenes import Backstage, Scenes

scenes = Scenes(at_once=6)
stage = scenes.stage()


async def adopted_after(home: RealHome, command: str, dead: int) -> None:
    """The guard lives, another edge goes on, and the battery has noticed nothing."""
    assert home.edge.process is not None
    guard, before = home.edge.process.pid, home.dispatcher.outcomes(command)[0]["boot_id"]

    def again() -> bool:
        said = home.dispatcher.outcomes(command)
        return any(one.get("reason") == "adopted" and one["boot_id"] != before for one in said)

    await until(again, f"adopted\n{home.dispatcher.story()}\n{home.edge.log[-3000:]}")
    assert is_gone(dead)
    assert home.edge.process.pid == guard
    assert home.edge.process.returncode is None
    assert registers(home.twin).items() >= FOLLOWED.items()
    assert abs(battery_w(home.twin) - 3000.0) < 150.0
    await home.dispatcher.outcome(await home.dispatcher.send("release"), end="completed")
    assert home.dispatcher.ends(command) == ["completed"]


@contextmanager
def small_disk_or_skip(folder: Path) -> Iterator[Path]:
    """Left out where nothing may be mounted."""
    try:
        with small_disk(folder) as disk:
            yield disk
    except PermissionError as error:
        pytest.skip(str(error))


# --- a dead edge ----------------------------------------------------------------------------------------------------


@scenes.slow
async def a_killed_edge(backstage: Backstage) -> None:
    """its successor adopts, without anybody's help"""
    async with guarded(backstage, "killed") as home:
        command, edge = await discharging(home), child(home)
        os.kill(edge, signal.SIGKILL)
        await adopted_after(home, command, edge)


@scenes
async def a_stopped_edge(backstage: Backstage) -> None:
    """SIGSTOP: silence; it is killed before anything else is done"""
    async with guarded(backstage, "stopped") as home:
        command, edge = await discharging(home), child(home)
        os.kill(edge, signal.SIGSTOP)
        await adopted_after(home, command, edge)
        assert "killed for its silence" in home.edge.log


@scenes
async def a_blocked_edge_that_is_too_late(backstage: Backstage) -> None:
    """the event loop hangs, other threads go on; the deadline passes meanwhile: given back before any new command

    Whether its last seconds are found as over (`interrupted`) or still end in somebody's hands (`completed`) is a
    matter of how fast a rescuer starts.
    """
    async with guarded(backstage, "blocked") as home:
        before = registers(home.twin)
        command, edge = await discharging(home, ttl_s=8.0, on_expiry="release"), child(home)
        os.kill(edge, signal.SIGUSR1)
        await until(lambda: is_gone(edge), "killed for its silence")
        await gives_back(home, before)
        await on_its_own(home)
        await until(lambda: home.dispatcher.ends(command) != [], "its end is told")
        assert home.dispatcher.ends(command) in (["completed"], ["interrupted"])


@scenes.slow
async def an_edge_that_cannot_start_again(backstage: Backstage) -> None:
    """somebody holds the disk: no edge can start, and a rescuer gives back from a copy of the journal"""
    async with guarded(backstage, "no-disk") as home:
        before = registers(home.twin)
        await discharging(home, ttl_s=15.0, on_expiry="release")
        edge = child(home)
        with closing(sqlite3.connect(home.edge.database, isolation_level=None)) as holder:
            holder.execute("BEGIN IMMEDIATE")  # The edge's own commits wait; it lives.
            os.kill(edge, signal.SIGKILL)
            await until(lambda: is_gone(edge))
            holder.execute("ROLLBACK")
            holder.execute("PRAGMA locking_mode = EXCLUSIVE")
            holder.execute("BEGIN IMMEDIATE")
            await gives_back(home, before)
            assert "a copy of the journal in memory" in home.edge.log


@scenes.slow
async def an_edge_killed_on_a_full_disk(backstage: Backstage) -> None:
    """a stop that could not be journaled must not be undone by what was: nothing is adopted, it is given back"""
    with small_disk_or_skip(backstage.folder / "full-disk-state") as disk:
        async with guarded(backstage, "full-disk", SAMSPEL__SITE__DIRECTORY=str(disk)) as home:
            before = registers(home.twin)
            command = await discharging(home)
            fill(disk)
            stop = await home.dispatcher.send("stop")
            await home.dispatcher.outcome(stop, stage="verified")
            edge, since = child(home), len(home.twin.writes)
            os.kill(edge, signal.SIGKILL)
            await until(lambda: is_gone(edge))
            await gives_back(home, before)
            await on_its_own(home)
            assert "forcible_discharge_power" not in [
                one["name"] for one in list(home.twin.writes)[since:] if any(one["values"])
            ]
            assert home.dispatcher.ends(command) != ["completed"]


@scenes.slow
async def another_power_on_a_full_disk(backstage: Backstage) -> None:
    """its mark could not be journaled, so a successor would take it for a stranger's: it is not written"""
    with small_disk_or_skip(backstage.folder / "other-power-state") as disk:
        async with guarded(backstage, "other-power", SAMSPEL__SITE__DIRECTORY=str(disk)) as home:
            before = registers(home.twin)
            await discharging(home)
            fill(disk)
            since = len(home.twin.writes)
            other = await home.dispatcher.send("set_power", power_w=1234.0, ttl_s=120.0)
            await home.dispatcher.outcome(other, end="failed", reason="store")
            await gives_back(home, before)
            assert 1234 not in [value for one in list(home.twin.writes)[since:] for value in one["values"]]


# --- told to go -----------------------------------------------------------------------------------------------------


@scenes.slow
async def told_to_go_the_guard_gives_nothing_back(backstage: Backstage) -> None:
    async with guarded(backstage, "told") as home:
        await discharging(home)
        edge, writes = child(home), len(home.twin.writes)
        assert await home.edge.terminate() == 0
        assert is_gone(edge)
        assert len(home.twin.writes) == writes
        assert registers(home.twin).items() >= FOLLOWED.items()
        assert "looked after" not in home.edge.log


# --- a dead guard ---------------------------------------------------------------------------------------------------


async def _kill_the_guard(home: RealHome) -> int:
    edge = child(home)
    assert home.edge.process is not None
    os.kill(home.edge.process.pid, signal.SIGKILL)
    await home.edge.process.wait()
    return edge


@scenes
async def without_its_guard_a_route_without_a_timer_is_given_back(backstage: Backstage) -> None:
    """and the edge ends, so that whoever starts both starts both"""
    async with guarded(backstage, "orphan") as home:
        before = registers(home.twin)
        command = await discharging(home)
        edge = await _kill_the_guard(home)
        await home.dispatcher.outcome(command, end="interrupted", reason="guard_lost")
        await until(lambda: is_gone(edge), "the edge ends")
        assert registers(home.twin) == before
        await on_its_own(home)
        assert home.dispatcher.ends(command) == ["interrupted"]


@scenes.slow
async def without_its_guard_a_route_with_a_timer_is_left_to_it(backstage: Backstage) -> None:
    async with guarded(backstage, "timed-orphan", "sungrow") as home:
        command = await discharging(home)
        edge = await _kill_the_guard(home)
        await until(lambda: is_gone(edge), "the edge ends")
        assert home.dispatcher.ends(command) == []
        await on_its_own(home)


# --- power loss -----------------------------------------------------------------------------------------------------


@scenes
async def the_box_loses_power_and_the_device_has_a_timer(backstage: Backstage) -> None:
    async with guarded(backstage, "dark-timer", "sungrow") as home:
        await discharging(home)
        writes = len(home.twin.writes)
        await home.edge.kill()
        await on_its_own(home)
        assert len(home.twin.writes) == writes


@scenes.slow
async def the_box_loses_power_and_the_device_has_none(backstage: Backstage) -> None:
    """never: that is why such a route serves no product that needs a dead-man"""
    async with guarded(backstage, "dark", speed=200.0) as home:
        await discharging(home)
        await home.edge.kill()
        began_s = home.twin.time_s
        await until(lambda: home.twin.time_s - began_s > 600.0, "ten minutes of the device's own time")
        assert registers(home.twin).items() >= FOLLOWED.items()
        assert abs(battery_w(home.twin) - 3000.0) < 150.0


# --- a control that needs a guard -----------------------------------------------------------------------------------

COMPULSORY: Mapping[str, str] = {"SAMSPEL__DEVICES__BATTERY__CONTROL": "compulsory"}


@scenes
async def a_control_that_needs_a_guard_has_one(backstage: Backstage) -> None:
    """and it is given back when the edge hangs past the deadline, although the device has no timer there"""
    async with guarded(backstage, "compulsory", "sungrow", **COMPULSORY) as home:
        command, edge = await discharging(home, ttl_s=12.0, on_expiry="release"), child(home)
        os.kill(edge, signal.SIGUSR1)
        await until(lambda: is_gone(edge), "killed for its silence")
        await on_its_own(home)
        await home.dispatcher.outcome(command, end="completed")


@scenes.slow
async def without_a_guard_it_is_read_only(backstage: Backstage) -> None:
    async with guarded(backstage, "alone", "sungrow", SAMSPEL__GUARD__ENABLED="false", **COMPULSORY) as home:
        assert home.edge.child is None
        command = await home.dispatcher.send("set_power", power_w=3000.0)
        refused = await home.dispatcher.outcome(command, end="refused")
        assert "guard" in refused["text"], refused
        assert not home.twin.writes


test_scene = scenes.test()
