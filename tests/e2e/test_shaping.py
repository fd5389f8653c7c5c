"""Shaping over a whole site in simulated time: the gate, the dwell, and the wear budget, on twins of three brands."""

from __future__ import annotations

import functools

import pytest
from samspel.edge import Rates
from samspel.shaping.fuse import Fuse
from samspel.shaping.gate import Gate
from samspel.shaping.slew import Slew
from samspel.shaping.wear import WearBudget
from samspel_contract.noise import magnitudes, wearing
from samspel_contract.simulated import simulated
from samspel_contract.site import open_site
from samspel_contract.target import installed

target = functools.cache(installed)
GATE = Gate(delta_w=50, time_s=60)
BRANDS = pytest.mark.parametrize("brand", ["huawei", "sungrow"])


def deviations(site, command):
    return [one["deviation"] for one in site.outcomes(command) if "deviation" in one]


@BRANDS
@simulated
async def test_a_small_change_is_not_written_and_its_deadline_counts(brand):
    async with open_site(target(brand), shaping=[GATE]) as site:
        life = await site.settled()
        await site.followed(1500, ttl_s=90)
        written = len(life.wire.written)
        second = await site.send("set_power", power_w=1520, ttl_s=300)
        await site.outcome(second, stage="write_suppressed")
        await site.wait(20)
        feeds = life.wire.written[written:]
        assert site.found(second, stage="written") is None
        await site.wait(130)
        assert site.ends(second) == [], "the first one's deadline has passed, the second one's has not"
        assert site.follows(1520)
        assert len(site.life.wire.written) > written, "after the time it is written"
        route = site.route(1500)
        assert feeds or route.feed_s > 20, "meanwhile the device's own timer is fed"
        await site.outcome(second, end="completed")
        await site.given_back()


@BRANDS
@simulated
async def test_zero_and_a_stop_pass_the_gate_at_once(brand):
    async with open_site(target(brand), shaping=[Gate(delta_w=5000, time_s=3600)]) as site:
        life = await site.settled()
        await site.followed(1500)
        zero = await site.send("set_power", power_w=0.0, ttl_s=300)
        await site.outcome(zero, stage="written", within_s=5)
        back = await site.send("set_power", power_w=1500, ttl_s=300)
        await site.outcome(back, stage="written", within_s=5)
        written, asked_at = len(life.wire.written), site.now
        stop = await site.send("stop")
        await site.outcome(stop, stage="written", within_s=5)
        assert life.wire.written[written].at_s - asked_at < 1


@simulated
async def test_a_slewed_set_point_is_delivered_when_it_has_arrived():
    async with open_site(target("sungrow"), shaping=[Slew(w_per_s=100)]) as site:
        await site.settled()
        command = await site.send("set_power", power_w=3000, ttl_s=300)
        await site.outcome(command, stage="written")
        await site.wait(10)
        assert site.battery_w < 1500
        assert site.found(command, stage="delivered") is None
        assert deviations(site, command) == ["clamped"]
        await site.outcome(command, stage="delivered", within_s=60)
        assert site.follows(3000)


@simulated
async def test_a_reversal_says_its_dwell_before_it_waits():
    async with open_site(target("saj")) as site:
        await site.settled()
        await site.followed(2000)
        dwell_s = site.route(-2000).reversal_dwell_s
        began = site.now
        command = await site.send("set_power", power_w=-2000, ttl_s=900)
        said = await site.outcome(command, deviation="dwell")
        assert said["_at"] - began < 5
        assert said["target_power_w"] == 0
        assert "rests at 0 W" in said["text"]
        await site.wait(dwell_s / 2)
        assert site.at_rest
        written = await site.outcome(command, stage="written")
        assert written["_at"] - began >= dwell_s - 1
        assert deviations(site, command) == ["dwell"]
        await site.until(lambda: site.follows(-2000), site.settle_s(-2000), "it reverses")


