"""`python -m tests.e2e.guard_table`: how long an inverter stays without anybody, by route and by what has happened.

Real processes, a real broker, twins over TCP: what is shown is shown by twins. All routes are tried side by side;
it takes about four minutes. The output is the table of docs/guard.md.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from samspel_sim.behaviour import TwinOptions
from samspel_sim.testing import served_twin

from benchmarks.broker import open_broker

from .disks import fill, small_disk
from .edge_process import is_gone
from .patience import in_seconds, now, until
from .real import RealHome, battery_w, real_home

POWER_W, LOAD_W, NEAR_W = -2000.0, 500.0, 150.0
TTL_S, SHORT_TTL_S = 300.0, 40.0
WATCHED_S = 1800.0
"""How long, in the twin's time, a dark box is watched before it counts as for ever."""


@dataclass(frozen=True)
class Route:
    """A driver and one of its ways of control."""

    driver: str
    control: str = ""
    timer: str = "none"
    dark_speed: float = 30.0
    """How much faster than life the twin runs while its box is dark: feeding must keep up with its timer before."""


ROUTES = (
    Route("huawei"),
    Route("sungrow", timer="27 s", dark_speed=1.0),
    Route("sungrow", "compulsory"),
    Route("saj", timer="10 min slot"),
    Route("saj", "passive"),
)


def name_of(route: Route) -> str:
    """As the table calls it."""
    return f"{route.driver}, {route.control or 'its own way'}"


@asynccontextmanager
async def under_command(
    route: Route, folder: Path, port: int, *, speed: float = 1.0, ttl_s: float = TTL_S, disk: Path | None = None
) -> AsyncIterator[RealHome]:
    """A home at night whose battery charges as it was told."""
    settings = {"expires": 0.0} if route.driver == "huawei" else {}
    options = TwinOptions(soc_pct=50.0, seed=7, settings=settings)
    environment = {"SAMSPEL__DEVICES__BATTERY__CONTROL": route.control} if route.control else {}
    if disk is not None:
        environment["SAMSPEL__SITE__DIRECTORY"] = str(disk)
    async with served_twin(route.driver, options, speed=speed) as twin:
        twin.twin.set({"pv_power_w": 0.0, "load_power_w": LOAD_W})
        async with real_home(
            folder,
            port,
            {"battery": twin},
            site=folder.name,
            driver=route.driver,
            more_environment=environment,
        ) as home:
            await until(lambda: _is_near(home, LOAD_W), "the battery follows the house")
            await _charge(home, ttl_s)
            yield home


async def _charge(home: RealHome, ttl_s: float) -> None:
    routes = home.dispatcher.latest["birth"]["devices"][0]["capabilities"]["routes"]
    accept = next(one["authority"] for one in routes if one["direction"] == "charge")
    fields = {"power_w": POWER_W, "ttl_s": ttl_s, "on_expiry": "release", "accept": accept}
    command = await home.dispatcher.send("set_power", **fields)
    await home.dispatcher.outcome(command, stage="written")
    await until(lambda: _is_near(home, POWER_W), "the battery follows")


def _is_near(home: RealHome, power_w: float) -> bool:
    return abs(battery_w(home.twin) - power_w) < NEAR_W


# --- what happens ---------------------------------------------------------------------------------------------------


def _pid_of_edge(home: RealHome) -> int:
    child = home.edge.child
    if child is None:
        raise RuntimeError(f"no edge runs:\n{home.edge.log[-2000:]}")
    return child


async def killed(route: Route, folder: Path, port: int) -> str:
    """The edge is killed with -9, time left: until its command is adopted."""
    return await _adopted(route, folder, port, signal.SIGKILL)


async def stopped(route: Route, folder: Path, port: int) -> str:
    """SIGSTOP of the edge, time left."""
    return await _adopted(route, folder, port, signal.SIGSTOP)


async def _adopted(route: Route, folder: Path, port: int, number: int) -> str:
    """The rescuer's word for it comes with the next edge, and has the rescuer's time."""
    async with under_command(route, folder, port) as home:
        os.kill(_pid_of_edge(home), number)
        began, left = now(), False
        while not (said := [one for one in home.dispatcher.messages if one.get("reason") == "adopted"]):
            left = left or not _is_near(home, POWER_W)
            await asyncio.sleep(0.05)
        took_s = min(in_seconds(one["at"]) for one in said) - began
        return f"adopted, {took_s:.0f} s" + (" (it had ended by itself)" if left else "")


