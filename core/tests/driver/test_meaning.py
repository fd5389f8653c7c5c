"""Rows whose meaning needs another row: factor, way, direction, stand-in. Properties beside examples."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samspel.contract.errors import NoAnswer
from samspel.contract.telemetry import Quality
from samspel.driver.meaning import meaning
from samspel.registers.loader import load_map

MAP = load_map(Path(__file__).parent / "second" / "second.toml")
ROWS = MAP.registers
words = st.integers(0, 0xFFFF)
looptime = pytest.mark.looptime


def meant(name: str, raw: int, **raws: int) -> float | str | None:
    return meaning(ROWS, ROWS[name], raw, raws.get)


# --- what a number means ---


@given(st.integers(-0x8000, 0x7FFF), words)
def test_a_direction_is_never_guessed(raw: int, flow: int) -> None:
    value = meant("old_power", raw, flow=flow)
    charging, discharging = bool(flow & 2), bool(flow & 4)
    if raw <= 0:
        assert value == raw, "what the device itself calls negative stays so"
    elif flow == 0xFFFF or charging == discharging:
        assert value is None
    else:
        assert value == (-raw if charging else raw)
    if raw > 0:
        assert meant("old_power", raw) is None, "without the companion nothing is known"


@given(words, words)
def test_amperes_times_volts_are_watts(amperes: int, decivolts: int) -> None:
    value = meant("charge_amperes", amperes, volts=decivolts)
    assert value is None if decivolts == 0xFFFF else value == pytest.approx(amperes * decivolts / 10)
    assert meant("charge_amperes", amperes) is None


@given(st.integers(0, 1000), st.integers(0, 1000), st.integers(0, 1000))
def test_a_way_leads_from_one_end_to_the_other(level: int, floor: int, top: int) -> None:
    value = meant("level", level, floor=floor, top=top)
    if top < floor:
        assert value is None
    else:
        assert isinstance(value, float)
        assert floor / 10 - 1e-9 <= value <= top / 10 + 1e-9
    assert meant("level", level, floor=floor) is None
    assert meant("level", level, top=top) is None


def test_the_ends_and_the_middle_of_a_way() -> None:
    assert [meant("level", level, floor=100, top=900) for level in (0, 500, 1000)] == [10, 50, 90]


# --- in telemetry ---


@pytest.fixture
async def driver(make_second):
    driver = make_second()
    await driver.identify()
    return driver


def value(readings, name):
    assert readings[name].quality is Quality.GOOD, readings[name]
    return readings[name].value


@looptime
async def test_companions_are_read_with_the_rows_that_need_them(driver, second_link):
    fast = await driver.read(("fast",))
    assert value(fast, "charge_limit_w") == 8000
    assert value(fast, "discharge_limit_w") == 10_000
    assert value(fast, "soc_pct") == 50
    assert "battery_voltage_v" not in fast, "a companion of another group is no signal of this round"


@looptime
async def test_the_last_known_value_of_a_companion_serves_for_a_quarter_of_an_hour(driver, second_link):
    await driver.read()
    second_link.reads.clear()
    second_link.words[120] = 2000
    await asyncio.sleep(899)
    assert value(await driver.read(("fast",)), "charge_limit_w") == 8000
    assert not any(address <= 120 < address + count for address, count in second_link.reads if count == 1)
    await asyncio.sleep(2)
    assert value(await driver.read(("fast",)), "charge_limit_w") == 4000


@looptime
async def test_a_companion_that_is_too_old_or_says_nothing_makes_the_value_invalid(driver, second_link):
    second_link.words[120] = 0xFFFF
    readings = await driver.read()
    assert readings["charge_limit_w"].quality is Quality.INVALID
    assert readings["charge_limit_w"].value is None
    second_link.words[120] = 4000
    assert value(await driver.read(), "charge_limit_w") == 8000
    second_link.silent[130] = second_link.silent[131] = NoAnswer("mute")
    await asyncio.sleep(901)
    assert (await driver.read(("fast",)))["soc_pct"].quality is not Quality.GOOD


@looptime
async def test_the_time_is_the_rows_own(driver, second_link):
    await driver.read()
    await asyncio.sleep(600)
    readings = await driver.read(("fast",))
    assert readings["charge_limit_w"].monotonic_s == asyncio.get_running_loop().time()


@looptime
async def test_a_stand_in_is_read_only_while_the_first_is_absent(driver, second_link):
    second_link.words[100] = 700
    assert value(await driver.read(("fast",)), "battery_power_w") == 700
    assert not any(address <= 110 < address + count for address, count in second_link.reads)
    del second_link.words[100]
    second_link.words |= {110: 900, 111: 0b010}
    readings = await driver.read(("fast",))
    assert value(readings, "battery_power_w") == -900, "in the same round"
    second_link.reads.clear()
    second_link.words[111] = 0b100
    assert value(await driver.read(("fast",)), "battery_power_w") == 900
    assert not any(address <= 100 < address + count for address, count in second_link.reads)
    second_link.words[100] = 500
    await asyncio.sleep(3601)
    assert value(await driver.read(("fast",)), "battery_power_w") == 500, "asked again after an hour"


@looptime
async def test_without_its_direction_a_power_is_invalid(driver, second_link):
    del second_link.words[100]
    second_link.words |= {110: 900, 111: 0b100}
    assert value(await driver.read(("fast",)), "battery_power_w") == 900
    del second_link.words[111]
    assert (await driver.read(("fast",)))["battery_power_w"].quality is Quality.INVALID, (
        "an old direction is no direction"
    )
    second_link.words[111] = 0
    await asyncio.sleep(3601)
    assert (await driver.read(("fast",)))["battery_power_w"].quality is Quality.INVALID
    second_link.words[110] = 0x10000 - 300
    assert value(await driver.read(("fast",)), "battery_power_w") == -300, "a signed number needs none"


@looptime
async def test_without_either_the_signal_is_absent(driver, second_link):
    del second_link.words[100], second_link.words[110]
    readings = await driver.read(("fast",))
    assert readings["battery_power_w"].quality is Quality.ABSENT