@simulated
@pytest.mark.parametrize("moved_w", [2000, -2000])
async def test_a_restart_does_not_cut_a_dwell_short(moved_w):
    """the next process knows which way the battery went, and rests anew"""
    async with open_site(target("saj")) as site:
        await site.settled()
        await site.followed(moved_w)
        dwell_s = site.route(-moved_w).reversal_dwell_s
        command = await site.send("set_power", power_w=-moved_w, ttl_s=1800)
        await site.outcome(command, deviation="dwell")
        await site.wait(dwell_s / 2)
        left = await site.life.kill()
        began = site.now
        await site.begin(left)
        written = await site.outcome(command, stage="written", within_s=dwell_s + 60)
        assert written["_at"] - began >= dwell_s - 1
        await site.until(lambda: site.follows(-moved_w), site.settle_s(-moved_w), "it reverses")


@simulated
async def test_nor_does_one_after_which_a_stop_is_ended():
    async with open_site(target("saj")) as site:
        await site.settled()
        await site.followed(2000)
        stop = await site.send("stop")
        await site.outcome(stop, stage="written")
        left = await site.life.kill()
        began = site.now
        await site.begin(left)
        await site.wait(30)
        dwell_s = site.route(-2000).reversal_dwell_s
        command = await site.send("set_power", power_w=-2000, ttl_s=1800, ends_stop=stop)
        written = await site.outcome(command, stage="written", within_s=dwell_s + 60)
        assert dwell_s - 1 <= written["_at"] - began <= dwell_s + 30


@simulated
async def test_a_newer_set_point_does_not_wait_for_a_dwell():
    """Back the old way after the route's spacing; what it superseded is never written."""
    async with open_site(target("saj")) as site:
        await site.settled()
        await site.followed(2000)
        reversal = await site.send("set_power", power_w=-2000, ttl_s=900)
        await site.until(lambda: site.at_rest, 60, "it rests")
        began = site.now
        back = await site.send("set_power", power_w=1500, ttl_s=900)
        await site.outcome(back, stage="written", within_s=120)
        assert site.now - began <= site.route(1500).spacing_s + 5
        assert site.ends(reversal) == ["superseded"]
        assert site.found(reversal, stage="written") is None
        await site.until(lambda: site.follows(1500), site.settle_s(1500), "it goes on the old way")


@simulated
async def test_of_the_set_points_of_a_dwell_the_newest_is_written_at_its_end():
    async with open_site(target("saj")) as site:
        life = await site.settled()
        await site.followed(2000)
        early = await site.send("set_power", power_w=-2000, ttl_s=900)
        await site.wait(site.route(-2000).reversal_dwell_s / 2)
        written = len(life.wire.written)
        late = await site.send("set_power", power_w=-1000, ttl_s=900)
        await site.outcome(late, stage="written")
        assert (site.ends(early), site.found(early, stage="written")) == (["superseded"], None)
        await site.until(lambda: site.follows(-1000), site.settle_s(-1000), "the newest")
        for row in magnitudes(site.target, "charge"):
            powers = {one.of(row.address, row.count) for one in life.wire.written[written:]} - {None}
            assert len(powers) == 1, f"{row.name}: no other power was written before it"


@simulated
async def test_a_limit_that_comes_during_a_dwell_counts_at_its_end():
    async with open_site(target("saj"), soc_pct=94.0) as site:
        await site.settled()
        await site.followed(2000)
        command = await site.send("set_power", power_w=-2000, ttl_s=900)
        await site.outcome(command, deviation="dwell")
        site.twin.set({"soc_pct": 97.0})
        await site.outcome(command, deviation="clamped", reason="soc")
        await site.wait(site.route(-2000).reversal_dwell_s + 10)
        assert site.at_rest


@simulated
async def test_a_set_point_that_ends_during_its_dwell_was_never_written_and_control_goes_back():
    async with open_site(target("saj")) as site:
        await site.settled()
        await site.followed(2000)
        command = await site.send("set_power", power_w=-2000, ttl_s=60)
        await site.given_back(within_s=120)
        assert site.ends(command) == ["expired_unwritten"]
        assert site.found(command, stage="written") is None


