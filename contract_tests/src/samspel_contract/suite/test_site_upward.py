"""What leaves a whole site: nothing older than it says, nothing of anybody else's, nothing beyond the contract."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from samspel.contract.telemetry import Quality
from samspel.edge import Rates

from samspel_contract.capabilities import Capability
from samspel_contract.case import DriverCase, needs, safety, simulated
from samspel_contract.site import Message, Site, make_twin

POWER_W = 1500.0
LEAVES = {"outcome", "telemetry", "fault", "birth", "status", "headroom"}
LIVELY = Rates(fast_s=2.0, slow_s=3.0, static_s=4.0, faults_s=60.0)
CUTS = 4
SAME_S = 0.1
VALUED = {Quality.GOOD.value, Quality.STALE.value, Quality.FROZEN.value}


def _readings(site: Site, since: float = 0.0) -> list[tuple[Message, str, dict[str, Any]]]:
    """Every reading with a value that was published, with its message and its signal."""
    cycles = [one for one in site.messages if one["_leaf"] == "telemetry" and one["_at"] >= since]
    found = [(cycle, name, reading) for cycle in cycles for name, reading in cycle["readings"].items()]
    return [one for one in found if one[2]["quality"] in VALUED]


def _restamped(site: Site) -> list[str]:
    """Readings that are not what they say: good ones that are no new answer, stale ones that are no old one."""
    wrong, last = [], dict[str, dict[str, Any]]()
    for cycle, name, reading in _readings(site):
        before = last.get(name, {"monotonic_s": float("-inf")})
        if reading["quality"] == Quality.STALE.value:
            same = all(reading[key] == before.get(key) for key in ("value", "measured_at", "monotonic_s"))
            wrong += [] if same else [f"{name} is stale and was never measured at {reading['measured_at']}"]
        elif reading["monotonic_s"] <= before["monotonic_s"]:
            wrong.append(f"{name} is called {reading['quality']} and is the answer of an earlier cycle")
        wrong += [f"{name}: {text}" for text in _impossible(cycle, reading)]
        last[name] = reading
    return wrong


def _impossible(cycle: Message, reading: dict[str, Any]) -> list[str]:
    """Both of its times are one moment, before the message was made."""
    age_s = (datetime.fromisoformat(cycle["at"]) - datetime.fromisoformat(reading["measured_at"])).total_seconds()
    heard_s = cycle["_at"] - reading["monotonic_s"]
    possible = age_s >= 0 and abs(heard_s - age_s) < SAME_S
    return [] if possible else [f"{age_s:g} s old by one clock, {heard_s:g} s by the other"]


@needs(Capability.BATTERY_POWER)
@safety
@simulated
async def test_site_telemetry_is_never_restamped(driver_case: DriverCase) -> None:
    """Every reading carries the time of its own answer, by both clocks. Where a link dies in the middle of a cycle,
    what could not be renewed goes up as stale with its old time, and then nothing does; the site is degraded.

    If this fails: times must come from the answer that carried the value, not from the call.
    """
    async with driver_case.site(rates=LIVELY) as site:
        life = await site.settled()
        for answers in range(1, CUTS + 1):
            await site.wait(10)
            life.wire.answers_left = answers
            await site.until(lambda: life.wire.is_cut, 60, "the link is cut")
            await site.wait(5)
            cut_at = site.now
            await site.wait(30)
            assert [one for one in site.messages if one["_leaf"] == "status"][-1]["condition"] == "degraded"
            assert [name for _, name, _ in _readings(site, since=cut_at)] == []
            life.wire.mend()
            await site.until(lambda: life.device.controller.state.link_up, 90, "the link is up")
        await site.wait(10)
        assert _restamped(site) == []
        assert _readings(site, since=site.now - 5)


@needs(Capability.BATTERY_POWER)
@safety
@simulated
async def test_site_calls_a_frozen_device_frozen(driver_case: DriverCase) -> None:
    """A device that answers with measurements that stand still is reported as frozen once the time that its manifest
    declares has passed, and not before.

    If this fails: `[telemetry] frozen_after_s` is shorter than these values may stand still.
    """
    frozen_after_s = driver_case.target.manifest.frozen_after_s
    async with driver_case.site(pv_w=1000.0) as site:
        await site.settled()
        site.twin.set({"load_power_w": 2900.0})  # no house stands still until its device does
        moved_at = site.now
        await site.wait(10)
        site.twin.misbehave("stuck")
        await site.wait((frozen_after_s or 60) + 60)
        found = {name: one["quality"] for _, name, one in _readings(site, since=site.now - 10)}
        early = [one for _, _, one in _readings(site, since=moved_at) if one["monotonic_s"] < moved_at + frozen_after_s]
        assert found["battery_power_w"] == ("frozen" if frozen_after_s else "good")
        assert "frozen" not in {one["quality"] for one in early}


@needs(Capability.CHARGE)
@safety
@simulated
async def test_site_never_writes_to_another_device(driver_case: DriverCase) -> None:
    """When another device answers at the address while ours is under control, nothing at all is written to it and the
    fault is raised; when ours is back it clears, and the command is resumed or ended once.

    If this fails: the serial's row in `[identity]` reads something that is the same on every device.
    """
    async with driver_case.site() as site:
        life = await site.settled()
        command = await site.followed(-POWER_W, ttl_s=200, on_expiry="release")
        other = make_twin(driver_case.target, soc_pct=50.0, pv_w=0.0, load_w=3000.0, seed=2)
        assert other.behaviour.serial != site.twin.behaviour.serial, "the twin's serial has to depend on its seed"
        life.wire.lead_to(other)
        await site.until(lambda: site.faults("comms.wrong_device") == ["raised"], 60, "the other device is told apart")
        await site.send("stop")
        await site.wait(60)
        assert list(other.writes) == []
        life.wire.lead_to(site.twin)
        await site.until(lambda: site.faults("comms.wrong_device") == ["raised", "cleared"], 90, "ours is back")
        await site.wait(driver_case.target.declaration.stop_s + 30)
        assert site.at_rest, f"{site.battery_w:.0f} W after the stop"
        assert site.ends(command) == ["superseded"]


@needs(Capability.CHARGE, Capability.DISCHARGE)
@safety
@simulated
async def test_site_says_nothing_beyond_the_contract(driver_case: DriverCase) -> None:
    """Through a whole life, faults and refusals included, every message validates against the contract's schemas with
    unknown keys forbidden and enums closed, and holds no word of the brand outside identity, birth.versions and
    fault.detail.raw.

    If this fails: the message names the place; rename the rung, route or text there.
    """
    async with driver_case.site() as site:
        life = await site.settled()
        for power_w in (-POWER_W, POWER_W, 0.0):
            await site.publish(site.command("set_power", power_w=power_w, accept="load_following"))
            await site.wait(site.settle_s(power_w))
        site.twin.misbehave("refuse_writes", code=4)
        refused = await site.send("set_power", power_w=-POWER_W, accept="load_following")
        await site.outcome(refused, end="failed", within_s=120)
        site.twin.misbehave("refuse_writes", on=False)
        await site.send("stop")
        await site.wait(30)
        life.wire.cut()
        await site.wait(30)
        life.wire.mend()
        await site.wait(60)
        release = await site.send("release")
        await site.outcome(release, end="completed")
        assert {one["_leaf"] for one in site.messages} == LEAVES
        assert site.leaks() == []
