"""A fault of the device reaches the site: published once, kept over a restart, and it takes the device out."""

from __future__ import annotations

import pytest
from samspel.edge import Rates
from samspel_contract.site import Site, open_site
from samspel_contract.target import installed

pytestmark = pytest.mark.looptime(noop_cycles=1)

RATES = Rates(fast_s=2.0, slow_s=30.0, static_s=3600.0, faults_s=10.0)
BROKEN = {
    "huawei": {"alarms": [2032]},
    "sungrow": {"faults": {"grid_side_fault": [2]}},
    "saj": {"faults": {"fault_m1": [11]}},
}
"""Something on each twin whose effect is offline."""

MENDED = {"huawei": {"alarms": []}, "sungrow": {"faults": {"grid_side_fault": []}}, "saj": {"faults": {}}}

brands = pytest.mark.parametrize("brand", list(BROKEN))


def states(site: Site) -> dict[str, list[str]]:
    """Of the device's own faults, by raw word: raised and cleared, each message once."""
    told: dict[str, list[str]] = {}
    for one in site.messages:
        if one["_leaf"] == "fault" and one["detail"].get("raw"):
            told.setdefault(one["detail"]["raw"], []).append(one["state"])
    return told


async def broken(site: Site, brand: str) -> None:
    site.twin.set(BROKEN[brand])
    await site.until(lambda: site.life.device.faults.effect == "offline", 60.0, "the fault is known")


@brands
async def test_an_offline_fault_ends_the_set_point_refuses_the_next_and_tells_headroom(brand: str) -> None:
    async with open_site(installed(brand), rates=RATES) as site:
        await site.settled()
        command = await site.followed(-2000.0)
        await broken(site, brand)
        ended = await site.outcome(command, end="interrupted")
        assert ended["reason"] == "fault"
        refused = await site.send("set_power", power_w=-1000.0)
        assert (await site.outcome(refused, end="refused"))["reason"] == "fault"
        await site.until(lambda: any("charge_fault" in one["devices"]["battery"]["why"] for one in headrooms(site)), 30)
        released = await site.send("release")
        await site.outcome(released, end="completed")


@brands
async def test_a_stop_is_carried_out_whatever_the_fault(brand: str) -> None:
    async with open_site(installed(brand), rates=RATES) as site:
        await site.settled()
        await broken(site, brand)
        stop = await site.send("stop")
        await site.outcome(stop, stage="written")
        assert site.life.phase == "stopped"


@brands
async def test_once_it_is_over_and_a_pause_has_passed_set_points_are_taken_again(brand: str) -> None:
    async with open_site(installed(brand), rates=RATES) as site:
        await site.settled()
        await broken(site, brand)
        site.twin.set(MENDED[brand])
        await site.until(lambda: not site.life.device.controller.state.fault, 200.0, "back in service")
        command = await site.send("set_power", power_w=-2000.0)
        await site.outcome(command, stage="written")


@brands
async def test_a_restart_neither_loses_it_nor_raises_it_again(brand: str) -> None:
    async with open_site(installed(brand), rates=RATES) as site:
        await site.settled()
        await broken(site, brand)
        await site.wait(5.0)
        left = await site.life.kill()
        life = await site.begin(left)
        assert life.device.faults.effect == "offline", "known before the device is read"
        await site.until(lambda: not life.device.controller.state.unsettled)
        await site.wait(60.0)
        assert all(told == ["raised"] for told in states(site).values())
        refused = await site.send("set_power", power_w=-1000.0)
        assert (await site.outcome(refused, end="refused"))["reason"] == "fault"


async def test_a_bit_that_no_document_explains_is_published() -> None:
    async with open_site(installed("saj"), rates=RATES) as site:
        await site.settled()
        site.twin.misbehave("battery_fault")
        await site.until(lambda: site.faults("vendor.unmapped") != [], 60.0, "the bit is published")


async def test_a_forbidden_direction_is_held_at_zero_and_the_other_is_not() -> None:
    async with open_site(installed("saj"), rates=RATES) as site:
        await site.settled()
        site.twin.set({"charge_current_limit_a": 0.0})
        await site.until(lambda: "no_charge" in site.life.device.faults.effects, 60.0, "the fault is known")
        charge = await site.send("set_power", power_w=-2000.0)
        clamped = await site.outcome(charge, deviation="clamped", reason="fault")
        assert clamped["target_power_w"] == 0.0
        other = await site.send("set_power", power_w=1000.0, accept="load_following")
        await site.outcome(other, stage="written", target_power_w=1000.0, within_s=900.0)


def headrooms(site: Site) -> list[dict]:
    return [one for one in site.messages if one["_leaf"] == "headroom"]
