"""Whose values stand in the control block: default, ours or foreign."""

from __future__ import annotations

import json

import pytest
from samspel.contract.driver import ControlState

pytestmark = pytest.mark.looptime

COMMAND, CHARGE_POWER, DISCHARGE_POWER, CHARGE_LIMIT, DISCHARGE_LIMIT = 200, 201, 203, 210, 212
LATER = 1e9


async def test_an_untouched_device_is_default_whatever_its_parameters_hold(driver, link):
    link.set(DISCHARGE_POWER, 2500, 2)
    assert (await driver.read_control()).state is ControlState.DEFAULT


async def test_another_mode_of_the_household_is_no_stranger_and_is_given_back(driver, link):
    """The trigger rests at more than one value; what it held is in the snapshot all the same."""
    link.set(COMMAND, 9)
    assert (await driver.read_control()).state is ControlState.DEFAULT
    assert (await driver.take())["registers"]["command"] == 9


async def test_a_latched_command_without_a_journal_is_foreign(driver, link):
    link.set(COMMAND, 2)
    link.set(DISCHARGE_POWER, 2500, 2)
    reading = await driver.read_control()
    assert reading.state is ControlState.FOREIGN
    assert "command = discharge" in reading.text


async def test_a_limit_left_at_zero_is_not_default(driver, link):
    link.set(DISCHARGE_LIMIT, 0, 2)
    reading = await driver.read_control()
    assert reading.state is ControlState.FOREIGN
    assert "discharge_limit = 0 W" in reading.text


async def test_what_this_driver_wrote_is_ours_and_what_another_changes_is_foreign(driver, link):
    snapshot = await driver.take()
    await driver.set_power(1500, LATER, snapshot, None)
    ours = await driver.read_control([], snapshot)
    assert ours.state is ControlState.OURS
    link.set(DISCHARGE_POWER, 900, 2)
    foreign = await driver.read_control([], snapshot)
    assert foreign.state is ControlState.FOREIGN
    assert foreign.fingerprint != ours.fingerprint


async def test_after_a_restart_the_marks_tell_ours(driver, make_driver, link):
    snapshot = await driver.take()
    mark = json.loads(json.dumps(driver.plan(1500)))
    await driver.set_power(1500, LATER, snapshot, None)
    restarted = make_driver()
    await restarted.identify()
    assert (await restarted.read_control([mark], snapshot)).state is ControlState.OURS
    assert (await restarted.read_control()).state is ControlState.FOREIGN
    assert (await restarted.read_control([restarted.plan(1400)], snapshot)).state is ControlState.FOREIGN


async def test_an_open_snapshot_makes_a_changed_limit_visible(driver, link):
    snapshot = await driver.take()
    link.set(CHARGE_LIMIT, 1000, 2)
    assert (await driver.read_control([], snapshot)).state is ControlState.FOREIGN
    assert (await driver.read_control()).state is ControlState.DEFAULT


async def test_a_release_leads_back_to_default(driver, link):
    snapshot = await driver.take()
    before = await driver.read_control()
    await driver.set_power(-1000, LATER, snapshot, None)
    await driver.release(snapshot)
    after = await driver.read_control([], snapshot)
    assert after.state is ControlState.DEFAULT
    assert after.fingerprint == before.fingerprint


async def test_looking_writes_nothing(driver, link):
    await driver.read_control()
    await driver.read()
    await driver.read_faults()
    assert link.writes == []


async def test_what_an_older_command_left_beside_is_in_the_newest_mark(driver, make_driver, link):
    """A power the other way, long ago: every mark that spoke of it has gone from the journal."""
    snapshot = await driver.take()
    await driver.set_power(900, LATER, snapshot, None)
    mark = driver.plan(-1500)
    await driver.set_power(-1500, LATER, snapshot, 900)
    restarted = make_driver()
    await restarted.identify()
    assert (await restarted.read_control([mark], snapshot)).state is ControlState.OURS
    again = restarted.plan(-1600)
    await restarted.set_power(-1600, LATER, snapshot, -1500)
    third = make_driver()
    await third.identify()
    assert (await third.read_control([again], snapshot)).state is ControlState.OURS


@pytest.mark.parametrize(
    ("address", "value"),
    [(COMMAND, 2), (CHARGE_LIMIT, 5000)],
    ids=["the mode of our own older command", "the limit that a release would restore"],
)
async def test_under_a_stop_only_what_the_stop_has_written_is_ours(driver, link, address, value):
    """Another's write of a value that was ours once would otherwise hide behind our own marks, and move the battery."""
    link.set(CHARGE_LIMIT, 5000, 2)
    snapshot = await driver.take()
    await driver.set_power(1500, LATER, snapshot, None)
    mark = driver.plan(1500)
    await driver.stop(snapshot)
    assert (await driver.read_control([mark], snapshot)).state is ControlState.OURS
    link.set(address, value, 1 if address == COMMAND else 2)
    assert (await driver.read_control([mark], snapshot)).state is ControlState.FOREIGN


async def test_a_command_that_ends_a_stop_is_judged_by_its_own_values(driver, link):
    snapshot = await driver.take()
    await driver.stop(snapshot)
    await driver.set_power(1500, LATER, snapshot, None)
    assert (await driver.read_control([], snapshot)).state is ControlState.OURS
