"""Commands at a whole site: followed, held, limited, refused, given back."""

from __future__ import annotations

import pytest
from samspel.contract.capability import Direction
from samspel.contract.command import Accept

from samspel_contract.capabilities import Capability
from samspel_contract.case import DriverCase, needs, safety, simulated
from samspel_contract.site import Site

POWER_W = 1500.0
TTL_S = 60.0
HOLD_S = 60.0
LITTLE_W = 1000.0
BOTH = pytest.mark.parametrize("power_w", [-POWER_W, POWER_W], ids=["charge", "discharge"])
WEAKER_FIRST = (Accept.LOAD_FOLLOWING, Accept.UPPER_BOUND, Accept.EXACT)


@needs(Capability.CHARGE, Capability.DISCHARGE)
@safety
@BOTH
@simulated
async def test_site_holds_then_releases_on_expiry(driver_case: DriverCase, power_w: float) -> None:
    """A set-point that nobody follows up is held for `hold_s` beyond its deadline, by default, and then given back.

    If this fails: the command must stand in the device until it is released, or be fed as its route declares.
    """
    async with driver_case.site() as site:
        await site.settled()
        received_at = site.now
        command = await site.followed(power_w, ttl_s=TTL_S, hold_s=HOLD_S)
        await site.wait(received_at + TTL_S + HOLD_S - 5 - site.now)
        assert site.follows(power_w), f"{site.battery_w:.0f} W while it was to be held"
        assert site.ends(command) == []
        await site.outcome(command, end="completed", within_s=20)
        assert site.now >= received_at + TTL_S + HOLD_S
        await site.given_back()


@needs(Capability.CHARGE, Capability.DISCHARGE)
@safety
@simulated
async def test_site_release_gives_everything_back(driver_case: DriverCase) -> None:
    """After charging, discharging and a held zero a release restores what the householder had set, and the battery
    follows its own logic again; only what contract.toml declares as left may differ.

    If this fails: give the named register `on_release` restore or reset, or a reason under `[left_on_release]`.
    """
    async with driver_case.site() as site:
        site.settings_of_the_house()
        await site.settled()
        await site.wait(30)
        own_logic_w = site.battery_w
        for power_w in (-POWER_W, POWER_W):
            await site.followed(power_w)
        await _zero(site)
        release = await site.send("release")
        await site.outcome(release, end="completed")
        await site.given_back(within_s=10)
        await site.wait(60)
        assert abs(site.battery_w - own_logic_w) < POWER_W / 3, f"{site.battery_w:.0f} W, not {own_logic_w:.0f} W"


async def _zero(site: Site) -> str:
    if site.capabilities.route(Direction.ZERO) is None:
        return ""
    command = await site.send("set_power", power_w=0.0, ttl_s=1200)
    await site.outcome(command, stage="verified")
    return command


@needs(Capability.HELD_ZERO, Capability.CHARGE)
@safety
@simulated
async def test_site_held_zero_is_not_a_release(driver_case: DriverCase) -> None:
    """A set-point of 0 W keeps the battery at rest for five minutes while the house pulls, and control stays ours.

    If this fails: 0 W needs the map's `zero` sequence; a vendor's "stop" is usually this contract's release.
    """
    async with driver_case.site() as site:
        life = await site.settled()
        await site.followed(-POWER_W)
        await _zero(site)
        await site.wait(site.settle_s(0.0))
        for _ in range(10):
            assert site.at_rest, f"{site.battery_w:.0f} W"
            assert life.phase == "controlling"
            await site.wait(30)


@needs(Capability.CHARGE, Capability.DISCHARGE)
@safety
@BOTH
@simulated
async def test_site_refuses_what_no_route_can_follow(driver_case: DriverCase, power_w: float) -> None:
    """A command that accepts only a better following than the route's is refused before anything is written; one that
    accepts the route's is followed.

    If this fails: correct the route's `authority`.
    """
    async with driver_case.site() as site:
        life = await site.settled()
        offered = WEAKER_FIRST.index(site.route(power_w).authority)
        for wanted in WEAKER_FIRST[offered + 1 :]:
            refused = await site.send("set_power", power_w=power_w, accept=wanted.value)
            await site.outcome(refused, end="refused", reason="route")
        assert life.wire.written == []
        for number, wanted in enumerate(WEAKER_FIRST[: offered + 1]):
            await site.followed(power_w / (number + 1), accept=wanted.value)


