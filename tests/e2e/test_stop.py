"""A stop gets through whatever is going on, is latched, survives, and ends only as the contract says.

Simulated time, the real bus and the real control; the broker is in memory and sends like a real one. The twin is
asked for the truth.
"""

from __future__ import annotations

import json

import pytest
from samspel.control.state import Policy
from samspel.edge import Rates

from .registers import HELD_ZERO
from .simulated import QUIET, SITE, Home, simulated_home

pytestmark = pytest.mark.looptime(noop_cycles=1)

BUSY_POLLING = Rates(fast_s=0.1, slow_s=0.1, static_s=0.1, faults_s=0.1)


def zero_held(home: Home) -> bool:
    return home.registers().items() >= HELD_ZERO.items()


def moment_of_zero(home: Home, since: float) -> float:
    """When the first write of a stop reached the device."""
    return next(one["at_s"] for one in home.twin.writes if one["at_s"] >= since and one["name"] == "forcible_command")


async def discharging(home: Home, **fields) -> str:
    command = await home.send("set_power", **{"power_w": 3000.0, "ttl_s": 600.0, **fields})
    await home.outcome(command, stage="verified")
    return command


async def test_while_polling_a_slow_device():
    """its first write waits for at most the transaction in flight and the declared gap"""
    async with simulated_home(rates=BUSY_POLLING) as home:
        await home.settled()
        held = await discharging(home)
        home.twin.misbehave("slow", True, seconds=0.8)
        await home.wait(20.0)
        since = home.clock.monotonic()
        stop = await home.send("stop")
        await home.outcome(stop, stage="verified", within_s=30)
        waited_s = moment_of_zero(home, since) - since
        assert waited_s < 0.8 + 0.05 + 0.25, "one transaction, one gap, one step of the twin"
        assert zero_held(home)
        assert home.ends(held) == ["superseded"]


@pytest.mark.parametrize("after_s", [0.01, 0.2, 0.4, 0.8, 1.2, 1.6, 2.0, 2.4, 2.8, 3.2, 3.6, 4.0])
async def test_while_a_sequence_runs(after_s):
    """the running sequence is abandoned at its next step; nothing of it is written after the stop's first write"""
    async with simulated_home(rates=QUIET) as home:
        await home.settled()
        home.life.wire.latency_s = 0.15
        held = await home.send("set_power", power_w=3000.0, ttl_s=600.0)
        await home.wait(after_s)
        since = home.clock.monotonic()
        stop = await home.send("stop")
        await home.outcome(stop, stage="verified", within_s=30)
        late = [one["name"] for one in home.twin.writes if one["at_s"] > since + 0.1 and _of_the_sequence(one)]
        assert len(late) <= 1, f"only what was in flight: {late}"
        await home.wait(30.0)
        assert zero_held(home)
        assert abs(home.battery_w) < 50
        names = home.write_names()
        last_forcing = max((place for place, one in enumerate(home.twin.writes) if _forces(one)), default=-1)
        assert last_forcing < len(names) - 1
        assert not any(_forces(one) for one in list(home.twin.writes)[names.index("storage_max_discharging_power") :])
        assert home.ends(held) == ["superseded"]


def _of_the_sequence(write: dict) -> bool:
    return _forces(write) or write["name"] in ("forcible_discharge_power", "forced_period", "forcible_mode")


def _forces(write: dict) -> bool:
    return write["name"] == "forcible_command" and write["values"] != [0]


async def test_with_the_link_down_it_is_pending_and_comes_first_when_it_heals():
    async with simulated_home() as home:
        await home.settled()
        await discharging(home)
        home.twin.misbehave("reset", True)
        home.twin.misbehave("refuse_connections", True)
        await home.until(lambda: not home.life.device.controller.state.link_up)
        stop = await home.send("stop")
        await home.outcome(stop, stage="pending")
        assert home.faults("control.stop_failed") == ["raised"]
        await home.wait(300.0)
        before = len(home.twin.writes)
        home.twin.misbehave("reset", False)
        home.twin.misbehave("refuse_connections", False)
        await home.outcome(stop, stage="verified", within_s=60)
        first = list(home.twin.writes)[before]
        assert (first["name"], first["values"]) == ("forcible_command", [0])
        assert zero_held(home)
        assert home.faults("control.stop_failed") == ["raised", "cleared"]
        assert home.ends(stop) == []


