"""A guard that lives and does not answer: how the edge learns of it, and what control makes of it."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass, field, replace

import pytest
from samspel.clock import SystemClock
from samspel.contract.capability import Capabilities, Deadman, Direction
from samspel.contract.outcome import End
from samspel.control.commands import refused_ways
from samspel.control.events import GiveBack, Take, Unguarded
from samspel.control.state import Phase
from samspel.guard import lifeline
from samspel.guard.lifeline import Lifeline
from samspel.guard.silence import COUNTED_S

from ..control.kit import Machine, release, set_power, stop  # noqa: TID252 - short ways to talk to the machine
from ..routes import route  # noqa: TID252 - the tests of every station share it

SILENT_S = 30.0
NOBODY = Unguarded("nobody watches")
SOMEBODY = Unguarded("")

# --- noticing it ----------------------------------------------------------------------------------------------------


class Hand(SystemClock):
    """A clock moved by hand."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


@dataclass
class Line:
    """An edge's end, the guard's end, and what the edge was told."""

    guard: socket.socket
    lifeline: Lifeline
    clock: Hand
    told: list[bool] = field(default_factory=list)

    def beat(self, times: int = 1, every_s: float = 1.0, *, answered: bool = False) -> None:
        for _ in range(times):
            self.clock.now += every_s
            self.lifeline.beat()
            if answered:
                self.guard.recv(99)
                self.guard.send(b".")


@pytest.fixture
async def line():
    guard, ours = socket.socketpair()
    clock = Hand()
    line = Line(guard, Lifeline(ours, clock, SILENT_S), clock)
    line.lifeline.on_change = lambda: line.told.append(line.lifeline.is_silent)
    yield line
    guard.close()
    await asyncio.wait_for(line.lifeline.lost(), 10)
    ours.close()


async def test_a_guard_that_answers_is_not_silent(line):
    line.beat(1000, answered=True)
    assert line.told == []


async def test_one_that_does_not_is_told_once(line):
    line.beat(int(SILENT_S) - 1)
    assert line.told == []
    line.beat(100)
    assert line.told == [True]
    assert not line.lifeline.is_lost


async def test_its_first_answer_ends_it_without_waiting_for_a_beat(line):
    line.beat(100)
    line.guard.send(b".")
    async with asyncio.timeout(10):
        while line.lifeline.is_silent:  # noqa: ASYNC110 - the event loop has to come round
            await asyncio.sleep(0)
    assert line.told == [True, False]


async def test_what_was_answered_while_we_ourselves_were_stopped_is_read_first(line):
    line.beat(int(SILENT_S) - 1)
    line.guard.send(b".")
    line.beat(every_s=3600.0)
    assert line.told == []


async def test_the_time_in_which_both_were_stopped_is_no_silence(line):
    line.beat(10)
    line.beat(every_s=3600.0)
    line.beat(int(SILENT_S - 10 - COUNTED_S) - 1)
    assert line.told == []
    line.beat(2)
    assert line.told == [True]


async def test_its_death_is_no_silence(line):
    line.guard.close()
    line.beat()
    assert line.lifeline.is_lost
    assert not line.lifeline.is_silent


def test_the_module_says_what_it_protects_from():
    for word in ("Unsafe condition", "Limit", "Reaction", "Recovery", "outranks"):
        assert word in (lifeline.__doc__ or "")


# --- acting on it ---------------------------------------------------------------------------------------------------

MIXED = Capabilities(
    routes=(
        route(Direction.CHARGE, deadman=Deadman.TIMEOUT, deadman_s=60.0, feed_s=20.0),
        route(Direction.DISCHARGE),
        route(Direction.ZERO),
    )
)
"""Only charging ends by itself."""


def machine(power_w: float | None = None) -> Machine:
    """Settled on such a device, and following this power."""
    machine = Machine().settled()
    machine.up(MIXED)
    machine.looked()
    if power_w is not None:
        machine.command(set_power(power_w=power_w))
        machine.took()
        machine.followed(power_w)
    return machine


@pytest.mark.parametrize("power_w", [3000.0, 0.0])
def test_what_stands_without_a_timer_is_given_back(power_w):
    controlling = machine(power_w)
    controlling.send(NOBODY)
    assert (controlling.end("sp"), controlling.why("sp")) == (End.INTERRUPTED, "guard_lost")
    assert controlling.asked_driver() == [GiveBack]
    controlling.gave_back()
    assert controlling.state.phase is Phase.RELEASED


def test_what_the_device_ends_by_itself_goes_on():
    controlling = machine(-3000.0)
    controlling.send(NOBODY)
    assert controlling.asked_driver() == []
    assert controlling.state.lease is not None


def test_a_set_point_that_waits_for_its_turn_ends_too():
    controlling = machine(-3000.0)
    controlling.command(set_power("other", 3000.0, seq=2))
    controlling.send(NOBODY)
    assert controlling.end("other") is End.INTERRUPTED
    assert controlling.asked_driver() == [GiveBack]


def test_a_stop_goes_on_holding_zero():
    stopped = machine(3000.0)
    stopped.command(stop(seq=2))
    stopped.halted()
    stopped.send(NOBODY)
    assert stopped.asked_driver() == []
    assert stopped.state.phase is Phase.STOPPED


def test_a_device_that_is_not_held_is_left_alone():
    settled = machine()
    settled.send(NOBODY)
    assert settled.asked_driver() == []


def test_nothing_new_is_taken_without_a_timer_until_it_answers_again():
    settled = machine()
    settled.send(NOBODY)
    settled.command(set_power("untimed", 3000.0))
    assert (settled.end("untimed"), settled.why("untimed")) == (End.REFUSED, "guard_lost")
    settled.send(SOMEBODY)
    settled.command(set_power("again", 3000.0, seq=2))
    assert settled.asked_driver() == [Take]


def test_headroom_is_told_which_way_is_shut_and_why():
    settled = machine()
    assert refused_ways(settled.state) == {}
    settled.send(NOBODY)
    assert refused_ways(settled.state) == {Direction.DISCHARGE: "guard_lost"}
    settled.send(SOMEBODY)
    assert refused_ways(settled.state) == {}


def test_a_way_without_a_route_is_shut_for_good():
    settled = Machine().settled()
    settled.up(replace(MIXED, routes=tuple(one for one in MIXED.routes if one.direction is not Direction.CHARGE)))
    settled.looked()
    assert refused_ways(settled.state) == {Direction.CHARGE: "route"}


def test_a_route_with_a_timer_is_taken_all_the_same():
    settled = machine()
    settled.send(NOBODY)
    settled.command(set_power("timed", -3000.0))
    assert settled.asked_driver() == [Take]


def test_stop_and_release_are_carried_out_all_the_same():
    controlling = machine(-3000.0)
    controlling.send(NOBODY)
    controlling.command(stop(seq=2))
    controlling.halted()
    controlling.command(release(seq=3))
    controlling.gave_back()
    assert controlling.end("release") is End.COMPLETED


def test_a_device_that_nobody_knows_yet_counts_as_one_without_a_timer():
    unknown = Machine()
    unknown.command(set_power("early", -3000.0))
    unknown.send(NOBODY)
    assert unknown.end("early") is End.INTERRUPTED
    unknown.command(set_power("later", -3000.0, seq=2))
    assert unknown.end("later") is End.REFUSED
