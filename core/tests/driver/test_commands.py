"""Commands over a scripted device in simulated time."""

from __future__ import annotations

import asyncio

import pytest
from samspel.contract.driver import ControlState
from samspel.contract.errors import (
    DeadlinePassed,
    DeviceBusy,
    DeviceRefused,
    DriverError,
    NoAnswer,
    RequirementFailed,
    RouteUnavailable,
    SequenceAbandoned,
    VerifyFailed,
    WrongDevice,
)
from samspel.contract.outcome import Verification
from samspel.contract.ports import Priority

pytestmark = pytest.mark.looptime

COMMAND, CHARGE_POWER, DISCHARGE_POWER, CHARGE_LIMIT, DISCHARGE_LIMIT = 200, 201, 203, 210, 212
LATER = 1e9


def addresses(link):
    return [address for address, _ in link.writes]


async def test_charge_writes_parameters_before_the_trigger_and_reads_back(driver, link):
    snapshot = await driver.take()
    assert link.writes == []
    report = await driver.set_power(-1500.9, LATER, snapshot, None)
    assert addresses(link) == [CHARGE_POWER, COMMAND]
    assert link.get(CHARGE_POWER, 2) == 1500
    assert link.get(COMMAND) == 1
    assert report.power_w == -1500
    assert report.verification is Verification.READ_BACK
    assert report.mark == {"registers": {"charge_power": [1500], "command": [1]}}
    assert set(link.priorities) == {Priority.SET_POINT}


@pytest.mark.parametrize("power_w", [float("nan"), float("inf"), float("-inf")])
async def test_a_power_that_is_no_number_is_refused(driver, link, power_w):
    snapshot = await driver.take()
    with pytest.raises(DriverError, match="finite"):
        await driver.set_power(power_w, LATER, snapshot, None)
    assert link.writes == []


async def test_a_live_ceiling_bounds_the_write_and_the_report_says_so(driver, link):
    snapshot = await driver.take()
    link.set(106, 2500, 2)
    report = await driver.set_power(4000, LATER, snapshot, None)
    assert link.get(DISCHARGE_POWER, 2) == 2500
    assert report.power_w == 2500


async def test_a_ceiling_older_than_a_minute_is_read_again(driver, link):
    snapshot = await driver.take()
    await driver.set_power(3000, LATER, snapshot, None)
    link.set(106, 1000, 2)
    await asyncio.sleep(59)
    await driver.set_power(3000, LATER, snapshot, 3000)
    assert link.get(DISCHARGE_POWER, 2) == 3000
    await asyncio.sleep(2)
    await driver.set_power(3000, LATER, snapshot, 3000)
    assert link.get(DISCHARGE_POWER, 2) == 1000


async def test_reversal_runs_the_reverse_sequence_and_dwells(driver, link):
    snapshot = await driver.take()
    await driver.set_power(1000, LATER, snapshot, None)
    link.writes.clear()
    start = asyncio.get_running_loop().time()
    await driver.set_power(-1000, LATER, snapshot, 1000)
    assert asyncio.get_running_loop().time() - start >= 5
    assert addresses(link) == [COMMAND, CHARGE_POWER, COMMAND]
    assert link.writes[0][1] == (0,)


async def test_a_reversal_by_way_of_zero_dwells_for_what_is_left(driver):
    snapshot, loop = await driver.take(), asyncio.get_running_loop()
    await driver.set_power(1000, LATER, snapshot, None)
    await driver.set_power(0, LATER, snapshot, 1000)
    await asyncio.sleep(3)
    start = loop.time()
    await driver.set_power(500, LATER, snapshot, 0)
    assert loop.time() - start < 1, "the same way again needs no rest"
    await driver.set_power(0, LATER, snapshot, 500)
    start = loop.time()
    await asyncio.sleep(3)
    await driver.set_power(-1000, LATER, snapshot, 0)
    assert 5 <= loop.time() - start < 6


