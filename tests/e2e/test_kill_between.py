"""kill -9 right after any change of what is kept: each command has its one end, and each fault is heard.

The journal and the outbox are two, and a process can die between them. Here it dies right after the change of a
document; the next one finds what the disk held at that very moment. Reports that still linger then are gone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from .simulated import SITE, Home, simulated_home

pytestmark = pytest.mark.looptime(noop_cycles=1)

GRID = "grid.lost"
GRID_LOST, GRID_BACK = {"alarms": [2032]}, {"alarms": []}


class Fatal(dict[str, str]):
    """The documents of a process that dies right after the first change that is fatal; `cause` then says which."""

    def __init__(self, home: Home, fatal: Callable[[str, Mapping[str, Any]], bool]) -> None:
        super().__init__(home.life.store.journal._documents)
        self.home, self.life, self.fatal = home, home.life, fatal
        self.cause: list[str] = []

    def __setitem__(self, name: str, text: str) -> None:
        super().__setitem__(name, text)
        if not self.cause and self.fatal(name, json.loads(text)):
            self.cause.append(name)
            self.life.wire.on_death()
            self.life.wire.dead.set()
            self.home.broker.cut(SITE)


def doomed(home: Home, fatal: Callable[[str, Mapping[str, Any]], bool]) -> list[str]:
    """The process that runs now; the list has the document that it died of."""
    documents = Fatal(home, fatal)
    home.life.store.journal._documents = documents
    return documents.cause


async def succeeded(home: Home, cause: list[str]) -> None:
    """It dies, and the next one begins."""
    await home.until(lambda: bool(cause), what="it dies")
    await home.begin(await home.life.kill())


def standing(document: Mapping[str, Any]) -> list[str]:
    return [row["code"] for row in document["standing"]]


async def test_a_fault_that_is_kept_as_standing_has_been_raised():
    async with simulated_home() as home:
        await home.settled()
        cause = doomed(home, lambda name, document: name == "battery/faults" and GRID in standing(document))
        home.twin.set(GRID_LOST)
        await succeeded(home, cause)
        await home.until(lambda: home.faults(GRID) == ["raised"], what="it is heard")
        home.twin.set(GRID_BACK)
        await home.until(lambda: home.faults(GRID) == ["raised", "cleared"], what="and its end")


async def test_a_fault_that_is_kept_as_over_has_been_cleared():
    async with simulated_home() as home:
        await home.settled()
        home.twin.set(GRID_LOST)
        await home.until(lambda: home.faults(GRID) == ["raised"], what="it is heard")
        cause = doomed(home, lambda name, document: name == "battery/faults" and GRID not in standing(document))
        home.twin.set(GRID_BACK)
        await succeeded(home, cause)
        await home.until(lambda: home.faults(GRID) == ["raised", "cleared"], what="its end is heard")


async def test_a_command_that_is_kept_as_over_has_its_end():
    async with simulated_home() as home:
        await home.settled()
        command = await home.send("set_power", power_w=3000.0, ttl_s=20.0, on_expiry="release")
        await home.outcome(command, stage="verified")
        cause = doomed(home, lambda name, document: name == "battery/control" and document["lease"] is None)
        await succeeded(home, cause)
        await home.until(lambda: bool(home.ends(command)), what="its end is heard")
        assert len(home.ends(command)) == 1


async def test_whatever_change_it_dies_after_each_command_has_one_end():
    async with simulated_home() as home:
        await home.settled()
        commands = []
        for survived in range(14):
            left = iter(range(survived))
            cause = doomed(home, lambda *_, left=left: next(left, None) is None)
            kind = ("set_power", "release", "set_power", "stop")[survived % 4]
            fields = {"power_w": 2000.0, "on_expiry": "release"} if kind == "set_power" else {}
            commands.append(await home.send(kind, ttl_s=15.0, **fields))
            await home.wait(4.0)
            await succeeded(home, cause or ["it has done everything before"])
            await home.until(lambda: not home.life.device.controller.state.unsettled, what="it knows its device")
        commands.append(await home.send("release"))
        await home.outcome(commands[-1], end="completed")
        await home.wait(60)
        untold = [home.story(one) for one in commands if len(home.ends(one)) != 1]
        assert not untold, untold
