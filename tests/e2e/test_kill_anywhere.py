"""kill -9 before each single request of a command, start again: the right row of the decision table happens.

Deterministic: one edge in simulated time dies before its n-th request, for every n that the sequence has; another
starts on what the first one's disk held. What the battery and the registers do is read from the twin.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from samspel.store.memory import MemoryStore

from .registers import HELD_ZERO
from .simulated import QUIET, Home, Life, simulated_home

pytestmark = pytest.mark.looptime(noop_cycles=1)

TTL_S = 60.0
DISCHARGE = {"kind": "set_power", "power_w": 3000.0, "ttl_s": TTL_S, "on_expiry": "release"}
FOLLOWED = {"forcible_discharge_power": 3000, "forcible_command": 2}
TOO_MANY = 200


@asynccontextmanager
async def killed_at(place: int, **command: Any) -> AsyncIterator[tuple[Home, str, Any] | None]:
    """A home whose edge died before request `place` of a command; nothing when the command has fewer requests."""
    async with simulated_home(rates=QUIET) as home:
        await home.settled()
        home.before = home.registers()
        command_id, left = await _command_and_die(home, place, **command)
        yield None if left is None else (home, command_id, left)


async def _command_and_die(home: Home, place: int, **command: Any) -> tuple[str, Any]:
    wire = home.life.wire
    wire.die_before, home.sent_at = place, home.clock.monotonic()
    command_id = await home.send(**command)
    await home.until(lambda: wire.dead.is_set() or home.found(command_id, stage="verified") is not None)
    return command_id, await home.life.kill() if wire.dead.is_set() else None


async def every_place(**command: Any) -> AsyncIterator[tuple[int, Home, str, Any]]:
    """One home for each request of the command; places that leave the same disk and the same device count once."""
    seen: set[str] = set()
    for place in range(TOO_MANY):
        async with killed_at(place, **command) as killed:
            if killed is None:
                assert len(seen) >= 3, f"{len(seen)} different places of {place} prove little"
                return
            home, _, left = killed
            found = json.dumps([home.registers(), *_kept(left)])
            if found not in seen:
                seen.add(found)
                yield place, *killed
    pytest.fail(f"the command never ended within {TOO_MANY} requests")


def _kept(left: MemoryStore) -> list[Any]:
    """What the disk holds, but for the times in it."""
    control = left.journal.get("battery/control") or {}
    return [control.get(name) for name in ("phase", "snapshot_held", "marks", "give_back")]


async def settled_at_default(home: Home, within_s: float = 60.0) -> None:
    await home.until(lambda: home.registers() == home.before, within_s, f"{home.registers()}")
    await home.until(lambda: home.life.phase == "released", within_s, home.life.phase)


async def held(home: Home, wanted: dict[str, int], when: str) -> None:
    await home.until(lambda: home.registers().items() >= wanted.items(), 30, f"{home.registers()} {when}")


async def battery_at(home: Home, power_w: float) -> None:
    await home.until(lambda: abs(home.battery_w - power_w) < 100, 60, "the battery moves")


async def ended(home: Home, command: str, when: str) -> None:
    await home.until(lambda: bool(home.ends(command)), 200, when)


async def fault_is(home: Home, code: str, state: str) -> None:
    await home.until(lambda: home.faults(code)[-1] == state, 60, f"{code} {state}")


def forcing(life: Life) -> list[int]:
    """Addresses of the writes that make the battery move."""
    return [one.address for one in life.wire.written if one.address == 47100 and one.words[-1]]


async def test_deadline_ahead_adopted_for_the_remaining_time():
    """ours, deadline ahead on a trusted clock: follow for the remaining time, then give back and verify"""
    async for place, home, command, left in every_place(**DISCHARGE):
        received_at = home.sent_at
        life = await home.begin(left)
        await held(home, FOLLOWED, f"killed at {place}")
        await battery_at(home, 3000)
        await home.outcome(command, end="completed")
        ended_at = home.clock.monotonic()
        assert received_at + TTL_S <= ended_at <= received_at + TTL_S + 2.5, f"killed at {place}"
        await settled_at_default(home)
        assert home.ends(command) == ["completed"], f"killed at {place}\n{home.story()}"
        assert life.wire.written


async def test_deadline_passed_given_back():
    """ours, but expired: release and verify; not one forcing write comes after the deadline"""
    async for place, home, command, left in every_place(**DISCHARGE):
        await home.wait(100.0)
        life = await home.begin(left)
        await ended(home, command, f"killed at {place}")
        await settled_at_default(home)
        assert home.ends(command)[0] in ("interrupted", "expired_unwritten", "completed"), home.story()
        assert len(home.ends(command)) == 1
        assert not forcing(life), f"killed at {place}: {life.wire.written}"


async def test_another_boot_and_an_untrusted_clock_given_back():
    """the deadline cannot be placed on this boot's clock: release and verify"""
    async for place, home, command, left in every_place(**DISCHARGE):
        home.clock.boot, home.clock.is_synchronised = "boot-2", False
        life = await home.begin(left)
        await ended(home, command, f"killed at {place}")
        await settled_at_default(home)
        assert home.ends(command) == ["interrupted"], f"killed at {place}\n{home.story()}"
        assert not forcing(life), f"killed at {place}"


