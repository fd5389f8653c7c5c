"""Signals with their signs, times and qualities."""

from __future__ import annotations

import asyncio

import pytest
from samspel.contract.errors import LinkDown, NoAnswer
from samspel.contract.telemetry import Quality

pytestmark = pytest.mark.looptime


def value(readings, name):
    assert readings[name].quality is Quality.GOOD, readings[name]
    return readings[name].value


async def test_signs_scales_and_words(driver, link):
    link.set(100, 1500, 2)
    readings = await driver.read()
    assert value(readings, "battery_power_w") == -1500
    assert value(readings, "soc_pct") == 65.5
    assert value(readings, "grid_power_w") == -400
    assert value(readings, "ac_power_w") == 900
    assert value(readings, "grid_frequency_hz") == 50.01
    assert value(readings, "battery_state") == "running"
    assert value(readings, "grid_imported_wh") == 1230
    link.set(103, 77)
    assert value(await driver.read(), "battery_state") == "standby"


async def test_a_reversed_meter_is_turned_round(make_driver, link):
    driver = make_driver(grid_sign=-1)
    await driver.identify()
    readings = await driver.read()
    assert value(readings, "grid_power_w") == 400
    assert value(readings, "grid_exported_wh") == 1230
    assert "grid_imported_wh" not in readings


async def test_while_the_meter_is_offline_nothing_behind_it_is_asked(driver, link):
    link.set(150, 0)
    link.silent[151] = LinkDown("the device closes the connection")
    readings = await driver.read()
    assert not [block for block in link.reads if block[0] <= 151 < sum(block)]
    assert readings["grid_power_w"].quality is Quality.INVALID
    assert readings["grid_power_w"].value is None
    assert value(readings, "meter_online") == 0
    assert value(readings, "soc_pct") == 65.5


async def test_a_register_that_says_not_available_is_invalid_never_zero(driver, link):
    link.set(100, 0x7FFFFFFF, 2)
    link.set(102, 1200)
    readings = await driver.read()
    assert readings["battery_power_w"].quality is Quality.INVALID
    assert readings["soc_pct"].quality is Quality.INVALID
    assert readings["soc_pct"].value is None


async def test_an_absent_register_spoils_nobody_and_is_asked_rarely(driver, link):
    del link.words[112], link.words[113]
    readings = await driver.read()
    assert readings["pv_power_w"].quality is Quality.ABSENT
    assert value(readings, "ac_power_w") == 900
    link.reads.clear()
    await driver.read()
    assert all(not address <= 112 < address + count for address, count in link.reads)


async def test_a_block_that_the_device_refuses_is_taken_apart(driver, link):
    await driver.read()
    del link.words[110], link.words[111]
    readings = await driver.read()
    assert readings["ac_power_w"].quality is Quality.ABSENT
    assert value(readings, "grid_frequency_hz") == 50.01


async def test_what_cannot_be_renewed_is_stale_with_its_own_time(driver, link):
    first = await driver.read()
    await asyncio.sleep(10)
    link.silent[151] = NoAnswer("mute")
    second = await driver.read()
    assert second["grid_power_w"].quality is Quality.STALE
    assert second["grid_power_w"].value == -400
    assert second["grid_power_w"].measured_at == first["grid_power_w"].measured_at
    assert second["soc_pct"].monotonic_s == first["soc_pct"].monotonic_s + 10


async def test_each_block_has_its_own_time(driver, link):
    await driver.read()
    link.delay_s = 0.5
    readings = await driver.read()
    assert readings["soc_pct"].monotonic_s < readings["grid_power_w"].monotonic_s


async def test_when_nothing_can_be_read_the_reason_is_raised(driver, link):
    await driver.read()
    link.silent = {address: LinkDown("gone") for address in (100, 150)}
    with pytest.raises(LinkDown):
        await driver.read()


async def test_a_cache_that_nobody_fills_is_frozen(driver, link):
    assert value(await driver.read(("fast",)), "battery_power_w") == 0
    await asyncio.sleep(299)
    assert value(await driver.read(("fast",)), "battery_power_w") == 0
    await asyncio.sleep(2)
    readings = await driver.read(("fast",))
    assert readings["battery_power_w"].quality is Quality.FROZEN
    assert readings["grid_power_w"].quality is Quality.GOOD, "one lively value behind the meter is too few to judge"
    link.set(108, 5002)
    assert value(await driver.read(("fast",)), "battery_power_w") == 0


async def test_a_quiet_night_is_not_frozen(driver, link):
    link.set(110, 0, 2)
    link.set(112, 0, 2)
    await driver.read(("fast",))
    await asyncio.sleep(900)
    assert value(await driver.read(("fast",)), "battery_power_w") == 0


async def test_fewer_requests_than_registers(driver, link):
    await driver.read()
    link.reads.clear()
    await driver.read()
    assert len(link.reads) <= 3