async def test_latched_through_a_kill_and_through_a_farewell():
    async with simulated_home() as home:
        await home.settled()
        await discharging(home)
        stop = await home.send("stop")
        await home.outcome(stop, stage="verified")
        await home.begin(await home.life.kill())
        await home.until(lambda: not home.life.device.controller.state.unsettled)
        assert (home.life.phase, zero_held(home)) == ("stopped", True)
        await home.begin(await home.life.terminate())
        await home.until(lambda: not home.life.device.controller.state.unsettled)
        assert (home.life.phase, zero_held(home)) == ("stopped", True)
        refused = await home.send("set_power", power_w=500.0)
        await home.outcome(refused, end="refused", reason="stopped")
        release = await home.send("release")
        await home.outcome(release, end="completed")
        assert home.ends(stop) == ["completed"]


async def test_restarted_with_the_device_away_it_is_asserted_as_soon_as_it_answers():
    async with simulated_home() as home:
        await home.settled()
        stop = await home.send("stop")
        await home.outcome(stop, stage="verified")
        left = await home.life.kill()
        home.twin.misbehave("reboot")
        home.twin.set({"registers": {"storage_max_charging_power": 5000, "storage_max_discharging_power": 5000}})
        home.twin.misbehave("mute", True)
        await home.begin(left)
        await home.wait(90.0)
        assert home.faults("comms.device_lost") == ["raised"]
        assert home.faults("control.stop_failed") == ["raised"], "nobody knows whether it holds"
        home.twin.misbehave("mute", False)
        await home.until(lambda: zero_held(home), 90)
        await home.until(lambda: home.faults("control.stop_failed") == ["raised", "cleared"], 10)
        await home.until(lambda: home.faults("comms.device_lost") == ["raised", "cleared"], 10)


async def test_two_stops():
    """the second takes the latch over; each of them ends once; naming the old one ends nothing"""
    async with simulated_home() as home:
        await home.settled()
        first = await home.send("stop")
        await home.outcome(first, stage="verified")
        second = await home.send("stop", issuer="installer")
        await home.outcome(first, end="superseded")
        await home.outcome(second, stage="verified")
        wrong = await home.send("set_power", issuer="installer", power_w=1000.0, ends_stop=first)
        await home.outcome(wrong, end="refused", reason="stopped")
        right = await home.send("set_power", issuer="installer", power_w=1000.0, ends_stop=second)
        await home.outcome(right, stage="delivered")
        assert home.ends(second) == ["completed"]


async def test_two_stops_at_once():
    async with simulated_home() as home:
        await home.settled()
        await discharging(home)
        first, second = await home.send("stop"), await home.send("stop", issuer="fleet-b")
        await home.until(lambda: zero_held(home))
        latched = home.life.device.controller.state.stop
        assert latched is not None
        assert latched.command_id == second
        await home.outcome(second, stage="verified")
        assert home.ends(first) == ["superseded"]


async def test_retained_it_stops_once():
    """somebody retained it against the rules: it stops, and does not stop again at every reconnect"""
    async with simulated_home() as home:
        await home.settled()
        stop = await home.send("stop", retain=True)
        await home.outcome(stop, stage="verified")
        release = await home.send("release")
        await home.outcome(release, end="completed")
        for _ in range(3):
            home.broker.cut(SITE)
            home.broker.heal(SITE)
            await home.wait(5.0)
        assert home.life.phase == "released"
        assert [one["reason"] for one in home.outcomes(stop) if one.get("stage") == "received"][1:] == ["duplicate"] * 3
        left = await home.life.terminate()
        await home.begin(left)
        await home.wait(20.0)
        assert home.life.phase == "released"
        assert home.ends(stop) == ["completed"]


async def test_from_an_old_epoch_and_hours_old():
    """a stop is never too old, and does not move the order back"""
    async with simulated_home() as home:
        await home.settled()
        await discharging(home, epoch=7)
        stop = await home.publish({**home.command("stop", age_s=7200.0, ttl_s=5.0), "epoch": 1, "seq": 0})
        await home.outcome(stop, stage="verified")
        assert zero_held(home)
        refused = await home.send("set_power", power_w=1000.0, ends_stop=stop)
        await home.outcome(refused, end="refused", reason="epoch")
        newer = await home.send("set_power", power_w=1000.0, ends_stop=stop, epoch=7)
        await home.outcome(newer, stage="verified")