@simulated
async def test_a_dwell_of_the_devices_own_is_said_too():
    async with open_site(target("huawei")) as site:
        await site.settled()
        await site.followed(2000)
        command = await site.followed(-2000)
        assert deviations(site, command).count("dwell") == 1


@simulated
async def test_the_same_way_again_needs_no_dwell():
    async with open_site(target("saj")) as site:
        await site.settled()
        await site.followed(2000)
        command = await site.followed(3000)
        assert "dwell" not in deviations(site, command)


@simulated
async def test_a_spent_budget_ends_in_zero_and_gives_back_and_the_next_day_begins_anew():
    """A restart in between buys nothing; stop and release go on."""
    async with open_site(target("saj"), shaping=[GATE, WearBudget(writes_per_day=12)]) as site:
        life = await site.settled()
        command = ""
        for power_w in (1000, 2000, 3000, 4000):
            command = await site.send("set_power", power_w=power_w, ttl_s=200)
            await site.wait(100)
        clamped = await site.outcome(command, deviation="clamped")
        assert clamped["reason"] == "write_budget"
        await site.until(lambda: site.at_rest, 300, "zero")
        assert site.faults("control.write_budget") == ["raised"]
        await site.given_back(within_s=600)
        room = [one for one in site.messages if one["_leaf"] == "headroom"][-1]["devices"]["battery"]
        assert (room["writes_left"], room["discharge_w"]) == (0, 0)
        assert "write_budget" in room["why"]

        life = await site.begin(await life.terminate())
        await site.until(lambda: not life.device.controller.state.unsettled)
        refused = await site.send("set_power", power_w=1000, ttl_s=60)
        assert (await site.outcome(refused, end="failed"))["reason"] == "requirement"
        assert life.wire.written == [], "nothing was written for it"
        stop = await site.send("stop")
        await site.outcome(stop, stage="written")
        release = await site.send("release")
        await site.outcome(release, end="completed")

        site.setting.clock.wall_offset_s += 86400
        await site.wait(30)
        assert site.faults("control.write_budget")[-1] == "cleared"
        await site.followed(1000)
        assert wearing(site.target), "this brand's registers wear"


AMPERE_W = 690.0
BRISK = Rates(fast_s=2.0, slow_s=60.0, static_s=3600.0, faults_s=30.0)
FUSE = Fuse(rating_a=12, margin_pct=0)


@simulated
async def test_charging_keeps_below_the_main_fuse_whatever_the_house_does():
    """The room is what the house leaves, and does not swing with what the battery takes."""
    async with open_site(target("huawei"), rates=BRISK, load_w=6000.0, shaping=[GATE, FUSE]) as site:
        await site.settled()
        command = await site.send("set_power", power_w=-5000, ttl_s=900)
        await site.outcome(command, deviation="clamped", reason="fuse")
        await site.wait(60)
        taken = []
        for _ in range(60):
            await site.wait(1)
            taken.append(site.battery_w)
        room_w = 12 * AMPERE_W - 6000
        assert all(-1.1 * room_w <= one <= -0.8 * room_w for one in taken), taken
        site.twin.set({"load_power_w": 12 * AMPERE_W + 500})
        await site.until(lambda: site.at_rest, 30, "the house comes first")
        site.twin.set({"load_power_w": 1000.0})
        await site.until(lambda: site.follows(-5000), 60, "the room is back")


@simulated
async def test_a_lost_meter_means_no_charging():
    async with open_site(target("huawei"), rates=BRISK, load_w=1000.0, shaping=[GATE, FUSE]) as site:
        await site.settled()
        command = await site.followed(-3000, ttl_s=900)
        site.twin.misbehave("meter_offline")
        await site.until(lambda: site.at_rest, FUSE.stale_s + 15, "no charging without a meter")
        assert (await site.outcome(command, deviation="clamped"))["reason"] == "meter_stale"
        discharge = await site.followed(3000, ttl_s=900)
        assert "clamped" not in deviations(site, discharge)
        stop = await site.send("stop")
        await site.outcome(stop, stage="written", within_s=5)
