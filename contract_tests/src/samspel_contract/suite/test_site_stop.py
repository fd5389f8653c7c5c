"""A stop at a whole site: through everything, latched, and ended only as the contract says."""

from __future__ import annotations

import pytest
from samspel.edge import Rates

from samspel_contract.capabilities import Capability
from samspel_contract.case import DriverCase, needs, safety, simulated
from samspel_contract.edge import QUIET
from samspel_contract.site import Site

POWER_W = 1500.0
HELD_S = 60
MOST_WRITES = 40
SLOW_S = 0.8
SLACK_S = 0.3
BUSY = Rates(fast_s=0.1, slow_s=0.1, static_s=0.1, faults_s=0.1)
BOTH = pytest.mark.parametrize("power_w", [-POWER_W, POWER_W], ids=["charge", "discharge"])


async def _assert_held(site: Site, where: str = "") -> None:
    """At rest within the declared bound, and from then on."""
    bound_s = site.target.declaration.stop_s
    await site.wait(bound_s)
    for _ in range(HELD_S // 5):
        assert site.at_rest, f"{where}: {site.battery_w:.0f} W, {bound_s:g} s after the stop and later"
        await site.wait(5)


@needs(Capability.HELD_ZERO, Capability.CHARGE)
@safety
@pytest.mark.parametrize("how", ["kill", "terminate"])
@simulated
async def test_site_stop_survives_a_restart(driver_case: DriverCase, how: str) -> None:
    """A stop holds while no edge runs and in the next one, refuses set-points, and ends by a release.

    If this fails: zero must be held by the device itself, or asserted again before anything else.
    """
    async with driver_case.site() as site:
        life = await site.settled()
        held = await site.followed(-POWER_W)
        stop = await site.send("stop")
        await site.outcome(stop, stage="verified")
        await _assert_held(site)
        left = await (life.kill() if how == "kill" else life.terminate())
        await site.wait(5)
        life = await site.begin(left)
        await site.until(lambda: life.device.controller.state.link_up, 60, "the link is up")
        await _assert_held(site, "after the restart")
        assert life.phase == "stopped"
        refused = await site.send("set_power", power_w=-POWER_W)
        await site.outcome(refused, end="refused", reason="stopped")
        release = await site.send("release")
        await site.outcome(release, end="completed")
        await site.given_back()
        assert (site.ends(held), site.ends(stop)) == (["superseded"], ["completed"])


@needs(Capability.HELD_ZERO, Capability.CHARGE)
@safety
@simulated
async def test_site_stop_does_not_wait_for_polling(driver_case: DriverCase) -> None:
    """With many slow reads pending the first write of a stop comes after at most the transaction in flight and the
    declared gap.

    If this fails: `gap_s` or `write_gap_s` of the path is longer than the device needs.
    """
    async with driver_case.site(rates=BUSY) as site:
        life = await site.settled()
        await site.followed(-POWER_W)
        site.twin.misbehave("slow", seconds=SLOW_S)
        await site.wait(20)
        written, began = len(life.wire.written), site.now
        await site.send("stop")
        await site.until(lambda: len(life.wire.written) > written, 30, "the stop's first write")
        profile = life.profile
        transaction_s = SLOW_S + site.twin.behaviour.link.answer_s
        bound_s = transaction_s + max(profile.gap_s, profile.write_gap_s) + SLACK_S
        assert life.wire.written[written].at_s - began <= bound_s
        await _assert_held(site)


@needs(Capability.HELD_ZERO, Capability.CHARGE, Capability.DISCHARGE)
@safety
@BOTH
@simulated
async def test_site_stop_during_every_step(driver_case: DriverCase, power_w: float) -> None:
    """A stop that arrives right after any single write of a set-point brings the battery to zero within the declared
    bound and keeps it there; the set-point ends as superseded.

    If this fails: the first write of the `stop` rung must remove power, whatever parameters stand in the registers.
    """
    for writes in range(1, MOST_WRITES):
        async with driver_case.site(rates=QUIET) as site:
            life = await site.settled()
            command = await site.send("set_power", power_w=power_w, ttl_s=600)
            await _written_or_verified(site, writes, command)
            if len(life.wire.written) < writes:
                assert writes > 1, "the sequence wrote nothing"
                return
            stop = await site.send("stop")
            await site.outcome(stop, stage="verified", within_s=60)
            await _assert_held(site, f"after write {writes}")
            assert site.ends(command) == ["superseded"]
    pytest.fail(f"the sequence has more than {MOST_WRITES} writes")


async def _written_or_verified(site: Site, writes: int, command: str) -> None:
    written = site.life.wire.written
    await site.until(lambda: len(written) >= writes or site.found(command, stage="verified") is not None)


@needs(Capability.HELD_ZERO, Capability.CHARGE, Capability.DISCHARGE)
@safety
@simulated
async def test_site_stop_overtakes_two_hundred_set_points(driver_case: DriverCase) -> None:
    """Two hundred set-points and then a stop, all at once: zero within the declared bound, and each command has ended
    exactly once.

    If this fails: the driver may not queue what has been superseded.
    """
    async with driver_case.site() as site:
        await site.settled()
        sent = [await site.send("set_power", power_w=(-1) ** n * POWER_W, ttl_s=600) for n in range(200)]
        stop = await site.send("stop")
        await site.outcome(stop, stage="verified", within_s=60)
        await _assert_held(site)
        assert {len(site.ends(one)) for one in sent} == {1}
        assert site.ends(stop) == []


@needs(Capability.HELD_ZERO, Capability.CHARGE)
@safety
@simulated
async def test_site_stop_waits_for_a_dead_link_and_comes_first(driver_case: DriverCase) -> None:
    """A stop without a link is pending and alarmed; when the link heals, zero is reached within the declared bound.

    If this fails: the stop sequence must not need anything that was read before the link was lost.
    """
    async with driver_case.site() as site:
        life = await site.settled()
        await site.followed(-POWER_W, ttl_s=600)
        life.wire.cut()
        stop = await site.send("stop")
        await site.outcome(stop, stage="pending", within_s=60)
        assert site.faults("control.stop_failed") == ["raised"]
        await site.wait(60)
        life.wire.mend()
        await site.outcome(stop, stage="verified", within_s=90)
        await _assert_held(site)
        assert site.faults("control.stop_failed") == ["raised", "cleared"]