async def test_a_dwell_outlives_the_command_that_began_it(driver, link):
    snapshot, loop = await driver.take(), asyncio.get_running_loop()
    await driver.set_power(1000, LATER, snapshot, None)
    start = loop.time()
    for _ in range(2):
        with pytest.raises(DeadlinePassed, match="rests for another"):
            await driver.set_power(-1000, loop.time() + 2, snapshot, 1000)
    assert loop.time() - start == pytest.approx(4)
    assert link.get(COMMAND) == 0
    await driver.set_power(-1000, loop.time() + 2, snapshot, 1000)
    assert 5 <= loop.time() - start < 6
    assert link.get(COMMAND) == 1


async def test_a_driver_that_has_moved_nothing_is_told_what_the_battery_rests_from(driver):
    snapshot = await driver.take()
    assert (driver.rest_s(-1000, 500), driver.rest_s(-1000, -500), driver.rest_s(-1000, None)) == (5, 0, 0)
    await driver.set_power(0, LATER, snapshot, None)
    await asyncio.sleep(3)
    assert (driver.rest_s(-1000, 500), driver.rest_s(-1000, -500), driver.rest_s(-1000, None)) == (2, 0, 0)
    await driver.set_power(700, LATER, snapshot, 0)
    assert driver.rest_s(1000, -500) == 0, "a device that took nothing of it was told to move all the same"
    assert driver.rest_s(-1000, 700) == 5
    await driver.set_power(0, LATER, snapshot, 700)
    assert (driver.rest_s(-1000, 700), driver.rest_s(1000, 700)) == (5, 0)


async def test_after_a_release_nobody_knows_how_the_battery_moved(driver):
    snapshot, loop = await driver.take(), asyncio.get_running_loop()
    await driver.set_power(1000, LATER, snapshot, None)
    await driver.set_power(0, LATER, snapshot, 1000)
    await driver.release(snapshot)
    start = loop.time()
    await driver.set_power(-1000, LATER, await driver.take(), None)
    assert loop.time() - start < 1


async def test_a_sleeping_device_is_woken_first(driver, link):
    snapshot = await driver.take()
    link.set(103, 1)
    waking = asyncio.create_task(driver.set_power(1000, LATER, snapshot, None))
    await asyncio.sleep(3)
    assert addresses(link) == [180]
    link.set(103, 2)
    await waking
    assert link.get(COMMAND) == 2


async def test_a_device_that_does_not_wake_is_not_commanded(driver, link):
    snapshot = await driver.take()
    link.set(103, 1)
    with pytest.raises(RequirementFailed, match="battery_state is asleep"):
        await driver.set_power(1000, LATER, snapshot, None)
    assert link.get(COMMAND) == 0


async def test_nothing_is_sent_after_the_deadline(driver, link):
    snapshot = await driver.take()
    link.delay_s = 1.0
    now = asyncio.get_running_loop().time()
    with pytest.raises(DeadlinePassed):
        await driver.set_power(1000, now + 1.5, snapshot, None)
    assert link.get(COMMAND) == 0


async def test_zero_holds_by_limits_and_names_the_rung(driver, link):
    snapshot = await driver.take()
    await driver.set_power(2000, LATER, snapshot, None)
    report = await driver.set_power(0, LATER, snapshot, 2000)
    assert (link.get(CHARGE_LIMIT, 2), link.get(DISCHARGE_LIMIT, 2), link.get(COMMAND)) == (0, 0, 0)
    assert report.rung == "limits"
    assert report.power_w == 0


async def test_a_refused_rung_leads_to_the_next_one(driver, link):
    snapshot = await driver.take()
    link.refuse[CHARGE_LIMIT] = 4
    report = await driver.stop(snapshot)
    assert report.rung == "forced_zero"
    assert (link.get(CHARGE_POWER, 2), link.get(COMMAND)) == (0, 1)


