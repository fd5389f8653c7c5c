"""The device's own timer: fed only while somebody commands, and ending the command when nobody does."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from samspel.contract.capability import Deadman, Route
from samspel.registers.model import Life

from samspel_contract.capabilities import Capability
from samspel_contract.case import DriverCase, needs, safety, simulated
from samspel_contract.edge import QUIET
from samspel_contract.site import Site

POWER_W = 1500.0
PERIODS = 3
SLACK_S = 1.0
LONG_S = 3900.0
LOAD_W = 3000.0
CHARGE_KNOWN = replace(QUIET, fast_s=30.0)
"""Over periods of minutes a site has to go on knowing how full its battery is."""

BOTH = pytest.mark.parametrize("power_w", [-POWER_W, POWER_W], ids=["charge", "discharge"])


def _timeout_s(route: Route) -> float:
    assert route.deadman_s, f"{route.name}: a route with a timer states its deadman_s"
    return route.deadman_s


def _feeds(site: Site, since: float) -> list[float]:
    """When the device's timer was fed: writes of the map's feed sequence, or of the repeated command."""
    feed = {name for step in site.map.sequences["feed"] for name in step.registers}
    names = site.map.owned if site.map.feed_repeats else feed
    rows = [site.map.registers[name] for name in names]
    written = [one for one in site.life.wire.written if one.at_s >= since]
    return [one.at_s for one in written if any(one.of(row.address, row.count) is not None for row in rows)]


def _longest_s(site: Site, power_w: float) -> float:
    """Half a period. A repeated command that wears is written only where it differs: what ends by a clock moves in
    steps of its own, and the repetition that moves it comes up to one `feed_s` after the step.
    """
    route, owned = site.route(power_w), [site.map.registers[name] for name in site.map.owned]
    spared = site.map.feed_repeats and all(row.life is Life.PERSISTENT for row in owned)
    return _timeout_s(route) / 2 + SLACK_S + ((route.feed_s or 0.0) if spared else 0.0)


async def _live_on(site: Site, seconds: float) -> None:
    """No house stands still; readings that do count as frozen, and by those nothing is commanded."""
    end = site.now + seconds
    while site.now < end:
        site.twin.set({"load_power_w": LOAD_W + site.now % 40})
        await site.wait(min(30.0, end - site.now))


async def _assert_lets_go(site: Site, power_w: float, what: str) -> None:
    """Within the timeout and the device's own latency the battery has left the commanded power, and does not return."""
    timeout_s = _timeout_s(site.route(power_w))
    await site.wait(timeout_s + site.settle_s(power_w))
    for _ in range(6):
        assert not site.follows(power_w), f"{what}: still {site.battery_w:.0f} W after {timeout_s:g} s"
        await site.wait(10)


@needs(Capability.DEVICE_TIMER, Capability.CHARGE, Capability.DISCHARGE)
@safety
@BOTH
@simulated
async def test_site_feeds_the_timer_in_time(driver_case: DriverCase, power_w: float) -> None:
    """While a set-point is valid the timer is fed at least twice in each of its periods, and the battery follows on.

    If this fails: `feed_s` of the route must be at most half of `deadman_s`.
    """
    async with driver_case.site(rates=CHARGE_KNOWN) as site:
        await site.settled()
        if site.route(power_w).deadman is not Deadman.TIMEOUT:
            return
        timeout_s = _timeout_s(site.route(power_w))
        await site.followed(power_w, ttl_s=PERIODS * timeout_s + 120)
        since = site.now
        await _live_on(site, PERIODS * timeout_s)
        times = [since, *_feeds(site, since), site.now]
        longest_s = max(late - early for early, late in pairwise(times))
        assert longest_s <= _longest_s(site, power_w), f"{longest_s:g} s without feeding, the timer is {timeout_s:g} s"
        assert site.follows(power_w), f"{site.battery_w:.0f} W"


@needs(Capability.DEVICE_TIMER, Capability.CHARGE, Capability.DISCHARGE)
@safety
@BOTH
@simulated
async def test_site_timer_ends_what_a_dead_edge_left(driver_case: DriverCase, power_w: float) -> None:
    """When the edge dies, the device goes back to its own logic within the timeout that its route declares.

    If this fails: correct `deadman` and `deadman_s`, or find out what feeds the timer besides the control tick.
    """
    async with driver_case.site(rates=QUIET) as site:
        life = await site.settled()
        if site.route(power_w).deadman is Deadman.TIMEOUT:
            await site.followed(power_w)
            await life.kill()
            await _assert_lets_go(site, power_w, "the edge is dead")


@needs(Capability.DEVICE_TIMER, Capability.CHARGE, Capability.DISCHARGE)
@safety
@BOTH
@simulated
async def test_site_timer_ends_what_a_cut_link_left(driver_case: DriverCase, power_w: float) -> None:
    """When the link is cut, the device goes back to its own logic within the timeout that its route declares.

    If this fails: correct `deadman` and `deadman_s`.
    """
    async with driver_case.site(rates=QUIET) as site:
        life = await site.settled()
        if site.route(power_w).deadman is Deadman.TIMEOUT:
            await site.followed(power_w)
            life.wire.cut()
            await _assert_lets_go(site, power_w, "the link is cut")


@needs(Capability.DEVICE_TIMER, Capability.CHARGE, Capability.DISCHARGE)
@safety
@BOTH
@simulated
async def test_site_stops_feeding_what_has_expired(driver_case: DriverCase, power_w: float) -> None:
    """When its set-point has expired, nothing feeds the timer any more.

    If this fails: only a control tick that holds an unexpired target may feed.
    """
    async with driver_case.site(rates=QUIET) as site:
        await site.settled()
        if site.route(power_w).deadman is not Deadman.TIMEOUT:
            return
        command = await site.followed(power_w, ttl_s=60, on_expiry="release")
        await site.outcome(command, end="completed")
        await site.given_back()
        since = site.now
        await site.wait(2 * _timeout_s(site.route(power_w)))
        assert _feeds(site, since) == []


@needs(Capability.CHARGE, Capability.DISCHARGE)
@safety
@BOTH
@simulated
async def test_site_route_without_timer_goes_on(driver_case: DriverCase, power_w: float) -> None:
    """A route that declares no timer goes on for more than an hour after its edge has died: what is said about the
    device is what it does. A route that is repeated all the same (`feed_s`, since nobody is sure) outlasts at least two
    repetitions that fail.

    If this fails: the route has a timer; declare `deadman = "timeout"` with its `deadman_s`, or repeat more often.
    """
    async with driver_case.site(rates=QUIET) as site:
        life = await site.settled()
        route = site.route(power_w)
        if route.deadman is not Deadman.NONE:
            return
        await site.followed(power_w, ttl_s=2 * LONG_S)
        await life.kill()
        await site.wait(LONG_S if route.feed_s is None else 2 * route.feed_s)
        assert site.follows(power_w), f"{site.battery_w:.0f} W"
