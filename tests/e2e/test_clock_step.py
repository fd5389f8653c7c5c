"""The site's wall clock steps while a set-point is followed: it ends when it would have ended anyhow."""

from __future__ import annotations

import pytest

from .simulated import simulated_home

pytestmark = pytest.mark.looptime

TTL_S = 60.0


@pytest.mark.parametrize("vouched_for", [True, False])
@pytest.mark.parametrize("step_s", [-3600.0, -30.0, 30.0, 3600.0])
async def test_a_clock_step_never_extends_a_set_point_and_never_shortens_one(step_s, vouched_for):
    async with simulated_home() as home:
        life = await home.settled()
        sent_at = home.clock.monotonic()
        command = await home.send("set_power", power_w=2000.0, ttl_s=TTL_S, on_expiry="release")
        await home.outcome(command, stage="verified")
        home.clock.wall_offset_s, home.clock.is_synchronised = step_s, vouched_for
        await home.wait(sent_at + TTL_S - 5.0 - home.clock.monotonic())
        assert life.phase == "controlling"
        await home.outcome(command, end="completed")
        await home.until(lambda: life.phase == "released", within_s=15.0)
        assert home.clock.monotonic() < sent_at + TTL_S + 15.0


async def test_what_was_made_before_a_step_back_is_not_younger_after_it():
    """The kernel does not vouch for a clock that has just been set: without a nonce, nothing is followed."""
    async with simulated_home() as home:
        await home.settled()
        late = home.command("set_power", power_w=2000.0, ttl_s=TTL_S)
        await home.wait(TTL_S - 10.0)
        home.clock.wall_offset_s, home.clock.is_synchronised = -40.0, False
        await home.publish(late)
        refused = await home.outcome(late["id"], end="refused")
        assert refused["reason"] == "clock"