async def test_another_boot_and_a_trusted_clock_adopted():
    """after a reboot the wall clock counts, if the kernel vouches for it"""
    async for place, home, command, left in every_place(**DISCHARGE):
        home.clock.boot = "boot-2"
        await home.begin(left)
        await held(home, FOLLOWED, f"killed at {place}")
        await home.outcome(command, end="completed")
        await settled_at_default(home)


async def test_another_serial_nothing_written():
    """serial not equal: nobody else's inverter gets our release, our snapshot or our set-point"""
    async for place, home, command, left in every_place(**DISCHARGE):
        home.twin.misbehave("other_serial", True, serial="SIM999999999")
        home.twin.refresh()
        life = await home.begin(left)
        await home.wait(200.0)
        assert life.wire.written == [], f"killed at {place}"
        assert home.faults("comms.wrong_device")[-1] == "raised"
        home.twin.misbehave("other_serial", False)
        home.twin.refresh()
        await settled_at_default(home, 90)
        assert len(home.ends(command)) == 1, home.story()
        await fault_is(home, "comms.wrong_device", "cleared")


async def test_foreign_values_left_alone():
    """non-default and not ours: foreign, write nothing, report"""
    async for place, home, command, left in every_place(**DISCHARGE):
        home.twin.set({"registers": {"forced_period": 60, "forcible_charge_power": 777, "forcible_command": 1}})
        life = await home.begin(left)
        await home.outcome(command, end="interrupted", reason="foreign", within_s=30)
        await home.wait(200.0)
        assert life.wire.written == [], f"killed at {place}"
        assert life.phase == "foreign"
        assert home.faults("control.foreign_master") == ["raised"]
        assert home.ends(command) == ["interrupted"]


async def test_stop_is_reasserted_and_stays_latched():
    """a latched stop: re-assert it; a release of the same rank ends it, and everything is as before"""
    async for place, home, command, left in every_place(kind="stop"):
        await home.begin(left)
        await held(home, HELD_ZERO, f"killed at {place}")
        await battery_at(home, 0)
        refused = await home.send("set_power", power_w=1000.0)
        await home.outcome(refused, end="refused", reason="stopped")
        release = await home.send("release")
        await home.outcome(release, end="completed")
        await settled_at_default(home)
        assert home.ends(command) == ["completed"], f"killed at {place}\n{home.story()}"


async def test_release_is_finished():
    """killed in the middle of giving back: the successor goes on until everything reads back as before"""
    for place in range(TOO_MANY):
        async with simulated_home(rates=QUIET) as home:
            await home.settled()
            home.before = home.registers()
            held = await home.send(**DISCHARGE)
            await home.outcome(held, stage="verified")
            release, left = await _command_and_die_releasing(home, place)
            if left is None:
                assert place > 10
                return
            await home.begin(left)
            await home.outcome(release, end="completed")
            await settled_at_default(home)
            assert len(home.ends(held)) == len(home.ends(release)) == 1, f"killed at {place}\n{home.story()}"


async def _command_and_die_releasing(home: Home, place: int) -> tuple[str, Any]:
    wire = home.life.wire
    wire.die_before = place
    release = await home.send("release")
    await home.until(lambda: wire.dead.is_set() or home.found(release, end="completed") is not None)
    return release, await home.life.kill() if wire.dead.is_set() else None


async def test_killed_again_and_again():
    """the second, third and fourth life die in the middle of their recovery, too"""
    for place in range(8):
        async with simulated_home(rates=QUIET) as home:
            await home.settled()
            home.before = home.registers()
            command, _ = await _command_and_die(home, 7 + place, **DISCHARGE)
            for _ in range(3):
                life = await home.begin(await home.life.kill(), die_before=5 + 2 * place)
                await home.until(life.wire.dead.is_set, 120, f"dies at {place}")
            await home.begin(await home.life.kill())
            await ended(home, command, f"killed at {place}")
            await settled_at_default(home)
            assert len(home.ends(command)) == 1, f"{place}\n{home.story()}"
