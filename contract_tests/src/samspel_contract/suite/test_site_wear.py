"""What a restless hour costs the device: writes that wear, and commands that come too fast."""

from __future__ import annotations

from itertools import pairwise

import pytest
from samspel.contract.capability import Route, WriteLife

from samspel_contract.capabilities import Capability
from samspel_contract.case import DriverCase, needs, safety, simulated
from samspel_contract.edge import QUIET
from samspel_contract.noise import RESTFUL, Hour, magnitudes, restless_hour, wearing
from samspel_contract.site import Site
from samspel_contract.target import Target

HANDFUL = 8
POWER_W = 1500.0
JITTER_S = 0.1
REVERSALS = pytest.mark.parametrize("power_w", [-POWER_W, POWER_W], ids=["to_charge", "to_discharge"])

_hours: dict[Target, Hour] = {}
"""Several tests look at the same hour; it depends on driver, variant and seed alone."""


async def _hour(target: Target) -> Hour:
    if target not in _hours:
        _hours[target] = await restless_hour(target)
    return _hours[target]


async def _routes(driver_case: DriverCase, *powers_w: float) -> list[Route]:
    async with driver_case.site(rates=QUIET) as site:
        await site.settled()
        return [site.route(power_w) for power_w in powers_w]


def _assert_within(declared: int | None, routes: list[Route], writes: int) -> None:
    """A handful, where every route is volatile; else what was declared, which must not be nothing."""
    volatile = all(route.write_life is WriteLife.VOLATILE for route in routes)
    budget = HANDFUL if volatile else declared
    assert budget is not None, "contract.toml: [bounds] persistent_writes_per_hour: is missing; a route wears"
    assert writes <= budget, f"{writes} writes that wear; {budget} is the budget"


@needs(Capability.CHARGE, Capability.DISCHARGE, Capability.HELD_ZERO)
@safety
@simulated
async def test_site_keeps_the_write_budget(driver_case: DriverCase) -> None:
    """In an hour with a new set-point every ten seconds the registers that wear are written a handful of times where
    every route in use is volatile, else at most `[bounds] persistent_writes_per_hour`.

    If this fails: use `write_if_differs`, a volatile route, or declare the route's `write_life` as it is.
    """
    hour, declared = await _hour(driver_case.target), driver_case.target.declaration.persistent_writes_per_hour
    charge, discharge, zero = await _routes(driver_case, -POWER_W, POWER_W, 0.0)
    times = [at_s for row in wearing(driver_case.target) for at_s, _ in hour.of(row)]
    _assert_within(declared, [charge, discharge], sum(at_s < hour.moving_until for at_s in times))
    _assert_within(declared, [charge, discharge, zero], len(times))


@needs(Capability.CHARGE, Capability.DISCHARGE, Capability.HELD_ZERO)
@simulated
async def test_site_wears_nothing_for_nothing(driver_case: DriverCase) -> None:
    """In that hour no register that wears is written the value that it already holds.

    If this fails: use `write_if_differs`.
    """
    hour = await _hour(driver_case.target)
    for row in wearing(driver_case.target):
        values = [hour.before.get(row.name), *(words for _, words in hour.of(row))]
        repeated = [words for early, words in pairwise(values) if early == words]
        assert repeated == [], f"{row.name}: written again as it was"


@needs(Capability.CHARGE, Capability.DISCHARGE, Capability.HELD_ZERO)
@simulated
async def test_site_keeps_the_spacing(driver_case: DriverCase) -> None:
    """In that hour two changes of a commanded power in one direction are at least the route's `spacing_s` apart.

    If this fails: `spacing_s` of the route is longer than its sequence allows.
    """
    hour = await _hour(driver_case.target)
    assert len(hour.written) > len(hour.wanted) / 4, "the hour's set-points were not written"
    for route in await _routes(driver_case, -POWER_W, POWER_W):
        for row in magnitudes(driver_case.target, route.direction.value):
            changes = [late for early, late in pairwise(hour.of(row)) if early[1] != late[1]]
            gaps = [late[0] - early[0] for early, late in pairwise(changes)]
            assert min(gaps, default=route.spacing_s) >= route.spacing_s - JITTER_S, f"{row.name}: {min(gaps):g} s"


@needs(Capability.CHARGE, Capability.DISCHARGE)
@REVERSALS
@simulated
async def test_site_dwells_before_a_reversal(driver_case: DriverCase, power_w: float) -> None:
    """Where the map has a `reverse` sequence, the battery rests for its route's `reversal_dwell_s` between the last
    write of one direction and the first of the other.

    If this fails: the `reverse` sequence has to end at zero.
    """
    async with driver_case.site(rates=RESTFUL) as site:
        life = await site.settled()
        await site.followed(-power_w)
        dwell_s = site.route(power_w).reversal_dwell_s
        if not dwell_s or not site.map.sequences["reverse"]:
            return
        began, written = site.now, len(life.wire.written)
        command = await site.send("set_power", power_w=power_w, ttl_s=600)
        rested_s = await _rest_until_written(site, command)
        times = [began, *(one.at_s for one in life.wire.written[written:])]
        longest_s = max(late - early for early, late in pairwise(times))
        assert longest_s >= dwell_s - JITTER_S, f"at most {longest_s:g} s between two writes"
        assert rested_s > 0, "the battery was never at rest in between"


async def _rest_until_written(site: Site, command: str) -> float:
    """For how long the battery was at rest before the command had been written."""
    rested_s = 0.0
    while site.found(command, stage="written") is None:
        await site.wait(0.5)
        rested_s += 0.5 if site.at_rest else 0.0
    return rested_s
