"""Told to go through the guard, while the edge is in the middle of something: the journal is left as the next needs it.

The device answers late, so that the signal comes between two writes. Whoever tells it twice, or tells both processes,
changes nothing.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress

from .edge_process import is_gone
from .guarded import FOLLOWED, child, guarded
from .patience import PATIENCE_S, until
from .real import RealHome
from .registers import registers
from .scenes import Backstage, Scenes

scenes = Scenes()
stage = scenes.stage()

LATE_S = 0.7


async def hands_over(backstage: Backstage, name: str, tell: Callable[[int, RealHome], Awaitable[None]]) -> None:
    """Told in the middle of a sequence; exit code 0: nobody had to be killed. The successor finishes it."""
    async with guarded(backstage, name) as home:
        home.twin.misbehave("slow", True, seconds=LATE_S)
        command = await home.dispatcher.send("set_power", power_w=3000.0, ttl_s=300.0)
        await until(lambda: len(home.twin.writes) >= 1, "its first write")
        assert home.edge.process is not None
        edge = child(home)
        await tell(home.edge.process.pid, home)
        assert await asyncio.wait_for(home.edge.process.wait(), PATIENCE_S) == 0, home.edge.log[-3000:]
        assert is_gone(edge)
        assert '"handed over"' in home.edge.log
        assert "Traceback" not in home.edge.log
        assert home.edge.documents()["battery/control"]["lease"]["command_id"] == command
        home.twin.misbehave("slow", False)
        await home.edge.start()
        await until(lambda: registers(home.twin).items() >= FOLLOWED.items(), "the successor finishes what was begun")
        await home.dispatcher.outcome(command, stage="verified")
        await home.dispatcher.outcome(await home.dispatcher.send("release"), end="completed")
        assert home.dispatcher.ends(command) == ["completed"]


async def again_and_again(home: RealHome, tell: Callable[[], None]) -> None:
    """Until it has ended."""
    assert home.edge.process is not None
    while home.edge.process.returncode is None:
        with suppress(ProcessLookupError):
            tell()
        await asyncio.sleep(0.02)


@scenes
async def by_sigterm(backstage: Backstage) -> None:
    async def tell(guard: int, _: RealHome) -> None:
        os.kill(guard, signal.SIGTERM)

    await hands_over(backstage, "sigterm", tell)


@scenes.slow
async def by_sigint(backstage: Backstage) -> None:
    async def tell(guard: int, _: RealHome) -> None:
        os.kill(guard, signal.SIGINT)

    await hands_over(backstage, "sigint", tell)


@scenes.slow
async def by_an_impatient_one(backstage: Backstage) -> None:
    """SIGTERM to the guard, fifty times a second"""

    async def tell(guard: int, home: RealHome) -> None:
        await again_and_again(home, lambda: os.kill(guard, signal.SIGTERM))

    await hands_over(backstage, "impatient", tell)


@scenes
async def by_a_service_manager(backstage: Backstage) -> None:
    """SIGTERM to every process of the group, as `systemctl stop` does, and again and again"""

    async def tell(guard: int, home: RealHome) -> None:
        await again_and_again(home, lambda: os.killpg(guard, signal.SIGTERM))

    await hands_over(backstage, "group", tell)


@scenes.slow
async def by_a_terminal(backstage: Backstage) -> None:
    """Ctrl-C goes to every process of the group"""

    async def tell(guard: int, home: RealHome) -> None:
        await again_and_again(home, lambda: os.killpg(guard, signal.SIGINT))

    await hands_over(backstage, "terminal", tell)


test_scene = scenes.test()
