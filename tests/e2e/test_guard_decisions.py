"""The decision table without a broker: an edge dies, a rescuer acts, and another edge finds what it did.

In simulated time, on the real control, driver and bus code; the rescuer is an edge whose transport is nobody.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from samspel.guard.orphan import GIVE_BACK_S, give_back_untimed
from samspel.guard.rescue import RESCUE_S, Nobody, look_after
from samspel.store.memory import MemoryStore

from .registers import HELD_ZERO
from .simulated import QUIET, SITE, Home, simulated_home

pytestmark = pytest.mark.looptime(noop_cycles=1)

TTL_S = 60.0
DISCHARGE = {"kind": "set_power", "power_w": 3000.0, "ttl_s": TTL_S, "on_expiry": "release"}
FOLLOWED = {"forcible_discharge_power": 3000, "forcible_command": 2}
PLACES = [4, 12, None]
"""Before which request of the command the edge dies; nothing: when it is followed."""


@asynccontextmanager
async def dead_edge(place: int | None = None, **command: Any) -> AsyncIterator[tuple[Home, str, MemoryStore]]:
    """A home whose edge has died under a command."""
    async with simulated_home(rates=QUIET) as home:
        await home.settled()
        home.before = home.registers()
        wire = home.life.wire
        wire.die_before = place
        command_id = await home.send(**command)
        await home.until(lambda: wire.dead.is_set() or home.found(command_id, stage="verified") is not None)
        yield home, command_id, await home.life.kill()


async def rescued(home: Home, left: MemoryStore, stay_s: float = 0.0) -> tuple[bool, MemoryStore]:
    """What a rescuer says it still holds, and what its disk holds afterwards."""
    life = await home.begin(left)
    life.edge._transport = Nobody()
    home.broker.cut(SITE)
    holds = await look_after(life.edge, stay_s)
    return holds, await life.terminate()


async def followed_up(home: Home, left: MemoryStore, command: str, *ends: str) -> None:
    """The next edge tells what the rescuer had to say: one end."""
    await home.begin(left)
    await home.until(lambda: home.ends(command) == list(ends), 60, f"{home.ends(command)}\n{home.story()}")


@pytest.mark.parametrize("place", PLACES)
async def test_with_time_left_it_is_adopted_for_the_rest(place):
    async with dead_edge(place, **DISCHARGE) as (home, command, dead):
        holds, left = await rescued(home, dead)
        assert holds
        assert home.registers().items() >= FOLLOWED.items()
        await home.wait(TTL_S / 2)
        await home.begin(left)
        await home.outcome(command, end="completed")
        await home.until(lambda: home.registers() == home.before, 30)
        assert home.ends(command) == ["completed"]


@pytest.mark.parametrize("place", PLACES)
async def test_too_late_it_is_given_back_and_verified(place):
    async with dead_edge(place, **DISCHARGE) as (home, command, dead):
        await home.wait(TTL_S + 1.0)
        holds, left = await rescued(home, dead)
        assert not holds
        assert home.registers() == home.before
        writes = len(home.twin.writes)
        await home.begin(left)
        await home.until(lambda: len(home.ends(command)) == 1, 60, home.story())
        assert len(home.twin.writes) == writes, "what is given back is given back once"


@pytest.mark.parametrize("place", PLACES)
async def test_a_deadline_on_a_clock_that_nobody_vouches_for_is_given_back(place):
    async with dead_edge(place, **DISCHARGE) as (home, command, dead):
        home.clock.boot, home.clock.is_synchronised = "boot-2", False
        holds, left = await rescued(home, dead)
        assert not holds
        assert home.registers() == home.before
        await followed_up(home, left, command, "interrupted")


@pytest.mark.parametrize("place", [3, None])
async def test_a_stop_is_asserted_again_and_stays_latched(place):
    async with dead_edge(place, kind="stop") as (home, command, dead):
        holds, left = await rescued(home, dead)
        assert holds
        assert home.registers().items() >= HELD_ZERO.items()
        life = await home.begin(left)
        await home.until(lambda: life.phase == "stopped", 30)
        await home.outcome(await home.send("release"), end="completed")
        assert home.ends(command) == ["completed"]


async def test_what_is_foreign_is_left_alone():
    async with dead_edge(**DISCHARGE) as (home, command, dead):
        home.twin.set({"registers": {"forced_period": 60, "forcible_charge_power": 777, "forcible_command": 1}})
        found = home.registers()
        writes = len(home.twin.writes)
        holds, left = await rescued(home, dead)
        assert (holds, home.registers(), len(home.twin.writes)) == (False, found, writes)
        await followed_up(home, left, command, "interrupted")


async def test_another_device_at_the_address_is_left_alone():
    async with dead_edge(**DISCHARGE) as (home, _, dead):
        home.twin.misbehave("other_serial", True, serial="SIM999999999")
        home.twin.refresh()
        writes = len(home.twin.writes)
        began = home.clock.monotonic()
        holds, _ = await rescued(home, dead)
        assert (holds, len(home.twin.writes)) == (True, writes)
        assert home.clock.monotonic() - began >= RESCUE_S


async def test_a_device_that_does_not_answer_is_left_to_the_next_edge():
    async with dead_edge(**DISCHARGE) as (home, command, dead):
        home.twin.misbehave("reset", True)
        await home.wait(TTL_S)
        holds, left = await rescued(home, dead)
        assert holds
        home.twin.misbehave("reset", False)
        await followed_up(home, left, command, "completed")
        await home.until(lambda: home.registers() == home.before, 60)


async def test_through_a_pause_it_holds_and_gives_back_at_the_deadline():
    """no edge can be started: the rescuer stays, and the deadline is kept all the same"""
    async with dead_edge(**DISCHARGE) as (home, command, dead):
        began = home.clock.monotonic()
        holds, left = await rescued(home, dead, stay_s=3600.0)
        assert not holds
        assert home.registers() == home.before
        assert home.clock.monotonic() - began < TTL_S + 30.0
        await followed_up(home, left, command, "completed")


async def test_where_nothing_is_held_it_ends_at_once():
    async with simulated_home(rates=QUIET) as home:
        await home.settled()
        dead = await home.life.kill()
        began, writes = home.clock.monotonic(), len(home.twin.writes)
        holds, _ = await rescued(home, dead, stay_s=30.0)
        assert (holds, len(home.twin.writes)) == (False, writes)
        assert home.clock.monotonic() - began < RESCUE_S


# --- a disk that takes nothing --------------------------------------------------------------------------------------


@asynccontextmanager
async def full_disk() -> AsyncIterator[tuple[Home, str]]:
    """A home that is followed when its disk begins to refuse."""
    async with simulated_home(rates=QUIET) as home:
        await home.settled()
        home.before = home.registers()
        command = await home.send(**DISCHARGE)
        await home.outcome(command, stage="verified")
        home.life.device.disk_refuses = lambda: True
        yield home, command


async def test_a_power_that_no_successor_would_know_is_not_written():
    """it ends as failed, and control goes back: a crash then leaves nothing that looks like a stranger's"""
    async with full_disk() as (home, _):
        writes = len(home.twin.writes)
        other = await home.send(**{**DISCHARGE, "power_w": 2000.0})
        await home.outcome(other, end="failed", reason="store")
        await home.until(lambda: home.registers() == home.before, 30)
        assert 2000 not in [value for one in list(home.twin.writes)[writes:] for value in one["values"]]