async def test_a_rung_that_does_not_read_back_leads_to_the_next_one(driver, link):
    snapshot = await driver.take()
    link.ignore.add(CHARGE_LIMIT)
    assert (await driver.stop(snapshot)).rung == "forced_zero"


async def test_when_no_rung_is_taken_the_refusal_is_raised_with_all_rungs(driver, link):
    snapshot = await driver.take()
    link.refuse[COMMAND] = 4
    with pytest.raises(DeviceRefused) as caught:
        await driver.stop(snapshot)
    assert any("limits" in note and "forced_zero" in note for note in caught.value.__notes__)


async def test_a_lost_link_does_not_walk_down_the_ladder(driver, link):
    snapshot = await driver.take()

    def cut(address):
        raise NoAnswer("mute")

    link.before_write = cut
    with pytest.raises(NoAnswer):
        await driver.stop(snapshot)


async def test_a_busy_device_is_not_asked_for_the_next_rung(driver, link):
    snapshot = await driver.take()

    def busy(address):
        raise DeviceBusy("patience", code=6)

    link.before_write = busy
    with pytest.raises(DeviceBusy) as caught:
        await driver.stop(snapshot)
    assert not hasattr(caught.value, "__notes__")


async def test_a_write_without_an_answer_leaves_nothing_known(driver, link):
    snapshot = await driver.take()
    take = link.write

    async def take_and_fall_silent(address, words, **how):
        await take(address, words, **how)
        if address == CHARGE_LIMIT:
            raise NoAnswer("mute")

    link.write = take_and_fall_silent
    with pytest.raises(NoAnswer):
        await driver.set_power(0, LATER, snapshot, None)
    link.write = take
    await driver.set_power(-1000, LATER, snapshot, None)
    assert link.get(CHARGE_LIMIT, 2) == 3000, "a value remembered from before would have left it at 0"


async def test_an_abandoned_sequence_sends_nothing_after_the_write_in_flight(driver, link):
    snapshot = await driver.take()
    link.delay_s = 0.2
    running = asyncio.create_task(driver.set_power(0, LATER, snapshot, None))
    await asyncio.sleep(0.1)
    await driver.stop(snapshot)
    assert addresses(link)[:2] == [DISCHARGE_LIMIT, COMMAND]
    with pytest.raises(SequenceAbandoned):
        await running


async def test_after_zero_a_charge_lifts_only_its_own_limit(driver, link):
    snapshot = await driver.take()
    await driver.set_power(0, LATER, snapshot, None)
    await driver.set_power(-1000, LATER, snapshot, 0)
    assert link.get(CHARGE_LIMIT, 2) == 3000
    assert link.get(DISCHARGE_LIMIT, 2) == 0


async def test_a_write_that_does_not_read_back_is_reported(driver, link):
    snapshot = await driver.take()
    link.ignore.add(COMMAND)
    with pytest.raises(VerifyFailed, match="command was written as raw 2 and reads 0"):
        await driver.set_power(1000, LATER, snapshot, None)


async def test_keep_alive_repeats_the_command_without_wearing_persistent_registers(driver, link):
    snapshot = await driver.take()
    await driver.set_power(0, LATER, snapshot, None)
    link.writes.clear()
    for _ in range(5):
        await asyncio.sleep(40)
        await driver.keep_alive(0, LATER, snapshot)
    assert link.writes == []
    await driver.set_power(-700, LATER, snapshot, 0)
    link.writes.clear()
    await driver.keep_alive(-700, LATER, snapshot)
    assert addresses(link) == [CHARGE_POWER, COMMAND]


