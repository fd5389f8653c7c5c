"""What a driver says before and after its writes: how long a reversal rests, and what wears."""

from __future__ import annotations

import asyncio

import pytest
from samspel.contract.errors import DeviceRefused

pytestmark = pytest.mark.looptime

CHARGE_LIMIT = 210
LATER = 1e9


async def test_registers_that_wear_are_counted_as_they_are_sent(driver, link):
    snapshot = await driver.take()
    await driver.set_power(-1500, LATER, snapshot, None)
    assert driver.persistent_writes == 0, "volatile registers only"
    await driver.stop(snapshot)
    held = driver.persistent_writes
    wearing = [address for address, _ in link.writes if address in (CHARGE_LIMIT, CHARGE_LIMIT + 2)]
    assert held == len(wearing) > 0, "a stop is counted"
    await driver.release(snapshot)
    assert driver.persistent_writes > held, "so is a release"


async def test_a_refused_write_may_have_worn_all_the_same(driver, link):
    snapshot = await driver.take()
    link.refuse[CHARGE_LIMIT] = 4
    with pytest.raises(DeviceRefused):
        await driver._known.bank.write("charge_limit", 100, 2, None)
    assert driver.persistent_writes == 1
    assert snapshot


async def test_the_rest_before_a_reversal_is_known_beforehand(driver):
    snapshot = await driver.take()
    assert driver.rest_s(1000, None) == 0
    await driver.set_power(1000, LATER, snapshot, None)
    assert [driver.rest_s(power_w, 1000) for power_w in (2000, 0, -500)] == [0, 0, 5]
    await driver.set_power(0, LATER, snapshot, 1000)
    await asyncio.sleep(3)
    assert driver.rest_s(1000, 0) == 0
    assert driver.rest_s(-1000, 0) == pytest.approx(2, abs=0.5)
    await asyncio.sleep(3)
    assert driver.rest_s(-1000, 0) == 0


async def test_after_a_restart_the_journal_knows_the_way(driver):
    """Nothing was commanded by this object yet; the power in force is known from before."""
    await driver.take()
    assert driver.rest_s(-1000, 1000) == 5
