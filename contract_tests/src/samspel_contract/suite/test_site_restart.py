"""kill -9 at a whole site, and start again: every row of the decision table, whatever had been written by then."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from samspel.store.memory import MemoryStore

from samspel_contract.capabilities import Capability
from samspel_contract.case import DriverCase, needs, safety, simulated
from samspel_contract.edge import DEVICE, QUIET
from samspel_contract.site import Site
from samspel_contract.stranger import stranger_registers

POWER_W = 1500.0
STRANGER_W = 1230.0
TTL_S = 90.0
MOST_WRITES = 40
UNDONE = {"interrupted", "expired_unwritten", "completed"}
"""How a set-point may end whose process died and that was not resumed."""

LATE_S = 3.0

Trial = Coroutine[None, None, None]

BOTH = pytest.mark.parametrize("power_w", [-POWER_W, POWER_W], ids=["charge", "discharge"])


@dataclass(frozen=True, slots=True)
class Dead:
    """A site whose edge was killed: before which write, what its disk holds, and the command it died over."""

    site: Site
    place: int
    left: MemoryStore
    command: str
    received_at: float

    @property
    def where(self) -> str:
        """For a message."""
        return f"killed before write {self.place}"


@asynccontextmanager
async def _killed(driver_case: DriverCase, place: int, power_w: float | None) -> AsyncIterator[Dead | None]:
    """Dead before write `place` of the command (`None`: a stop), or right after its last; nothing beyond that."""
    async with driver_case.site(rates=QUIET) as site:
        life = await site.settled()
        life.wire.die_before = place
        begun = site.now
        if power_w is None:
            command = await site.send("stop")
        else:
            command = await site.send("set_power", power_w=power_w, ttl_s=TTL_S, on_expiry="release")
        await site.until(lambda: life.wire.dead.is_set() or site.found(command, stage="verified") is not None)
        over = not life.wire.dead.is_set() and life.wire.die_before > 0
        yield None if over else Dead(site, place, await life.kill(), command, begun)


async def _at_every_write(driver_case: DriverCase, power_w: float | None, check: Callable[[Dead], Trial]) -> None:
    """One site for each write; places that leave the same disk and the same device count once."""
    seen: set[str] = set()
    for place in range(MOST_WRITES):
        async with _killed(driver_case, place, power_w) as dead:
            if dead is None:
                assert len(seen) > 1, "the command writes nothing"
                return
            found = json.dumps([dead.site.owned(), *_kept(dead.left)])
            if found not in seen:
                seen.add(found)
                await check(dead)
    pytest.fail(f"the command has more than {MOST_WRITES} writes")


def _kept(left: MemoryStore) -> list[object]:
    """What the disk holds, but for the times in it."""
    control = left.journal.get(f"{DEVICE}/control") or {}
    return [control.get(name) for name in ("phase", "snapshot_held", "marks", "give_back")]


async def _assert_given_back(dead: Dead) -> None:
    """Everything is as before, the command has one end, and on the way back nothing was commanded anew."""
    site = dead.site
    await site.until(lambda: bool(site.ends(dead.command)), what=f"{dead.where}: an end")
    await site.given_back()
    ends = site.ends(dead.command)
    assert len(ends) == 1, f"{dead.where}: {ends}"
    assert set(ends) <= UNDONE, f"{dead.where}: {ends}"
    assert _triggered(site) == [], dead.where


def _triggered(site: Site) -> list[str]:
    """Writes of the present life that set a trigger to anything but what it held before."""
    triggers = [site.map.registers[name] for name in site.map.owned if site.map.registers[name].trigger]
    found = []
    for row in (row for row in triggers if row.readable):
        for write in site.life.wire.written:
            words = write.of(row.address, row.count)
            if words is not None and words != site.untouched[row.name]:
                found.append(f"{row.name} = {words} at {write.at_s:g} s")
    return found


@needs(Capability.CHARGE, Capability.DISCHARGE)
@safety
@BOTH
@simulated
async def test_restart_adopts_for_the_remaining_time(driver_case: DriverCase, power_w: float) -> None:
    """Killed before each single write of a set-point, and after the last, a new process with the deadline ahead follows
    for the remaining time, and then gives back.

    If this fails: the marks of `plan` have to name every value that the sequence may write.
    """

    async def check(dead: Dead) -> None:
        site = dead.site
        await site.begin(dead.left)
        await site.until(lambda: site.follows(power_w), site.settle_s(power_w), dead.where)
        await site.outcome(dead.command, end="completed")
        late_s = site.now - (dead.received_at + TTL_S)
        assert 0 <= late_s <= LATE_S, f"{dead.where}: ended {late_s:g} s after the deadline"
        await site.given_back()
        assert site.ends(dead.command) == ["completed"], dead.where

    await _at_every_write(driver_case, power_w, check)


@needs(Capability.CHARGE, Capability.DISCHARGE)
@safety
@BOTH
@simulated
async def test_restart_after_the_deadline_gives_back(driver_case: DriverCase, power_w: float) -> None:
    """Killed before each single write of a set-point and started again after its deadline, the edge releases and
    verifies, and commands nothing on the way.

    If this fails: a release has to work from every prefix of a sequence.
    """

    async def check(dead: Dead) -> None:
        await dead.site.wait(TTL_S + 30)
        await dead.site.begin(dead.left)
        await _assert_given_back(dead)

    await _at_every_write(driver_case, power_w, check)


@needs(Capability.CHARGE, Capability.DISCHARGE)
@safety
@BOTH
@simulated
async def test_restart_without_a_trusted_clock_gives_back(driver_case: DriverCase, power_w: float) -> None:
    """After a reboot with a clock that nobody vouches for the deadline means nothing: released and verified.

    If this fails: a release has to work from every prefix of a sequence.
    """

    async def check(dead: Dead) -> None:
        clock = dead.site.setting.clock
        clock.boot, clock.is_synchronised = "boot-2", False
        await dead.site.begin(dead.left)
        await _assert_given_back(dead)

    await _at_every_write(driver_case, power_w, check)


@needs(Capability.CHARGE, Capability.DISCHARGE)
@safety
@BOTH
@simulated
async def test_restart_leaves_a_stranger_alone(driver_case: DriverCase, power_w: float) -> None:
    """Where the control block then holds what we never wrote, the new process writes nothing and reports a foreign
    master; the set-point ends as interrupted.

    If this fails: a register that every command changes must be among the owned ones, and not `on_release = "leave"`.
    """
    registers = await stranger_registers(driver_case.target, -STRANGER_W if power_w > 0 else STRANGER_W)

    async def check(dead: Dead) -> None:
        site = dead.site
        site.twin.misbehave("second_master", period_s=5.0, registers=registers)
        await site.wait(6)
        life = await site.begin(dead.left)
        await site.outcome(dead.command, end="interrupted", reason="foreign", within_s=60)
        await site.wait(120)
        assert life.wire.written == [], dead.where
        assert life.phase == "foreign"
        assert site.faults("control.foreign_master") == ["raised"]

    await _at_every_write(driver_case, power_w, check)


@needs(Capability.HELD_ZERO)
@safety
@simulated
async def test_restart_asserts_a_latched_stop(driver_case: DriverCase) -> None:
    """Killed before each single write of a stop, and after the last, a new process brings the battery to zero within
    the declared bound; the stop stays latched until a release, which gives everything back.

    If this fails: the stop sequence must be valid from any partial state.
    """

    async def check(dead: Dead) -> None:
        site = dead.site
        await site.wait(5)
        life = await site.begin(dead.left)
        await site.until(lambda: bool(life.wire.written), 60, dead.where)
        await site.wait(driver_case.target.declaration.stop_s)
        assert site.at_rest, f"{dead.where}: {site.battery_w:.0f} W"
        refused = await site.send("set_power", power_w=-POWER_W)
        await site.outcome(refused, end="refused", reason="stopped")
        release = await site.send("release")
        await site.outcome(release, end="completed")
        await site.given_back()
        assert site.ends(dead.command) == ["completed"], dead.where

    await _at_every_write(driver_case, None, check)


async def _dead_or_done(site: Site, release: str) -> None:
    await site.until(lambda: site.life.wire.dead.is_set() or site.found(release, end="completed") is not None)


@needs(Capability.CHARGE)
@safety
@simulated
async def test_restart_finishes_a_release(driver_case: DriverCase) -> None:
    """Killed before each single write of a release, a new process goes on until everything is as before.

    If this fails: a release has to work from every prefix of itself.
    """
    for place in range(MOST_WRITES):
        async with driver_case.site(rates=QUIET) as site:
            life = await site.settled()
            held = await site.followed(-POWER_W)
            life.wire.die_before = place
            release = await site.send("release")
            await _dead_or_done(site, release)
            if not life.wire.dead.is_set():
                assert place > 0, "the release writes nothing"
                return
            await site.begin(await life.kill())
            await site.outcome(release, end="completed")
            await site.given_back()
            assert len(site.ends(held)) == len(site.ends(release)) == 1, f"killed before write {place}"
    pytest.fail(f"the release has more than {MOST_WRITES} writes")