async def test_from_the_future_and_with_a_wrong_clock():
    """neither the issuer's clock nor ours can make a stop void"""
    async with simulated_home() as home:
        await home.settled()
        home.clock.is_synchronised, home.clock.wall_offset_s = False, 1e6
        stop = await home.send("stop", age_s=2e6)
        await home.outcome(stop, stage="verified")
        assert zero_held(home)


@pytest.mark.parametrize("issuer", ["family", "fleet-b"])
async def test_a_lower_rank_cannot_release_it(issuer):
    async with simulated_home() as home:
        await home.settled()
        stop = await home.send("stop", issuer="installer")
        await home.outcome(stop, stage="verified")
        release = await home.send("release", issuer=issuer)
        await home.outcome(release, end="refused", reason="outranked")
        named = await home.send("set_power", issuer=issuer, power_w=1000.0, ends_stop=stop)
        await home.outcome(named, end="refused", reason="outranked")
        assert zero_held(home)
        assert home.ends(stop) == []


async def test_a_release_that_is_older_changes_nothing():
    async with simulated_home() as home:
        await home.settled()
        old = home.command("release", issuer="fleet-b", age_s=60.0)
        stop = await home.send("stop")
        await home.outcome(stop, stage="verified")
        await home.publish(old)
        await home.outcome(old["id"], end="superseded", reason="stop")
        assert zero_held(home)


async def test_nobody_ends_it():
    """after stop_hold_max_s it is given back, with a critical fault"""
    async with simulated_home(policy=Policy(stop_hold_max_s=120.0)) as home:
        await home.settled()
        before = home.registers()
        stop = await home.send("stop")
        await home.outcome(stop, end="completed", reason="held_too_long", within_s=200)
        await home.until(lambda: home.registers() == before, 60)
        fault = next(one for one in home.messages if one.get("code") == "control.stop_held_too_long")
        assert fault["severity"] == "critical"


async def test_a_device_that_reboots_is_stopped_again():
    async with simulated_home(policy=Policy(check_s=10.0)) as home:
        await home.settled()
        stop = await home.send("stop")
        await home.outcome(stop, stage="verified")
        home.twin.misbehave("reboot")
        home.twin.set({"registers": {"storage_max_charging_power": 5000, "storage_max_discharging_power": 5000}})
        await home.until(lambda: zero_held(home), 60)
        assert home.ends(stop) == []


async def test_refused_writes_are_repeated_under_an_alarm_until_they_pass():
    async with simulated_home() as home:
        await home.settled()
        await discharging(home)
        home.twin.misbehave("refuse_writes", True, code=4)
        stop = await home.send("stop")
        await home.outcome(stop, stage="pending", reason="device")
        await home.wait(300.0)
        assert home.faults("control.stop_failed") == home.faults("comms.write_refused") == ["raised"]
        home.twin.misbehave("refuse_writes", False)
        await home.until(lambda: zero_held(home), 60)
        await home.until(lambda: home.faults("control.stop_failed") == ["raised", "cleared"], 10)
        assert home.faults("comms.write_refused") == ["raised", "cleared"]


async def test_in_the_middle_of_two_thousand_set_points():
    """never lost, never late; each command has one end; the edge hears the next one as ever"""
    async with simulated_home(rates=QUIET) as home:
        await home.settled()
        commands = [await home.send("set_power", power_w=float(n % 4000), ttl_s=600.0) for n in range(1000)]
        stop = await home.send("stop")
        commands += [await home.send("set_power", power_w=float(n % 4000), ttl_s=600.0) for n in range(1000)]
        await home.until(lambda: zero_held(home), 30)
        await home.until(lambda: all(home.ends(one) for one in commands), 600)
        assert {len(home.ends(one)) for one in commands} == {1}
        await home.outcome(stop, stage="verified")
        assert (home.ends(stop), zero_held(home)) == ([], True)
        await home.outcome(await home.send("release"), end="completed")
        assert json.dumps(home.life.edge.pipeline.dropped) == "{}"