async def stopped_too_late(route: Route, folder: Path, port: int) -> str:
    """SIGSTOP of the edge five seconds before the deadline: until the battery is on its own again."""
    async with under_command(route, folder, port, ttl_s=SHORT_TTL_S) as home:
        lease = home.edge.documents()["battery/control"]["lease"]
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(lease["deadline"]["monotonic"] - loop.time() - 5.0, 0.0))
        os.kill(_pid_of_edge(home), signal.SIGSTOP)
        return f"released, {await _on_its_own(home):.0f} s"


async def killed_on_a_full_disk(route: Route, folder: Path, port: int) -> str:
    """The edge is killed with -9 when nothing can be journaled: until the battery is on its own again."""
    try:
        with small_disk(folder.with_name(f"{folder.name}-disk")) as disk:
            async with under_command(route, folder, port, disk=disk) as home:
                fill(disk)
                os.kill(_pid_of_edge(home), signal.SIGKILL)
                return f"released, {await _on_its_own(home):.0f} s"
    except PermissionError:
        return "not tried"


async def orphaned(route: Route, folder: Path, port: int) -> str:
    """The guard is killed with -9: until the battery is on its own, or its timer is left to it."""
    async with under_command(route, folder, port) as home:
        edge = home.edge.child
        assert home.edge.process is not None
        os.kill(home.edge.process.pid, signal.SIGKILL)
        untimed = route.timer == "none"
        took = f"released, {await _on_its_own(home):.0f} s" if untimed else "left to its timer"
        await until(lambda: is_gone(edge), "the edge ends")
        return took


async def guard_stopped(route: Route, folder: Path, port: int) -> str:
    """SIGSTOP of the guard: until the battery is on its own, or the edge has said so and goes on."""
    async with under_command(route, folder, port) as home:
        assert home.edge.process is not None
        os.kill(home.edge.process.pid, signal.SIGSTOP)
        if route.timer == "none":
            return f"released, {await _on_its_own(home):.0f} s"
        await until(lambda: "guard" in home.dispatcher.latest["status"]["why"], "the edge says so")
        return "goes on" if _is_near(home, POWER_W) else "ended"


async def dark(route: Route, folder: Path, port: int) -> str:
    """Everything is killed at once."""
    async with under_command(route, folder, port, speed=route.dark_speed, ttl_s=3600.0) as home:
        await home.edge.kill()
        began_s = home.twin.time_s
        while home.twin.time_s - began_s < WATCHED_S:
            if not _is_near(home, POWER_W):
                return f"by itself, {home.twin.time_s - began_s:.0f} s"
            await asyncio.sleep(0.05)
        return "never"


async def _on_its_own(home: RealHome) -> float:
    began_s = home.twin.time_s
    await until(lambda: _is_near(home, LOAD_W), "the battery is on its own")
    return home.twin.time_s - began_s


# --- the table ------------------------------------------------------------------------------------------------------

Happening = Callable[[Route, Path, int], Awaitable[str]]

HAPPENINGS: dict[str, Happening] = {
    "edge killed (kill -9)": killed,
    "edge hangs (SIGSTOP), time left": stopped,
    "edge hangs 5 s before the deadline": stopped_too_late,
    "edge killed, disk full": killed_on_a_full_disk,
    "guard killed": orphaned,
    "guard hangs (SIGSTOP)": guard_stopped,
    "whole box dark": dark,
}


async def measure(folder: Path, port: int) -> dict[Route, dict[str, str]]:
    """One happening after the other, all routes at once."""
    table: dict[Route, dict[str, str]] = {route: {} for route in ROUTES}
    for number, (title, happening) in enumerate(HAPPENINGS.items()):
        print(f"trying: {title}", file=sys.stderr, flush=True)
        folders = [folder / f"{number}-{route.driver}-{route.control or 'own'}" for route in ROUTES]
        came = await asyncio.gather(
            *(happening(route, place, port) for route, place in zip(ROUTES, folders, strict=True))
        )
        for route, said in zip(ROUTES, came, strict=True):
            table[route][title] = said
    return table


def markdown(table: dict[Route, dict[str, str]]) -> str:
    """As docs/guard.md shows it."""
    lines = [f"| route | device's timer | {' | '.join(HAPPENINGS)} | evidence |", "|---" * (len(HAPPENINGS) + 3) + "|"]
    for route, said in table.items():
        lines.append(
            f"| {name_of(route)} | {route.timer} | {' | '.join(said[title] for title in HAPPENINGS)} | `twin` |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    with TemporaryDirectory() as folder, open_broker(Path(folder)) as broker:
        print(markdown(asyncio.run(measure(Path(folder), broker.port))))


if __name__ == "__main__":
    main()