async def test_stop_abandons_a_running_sequence_and_comes_after_its_write(driver, link):
    snapshot = await driver.take()
    link.delay_s = 0.2
    running = asyncio.create_task(driver.set_power(2000, LATER, snapshot, None))
    await asyncio.sleep(0.7)
    assert addresses(link) == [DISCHARGE_POWER]
    await driver.stop(snapshot)
    with pytest.raises(SequenceAbandoned):
        await running
    assert link.get(COMMAND) == 0
    assert (link.get(CHARGE_LIMIT, 2), link.get(DISCHARGE_LIMIT, 2)) == (0, 0)


async def test_stop_does_not_wait_for_a_dwell(driver, link):
    snapshot = await driver.take()
    running = asyncio.create_task(driver.set_power(-2000, LATER, snapshot, 2000))
    await asyncio.sleep(1)
    start = asyncio.get_running_loop().time()
    await driver.stop(snapshot)
    assert asyncio.get_running_loop().time() - start < 0.1
    with pytest.raises(SequenceAbandoned):
        await running


async def test_a_set_point_that_waits_or_comes_during_a_stop_is_abandoned(driver, link):
    snapshot = await driver.take()
    link.delay_s = 0.5
    first = asyncio.create_task(driver.set_power(2000, LATER, snapshot, None))
    await asyncio.sleep(0)
    second = asyncio.create_task(driver.set_power(2500, LATER, snapshot, None))
    await asyncio.sleep(0)
    stopping = asyncio.create_task(driver.stop(snapshot))
    await asyncio.sleep(0)
    third = asyncio.create_task(driver.keep_alive(2500, LATER, snapshot))
    results = await asyncio.gather(first, second, stopping, third, return_exceptions=True)
    assert [isinstance(one, SequenceAbandoned) for one in results] == [True, True, False, True]
    assert link.get(COMMAND) == 0


async def test_a_release_waits_for_a_stop_and_a_stop_abandons_a_release(driver, link):
    snapshot = await driver.take()
    link.delay_s = 0.2
    stopping = asyncio.create_task(driver.stop(snapshot))
    await asyncio.sleep(0.1)
    releasing = asyncio.create_task(driver.release(snapshot))
    await stopping
    await asyncio.sleep(0.5)
    await driver.stop(snapshot)
    with pytest.raises(SequenceAbandoned):
        await releasing
    assert (link.get(CHARGE_LIMIT, 2), link.get(DISCHARGE_LIMIT, 2)) == (0, 0)


async def test_take_refuses_what_could_not_be_given_back(driver, link):
    link.set(CHARGE_LIMIT, 0xFFFFFFFF, 2)
    with pytest.raises(RequirementFailed, match="charge_limit reads 'not available'"):
        await driver.take()


async def test_take_checks_its_requirements(driver, link):
    link.set(170, 1)
    with pytest.raises(RequirementFailed, match="the battery is being calibrated"):
        await driver.take()
    del link.words[170]
    await driver.take()


async def test_unknown_firmware_is_read_only_until_allowed(make_driver, link):
    link.set(12, 0x5632)  # V2.150
    driver = make_driver()
    await driver.identify()
    assert "outside every known range" in driver.capabilities().read_only_because
    with pytest.raises(RequirementFailed, match="read only"):
        await driver.take()
    allowed = make_driver(allow_firmware=True)
    await allowed.identify()
    snapshot = await allowed.take()
    with pytest.raises(RouteUnavailable):
        await driver.set_power(100, LATER, snapshot, None)
    await allowed.set_power(100, LATER, snapshot, None)


async def test_another_devices_snapshot_is_never_used(driver, link):
    snapshot = await driver.take() | {"serial": "OTHER"}
    with pytest.raises(WrongDevice):
        await driver.release(snapshot)
    assert link.writes == []


async def test_the_plan_covers_what_is_written(driver, link):
    snapshot = await driver.take()
    for power_w in (1500.0, -1500.0, 0.0):
        mark = driver.plan(power_w)
        await driver.set_power(power_w, LATER, snapshot, None)
        reading = await driver.read_control([mark], snapshot)
        assert reading.state is ControlState.OURS, reading.text
