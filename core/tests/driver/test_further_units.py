"""Rows at another unit of the same endpoint: asked when the site names it, seldom when it is silent, never written."""

from __future__ import annotations

import asyncio

import pytest
from samspel.contract.errors import DeviceRefused, LinkDown, NoAnswer
from samspel.contract.telemetry import Quality

pytestmark = pytest.mark.looptime

TEMPERATURE = "battery_temperature_c"


@pytest.fixture
def pack(make_link):
    link = make_link()
    link.words = {100: 215}
    return link


@pytest.fixture
async def driver(make_second, pack):
    driver = make_second(further={"pack": pack})
    await driver.identify()
    return driver


async def test_a_row_is_read_at_its_own_unit(driver, pack, second_link):
    second_link.words[100] = 700
    readings = await driver.read()
    assert (readings[TEMPERATURE].value, readings["battery_power_w"].value) == (21.5, 700)
    assert pack.reads == [(100, 1)]
    assert pack.writes == []


async def test_a_unit_that_the_site_does_not_name_is_absent_and_not_asked(make_second, second_link):
    driver = make_second()
    await driver.identify()
    second_link.reads.clear()
    readings = await driver.read()
    assert readings[TEMPERATURE].quality is Quality.ABSENT
    assert sum(address == 100 for address, _ in second_link.reads) == 1, "the device's own register 100"


@pytest.mark.parametrize("silence", [NoAnswer("mute"), DeviceRefused("gateway", code=11)])
async def test_a_silent_unit_is_asked_once_a_minute_and_spoils_nothing(driver, pack, silence):
    assert (await driver.read())[TEMPERATURE].value == 21.5
    pack.reads.clear()
    asked: list[float] = []

    async def fall_silent(*_args: object, **_how: object) -> tuple[int, ...]:
        asked.append(asyncio.get_running_loop().time())
        raise silence

    answering, pack.read = pack.read, fall_silent
    for _ in range(90):
        readings = await driver.read()
        assert readings[TEMPERATURE].quality is Quality.STALE
        assert readings["soc_pct"].quality is Quality.GOOD
        await asyncio.sleep(2)
    assert asked == [asked[0], asked[0] + 60, asked[0] + 120]
    pack.read = answering
    assert (await driver.read())[TEMPERATURE].quality is Quality.GOOD, "the minute is over"


async def test_a_silent_unit_does_not_end_the_round(driver, pack, second_link):
    pack.silent[100] = NoAnswer("mute")
    del second_link.words[100]
    second_link.words |= {110: 900, 111: 0b100}
    assert (await driver.read())["battery_power_w"].value == 900, "the stand-in is read after the unit was silent"


async def test_a_lost_link_is_lost_for_all(driver, pack):
    pack.silent[100] = LinkDown("gone")
    readings = await driver.read()
    assert readings[TEMPERATURE].quality is Quality.INVALID
    assert readings["soc_pct"].quality is Quality.GOOD


async def test_a_register_that_the_unit_lacks_is_absent_there_alone(driver, pack, second_link):
    del pack.words[100]
    readings = await driver.read()
    assert readings[TEMPERATURE].quality is Quality.ABSENT
    assert readings["battery_power_w"].quality is Quality.GOOD