async def test_the_power_that_stands_goes_on():
    async with full_disk() as (home, command):
        again = await home.send(**{**DISCHARGE, "ttl_s": 300.0})
        await home.wait(120.0)
        assert home.registers().items() >= FOLLOWED.items()
        assert (home.ends(command), home.ends(again)) == (["superseded"], [])


@pytest.mark.parametrize("kind", ["stop", "release"])
async def test_stop_and_release_are_carried_out(kind):
    async with full_disk() as (home, _):
        await home.outcome(await home.send(kind), stage="verified")


# --- a dead guard ---------------------------------------------------------------------------------------------------


async def test_without_its_guard_a_route_without_a_timer_is_given_back():
    async with simulated_home(rates=QUIET) as home:
        await home.settled()
        home.before = home.registers()
        command = await home.send(**DISCHARGE)
        await home.outcome(command, stage="verified")
        await give_back_untimed(home.life.edge.devices)
        assert home.registers() == home.before
        await home.outcome(command, end="interrupted", reason="guard_lost")


async def test_a_stop_goes_on_holding_zero_without_a_guard():
    async with simulated_home(rates=QUIET) as home:
        await home.settled()
        stop = await home.send("stop")
        await home.outcome(stop, stage="verified")
        writes = len(home.twin.writes)
        await give_back_untimed(home.life.edge.devices)
        assert len(home.twin.writes) == writes
        assert home.ends(stop) == []


async def test_a_device_that_does_not_answer_keeps_nobody_for_ever():
    async with simulated_home(rates=QUIET) as home:
        await home.settled()
        home.before = home.registers()
        command = await home.send(**DISCHARGE)
        await home.outcome(command, stage="verified")
        home.twin.misbehave("reset", True)
        began = home.clock.monotonic()
        await give_back_untimed(home.life.edge.devices)
        assert home.clock.monotonic() - began < GIVE_BACK_S + 1.0
        left = await home.life.terminate()
        home.twin.misbehave("reset", False)
        await home.begin(left)
        await home.until(lambda: home.registers() == home.before, 60, "the order was kept")
        assert home.ends(command) == ["interrupted"]


# --- a guard that does not answer -----------------------------------------------------------------------------------


async def test_while_the_guard_is_silent_nothing_stands_without_a_timer():
    async with simulated_home(rates=QUIET) as home:
        await home.settled()
        home.before = home.registers()
        command = await home.send(**DISCHARGE)
        await home.outcome(command, stage="verified")
        home.life.edge.unguarded("nobody watches")
        await home.outcome(command, end="interrupted", reason="guard_lost")
        await home.until(lambda: home.registers() == home.before, 30)
        assert "guard" in home.life.edge._status(None).why
        await home.outcome(await home.send(**DISCHARGE), end="refused", reason="guard_lost")
        assert "discharge_guard_lost" in home.life.edge.devices["battery"].headroom().why
        home.life.edge.unguarded("")
        assert "guard" not in home.life.edge._status(None).why
        await home.outcome(await home.send(**DISCHARGE), stage="verified")
