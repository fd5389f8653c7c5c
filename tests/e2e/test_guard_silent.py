"""A guard that lives and does nothing: stopped alone, stopped with its edge, and continued (real SIGSTOP, SIGCONT)."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from .guarded import SILENCE_S, child, discharging, gives_back, guarded, on_its_own
from .patience import until
from .real import RealHome, battery_w
from .registers import registers
from .scenes import Backstage, Scenes

scenes = Scenes()
stage = scenes.stage()


@asynccontextmanager
async def stopped(pid: int) -> AsyncIterator[None]:
    """SIGSTOP; SIGCONT at the end."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def guard(home: RealHome) -> int:
    assert home.edge.process is not None
    return home.edge.process.pid


def says_unguarded(home: RealHome) -> bool:
    """What the newest status says."""
    status = home.dispatcher.latest["status"]
    return status["condition"] == "degraded" and "guard" in status["why"]


async def still_the_same(home: RealHome, edge: int) -> None:
    """The edge was not killed, and takes commands as ever."""
    await until(lambda: not says_unguarded(home), "the guard answers")
    await discharging(home)
    assert child(home) == edge
    assert "killed for its silence" not in home.edge.log


@scenes
async def a_stopped_guard(backstage: Backstage) -> None:
    """what has no timer is given back and not taken again, until the guard is continued; it kills nobody then"""
    async with guarded(backstage, "untimed") as home:
        before, edge = registers(home.twin), child(home)
        command = await discharging(home)
        async with stopped(guard(home)):
            await until(lambda: says_unguarded(home), "its silence is noticed")
            await home.dispatcher.outcome(command, end="interrupted", reason="guard_lost")
            await gives_back(home, before)
            await on_its_own(home)
            again = await home.dispatcher.send("set_power", power_w=3000.0)
            await home.dispatcher.outcome(again, end="refused", reason="guard_lost")
            stop = await home.dispatcher.send("stop")
            await home.dispatcher.outcome(stop, stage="verified")
        await home.dispatcher.outcome(await home.dispatcher.send("release"), end="completed")
        await still_the_same(home, edge)


@scenes.slow
async def a_stopped_guard_and_a_device_with_a_timer(backstage: Backstage) -> None:
    """it goes on being followed"""
    async with guarded(backstage, "timed", "sungrow", speed=1.0) as home:
        edge = child(home)
        command = await discharging(home, ttl_s=600.0)
        async with stopped(guard(home)):
            await until(lambda: says_unguarded(home), "its silence is noticed")
            other = await home.dispatcher.send("set_power", power_w=2000.0)
            await home.dispatcher.outcome(other, stage="verified")
            await until(lambda: abs(battery_w(home.twin) - 2000.0) < 150.0, "the battery follows")
        assert home.dispatcher.ends(command) == ["superseded"]
        await still_the_same(home, edge)


@scenes.slow
async def guard_and_edge_stopped_together(backstage: Backstage) -> None:
    """a paused container: neither takes the pause for the other's silence, and the set-point goes on"""
    async with guarded(backstage, "paused") as home:
        command, edge = await discharging(home, ttl_s=300.0), child(home)
        async with stopped(guard(home)), stopped(edge):
            await asyncio.sleep(3 * SILENCE_S)
        await discharging(home, power_w=2900.0)
        assert home.dispatcher.ends(command) == ["superseded"]
        await still_the_same(home, edge)


test_scene = scenes.test()
