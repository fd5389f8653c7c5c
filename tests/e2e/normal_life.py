"""A home with sun, clouds and a household, whose battery is commanded now and then: nothing is wrong all day."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

from samspel.edge import Rates
from samspel_contract.site import Site, open_site
from samspel_contract.target import Target

__all__ = ["HONEST", "live", "what_was_said"]

RATES = Rates(fast_s=5.0, slow_s=30.0, static_s=3600.0, faults_s=60.0)
MIDNIGHT_S = 180.0
HONEST = ("dwell: reversal", "clamped: soc", "clamped: live_limit", "clamped: ac_limit", "side_effect: pv")
"""What a good day may hold, each only where it is true."""


async def live(target: Target, *, hours: float, seed: int) -> Site:
    """So many hours from one seed; the site is given back for what it said."""
    rng = random.Random(seed)
    async with open_site(target, rates=RATES, soc_pct=55.0, seed=seed, step_s=1.0) as site:
        home = site.twin.behaviour.home
        home.panels.by_day, home.panels.mean_w, home.panels.noise.sigma = True, 5000.0, 0.08
        home.household.mean_w, home.household.noise.sigma, home.household.noise.tau_s = 900.0, 250.0, 90.0
        home.epoch_s = 6 * 3600.0
        site.twin.set({"pv_power_w": None, "load_power_w": None})
        jitter = asyncio.create_task(_jitter(site, random.Random(seed + 1)))
        await site.settled()
        until = site.now + 3600 * hours
        while site.now < until:
            await _command(site, rng)
            if rng.random() < 0.3:  # a kettle, an oven, a car
                home.household.mean_w = rng.choice([300.0, 900.0, 2500.0, 6000.0])
        jitter.cancel()
        return site


async def _jitter(site: Site, rng: random.Random) -> None:
    """What is measured never stands still to the last digit; a twin's frequency would."""
    while True:
        site.twin.set({"grid_frequency_hz": 50.0 + rng.gauss(0.0, 0.02)})
        await site.wait(5.0)


async def _command(site: Site, rng: random.Random) -> None:
    """One set-point for some minutes, or the battery on its own for a while; charge is kept near the middle."""
    soc = site.twin.behaviour.home.battery.soc_pct
    way = -1 if soc < 35 else 1 if soc > 75 else rng.choice([-1, 1])
    power_w = rng.choice([0.0, 500.0, 1000.0, 2000.0, 3000.0, 4500.0]) * way
    lasts_s = rng.choice([20.0, 60.0, 300.0, 900.0])
    await site.send("set_power", power_w=power_w, ttl_s=lasts_s + 5.0, on_expiry="release")
    await site.wait(lasts_s if rng.random() < 0.8 else lasts_s + 300.0)


def what_was_said(site: Site) -> Counter[str]:
    """Every deviation, by class and reason."""
    said = (one for one in site.messages if "deviation" in one and not _is_midnight(site, one["_at"]))
    return Counter(f"{one['deviation']}: {one['reason']}" for one in said)


def _is_midnight(site: Site, at: float) -> bool:
    """A slot of the device's clock never crosses midnight: there its own logic really takes over for a while."""
    by_the_clock = any("slot" in name for name in site.map.owned)
    second = (site.twin.behaviour.home.epoch_s + at) % 86400
    return by_the_clock and min(second, 86400 - second) < MIDNIGHT_S