@needs(Capability.CHARGE)
@safety
@simulated
async def test_site_refuses_what_is_late(driver_case: DriverCase) -> None:
    """A set-point that is older than it was good for is refused as stale, and nothing is written.

    If this fails: the clocks of twin, link and site must be one.
    """
    async with driver_case.site() as site:
        life = await site.settled()
        refused = await site.send("set_power", power_w=-POWER_W, age_s=TTL_S + 1, ttl_s=TTL_S)
        await site.outcome(refused, end="refused", reason="stale")
        await site.wait(30)
        assert life.wire.written == []


@safety
@simulated
async def test_site_answers_a_kind_that_it_cannot_follow(driver_case: DriverCase) -> None:
    """A local programme that nobody can run yet is refused with one end and a reason, and nothing is written.

    If this fails: a command that is not followed still has to end.
    """
    async with driver_case.site() as site:
        life = await site.settled()
        start, end = site.stamp(60), site.stamp(600)
        armed = await site.send("arm", product="fcr_n", capacity_w=1000.0, start_at=start, end_at=end)
        ended = await site.outcome(armed, end="refused")
        assert ended["reason"]
        await site.wait(30)
        assert life.wire.written == []


@needs(Capability.CHARGE, Capability.DISCHARGE)
@safety
@BOTH
@simulated
async def test_site_bounds_power_by_its_contract(driver_case: DriverCase, power_w: float) -> None:
    """A command beyond the contract's limit is clamped, said so, and the battery never goes beyond the limit.

    If this fails: look at the scale of the power register.
    """
    async with driver_case.site(most_w=LITTLE_W, load_w=800.0) as site:
        await site.settled()
        command = await site.send("set_power", power_w=3 * power_w)
        clamped = await site.outcome(command, deviation="clamped")
        assert abs(clamped["target_power_w"]) <= LITTLE_W
        for _ in range(12):
            assert abs(site.battery_w) <= 1.1 * LITTLE_W
            await site.wait(5)


@needs(Capability.CHARGE, Capability.DISCHARGE)
@safety
@simulated
async def test_site_ends_every_command_once(driver_case: DriverCase) -> None:
    """A change of power and a reversal are followed; each command ends once, superseded by the next.

    If this fails: look at the `reverse` sequence, and at what the first direction leaves in the registers.
    """
    async with driver_case.site() as site:
        await site.settled()
        sent = [await site.followed(power_w) for power_w in (-POWER_W, -POWER_W / 2, POWER_W, POWER_W / 2)]
        release = await site.send("release")
        await site.outcome(release, end="completed")
        ends = [site.ends(command) for command in (*sent, release)]
        assert ends == [["superseded"]] * 3 + [["completed"]] * 2


@needs(Capability.CHARGE)
@safety
@simulated
async def test_site_resumes_after_a_lost_link(driver_case: DriverCase) -> None:
    """A link that is cut under a running command is reported; when it heals with the deadline ahead the command goes on
    and ends as completed.

    If this fails: the marks of `plan` have to name every value that the sequence may write.
    """
    async with driver_case.site() as site:
        life = await site.settled()
        command = await site.followed(-POWER_W, ttl_s=300, on_expiry="release")
        life.wire.cut()
        await site.outcome(command, deviation="lost_link", within_s=60)
        assert "raised" in site.faults("comms.device_lost")
        await site.wait(40)
        life.wire.mend()
        await site.until(lambda: site.faults("comms.device_lost")[-1] == "cleared", 60, "the link is back")
        await site.until(lambda: site.follows(-POWER_W), site.settle_s(-POWER_W), "the battery follows again")
        await site.outcome(command, end="completed")
        await site.given_back()
        assert site.ends(command) == ["completed"]
