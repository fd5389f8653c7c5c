"""One device's delivery, fed like its readings: what is said of which command, and what is learned from it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from samspel.contract.capability import Capabilities, Direction, Ramp
from samspel.contract.outcome import Deviation
from samspel.contract.telemetry import Quality, Reading
from samspel.control.events import Say
from samspel.control.state import Phase, State
from samspel.delivering import Delivering

from ..routes import route  # noqa: TID252 - the tests of every station share it

AT = datetime(2026, 1, 1, tzinfo=UTC)
CYCLE_S = 2.0
DECLARED_S = 10.0
UP = Direction.DISCHARGE


async def ours(_state):
    return True


class Home:
    """A battery that is read every other second. `look` is the look at the control block."""

    def __init__(self, look=ours, learned=None, **route_says):
        self.now, self.battery_w, self.said, self.kept = 0.0, 1000.0, [], None
        routes = tuple(route(way, **({"latency_s": DECLARED_S} | route_says)) for way in Direction)
        self.state = State(phase=Phase.CONTROLLING, capabilities=Capabilities(routes=routes))
        clock = SimpleNamespace(monotonic=lambda: self.now)
        self.delivering = Delivering(clock, self.hear, look, self.keep, learned)

    def hear(self, say):
        self.said.append(say)

    def keep(self, document):
        self.kept = document

    @property
    def readings(self):
        return {"battery_power_w": Reading(self.battery_w, "W", AT, self.now, Quality.GOOD)}

    def tell(self, command_id, power_w):
        self.delivering.wrote()
        self.delivering.begin(command_id, self.readings)
        self.state = replace(self.state, written_w=power_w)

    async def see(self, battery_w, seconds=CYCLE_S):
        """The same power for so long."""
        for _ in range(round(seconds / CYCLE_S)):
            self.now, self.battery_w = self.now + CYCLE_S, battery_w
            await self.delivering.observe(self.readings, self.state, waiting=None)

    async def ramp(self, target_w, watts_a_second, seconds):
        for _ in range(round(seconds / CYCLE_S)):
            most_w = watts_a_second * CYCLE_S
            await self.see(self.battery_w + max(-most_w, min(most_w, target_w - self.battery_w)))

    async def answer(self, command_id, power_w, after_s=6.0):
        """An ordinary step: nothing at first, then all of it."""
        self.tell(command_id, power_w)
        await self.see(self.battery_w, after_s - CYCLE_S)
        await self.see(power_w, 20.0)

    async def release(self, seconds):
        self.delivering.told(Say(command_id=self.delivering.command_id, end="expired"), self.readings)
        self.state = replace(self.state, written_w=None)
        await self.see(self.battery_w, seconds)

    @property
    def deviations(self):
        return [(say.command_id, str(say.deviation), say.reason) for say in self.said if say.deviation]

    @property
    def learned_s(self):
        return self.delivering.latencies.learned().get("discharge")


# --- a battery on a ramp --------------------------------------------------------------------------------------------


async def small_steps(home, count=10):
    for step in range(count):
        target_w = 1000.0 + 600.0 * ((step + 1) % 2)
        home.tell(f"small{step}", target_w)
        await home.ramp(target_w, 300.0, 30.0)


async def test_what_small_steps_taught_says_nothing_of_a_large_one_on_a_ramp():
    home = Home(latency_s=20.0)
    await small_steps(home)
    assert home.learned_s == 3.0
    home.tell("large", 5000.0)
    await home.ramp(5000.0, 300.0, 60.0)
    assert home.deviations == []


async def test_a_large_step_that_is_ignored_is_said_when_the_declared_latency_has_passed():
    home = Home(latency_s=20.0)
    await small_steps(home)
    home.tell("large", 5000.0)
    await home.see(home.battery_w, 18.0)
    assert home.deviations == []
    await home.see(home.battery_w, 4.0)
    assert home.deviations == [("large", "unresponsive", "unchanged")]


async def test_where_the_route_states_a_step_what_was_learned_counts_for_every_size():
    home = Home(latency_s=20.0, ramp=Ramp.STEP)
    await small_steps(home)
    home.tell("large", 5000.0)
    await home.see(home.battery_w, 4.0)
    assert home.deviations == [("large", "unresponsive", "unchanged")]


async def test_a_target_that_moves_a_little_does_not_shorten_the_way_that_is_left():
    home = Home(latency_s=20.0)
    await small_steps(home)
    home.tell("large", 5000.0)
    await home.ramp(5000.0, 300.0, 10.0)
    home.tell("a little less", 4600.0)
    await home.ramp(4600.0, 300.0, 40.0)
    assert home.deviations == []


async def test_a_battery_that_was_far_off_has_the_time_of_a_large_step_to_come_back():
    home = Home(latency_s=20.0)
    await small_steps(home, 11)
    home.tell("more", 2100.0)
    await home.ramp(2100.0, 300.0, 30.0)
    await home.see(-2000.0)
    await home.ramp(2100.0, 300.0, 40.0)
    assert home.deviations == []


# --- what teaches nothing -------------------------------------------------------------------------------------------


async def taught(trouble):
    """Twelve ordinary steps, two of them with a trouble."""
    home = Home()
    for step in range(12):
        target_w = 1000.0 + 2000.0 * ((step + 1) % 2)
        if step in (4, 8):
            await trouble(home, f"c{step}", target_w)
        await home.answer(f"c{step}", target_w)
    return home


async def lost(home, command_id, target_w):
    home.tell(command_id, target_w)
    home.delivering.told(Say(command_id=command_id, deviation=Deviation.LOST_LINK), home.readings)
    home.now += 24.0
    await home.see(target_w, 10.0)


async def silence(home, command_id, target_w):
    home.tell(command_id, target_w)
    home.now += 1200.0
    await home.see(target_w, 10.0)


async def clamped(home, command_id, target_w):
    home.tell(command_id, target_w)
    await home.see(2000.0, 24.0)
    await home.see(target_w, 10.0)


async def written_again(home, command_id, target_w):
    home.tell(command_id, target_w)
    await home.see(home.battery_w, 8.0)
    home.tell(command_id, target_w)
    await home.see(home.battery_w, 8.0)
    await home.see(target_w, 10.0)


async def given_back(home, command_id, target_w):
    home.tell(command_id, target_w)
    await home.see(home.battery_w, 4.0)
    await home.release(30.0)
    home.tell(command_id, target_w)
    await home.see(target_w, 10.0)


async def test_what_a_reversal_takes_with_its_rest_is_no_latency():
    home = Home(reversal_dwell_s=3.0)
    for step in range(16):
        reverses = step % 2 == 1
        home.battery_w = -1000.0 if reverses else 0.0
        await home.release(4.0)
        home.tell(f"c{step}", 2000.0)
        await home.see(0.0, 6.0 if reverses else 4.0)
        await home.see(2000.0, 20.0)
    assert home.learned_s == 7.5
    assert home.deviations == []


@pytest.mark.parametrize("trouble", [lost, silence, clamped, written_again, given_back])
async def test_trouble_teaches_nothing(trouble):
    home = await taught(trouble)
    assert home.learned_s == 7.5


async def test_a_battery_that_is_only_slower_than_declared_is_learned_and_then_no_alarm():
    home = Home()
    for step in range(10):
        target_w = 1000.0 + 2000.0 * ((step + 1) % 2)
        home.tell(f"c{step}", target_w)
        await home.ramp(target_w, 80.0, 60.0)
    assert home.deviations[0] == ("c0", "unresponsive", "slow")
    assert home.learned_s == pytest.approx(1.25 * 24.0)
    assert home.deviations[-1][0] != "c9"


async def test_an_answer_is_kept_with_the_way_that_it_took():
    home = Home()
    await home.answer("c", 3000.0)
    assert home.kept == {"discharge": [[6.0, 2000.0]]}


# --- a coarse route -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target_w", "battery_w", "words"),
    [
        (500.0, 0.0, ["unresponsive"]),
        (500.0, 300.0, []),
        (500.0, 150.0, ["clamped"]),
        (0.0, 550.0, ["unresponsive"]),
        (0.0, -300.0, []),
        (250.0, -200.0, []),
    ],
)
async def test_a_dead_zone_excuses_only_what_was_told_to_be_in_it(target_w, battery_w, words):
    home = Home(granularity_w=300.0, dead_zone_w=300.0)
    home.battery_w = 550.0 if target_w == 0 else 0.0
    await home.see(home.battery_w, 4.0)
    home.tell("c", target_w)
    await home.see(battery_w, 30.0)
    assert [deviation for _, deviation, _ in home.deviations] == words


# --- whose deviation it is ------------------------------------------------------------------------------------------


async def test_what_is_seen_of_a_command_is_not_said_of_the_one_that_came_during_the_look():
    looking, done = asyncio.Event(), asyncio.Event()

    async def long_look(_state):
        looking.set()
        await done.wait()
        return True

    home = Home(long_look)
    home.battery_w = 0.0
    home.tell("old", 3000.0)
    seeing = asyncio.create_task(home.see(0.0, DECLARED_S))
    await looking.wait()
    home.tell("new", 0.0)
    done.set()
    await seeing
    assert home.deviations == []
