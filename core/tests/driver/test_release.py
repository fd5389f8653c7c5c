"""Giving back: exactly, provably, and nothing that somebody else has set since."""

from __future__ import annotations

import json

import pytest
from samspel.contract.driver import ControlState
from samspel.contract.errors import DriverError, LinkDown, VerifyFailed, WrongDevice
from samspel.contract.outcome import Verification
from samspel.contract.ports import Priority

pytestmark = pytest.mark.looptime

COMMAND, CHARGE_POWER, DISCHARGE_POWER, CHARGE_LIMIT, DISCHARGE_LIMIT = 200, 201, 203, 210, 212
LATER = 1e9


async def test_everything_goes_back_and_is_proved(driver, link):
    before = dict(link.words)
    snapshot = await driver.take()
    await driver.set_power(2000, LATER, snapshot, None)
    await driver.stop(snapshot)
    report = await driver.release(snapshot)
    assert link.words == before
    assert report.verification is Verification.READ_BACK
    assert Priority.RELEASE in link.priorities
    link.writes.clear()
    await driver.release(snapshot)
    assert [address for address, _ in link.writes] == [COMMAND]


async def test_the_release_removes_the_trigger_first(driver, link):
    snapshot = await driver.take()
    await driver.set_power(2000, LATER, snapshot, None)
    link.writes.clear()
    await driver.release(snapshot)
    assert link.writes[0] == (COMMAND, (0,))


async def test_a_value_that_somebody_else_has_set_is_left_alone_and_named(driver, link):
    snapshot = await driver.take()
    await driver.set_power(0, LATER, snapshot, None)
    link.set(CHARGE_LIMIT, 2222, 2)
    report = await driver.release(snapshot)
    assert link.get(CHARGE_LIMIT, 2) == 2222
    assert link.get(DISCHARGE_LIMIT, 2) == 4000
    assert "charge_limit" in report.skipped_because


async def test_after_a_restart_the_journals_marks_tell_ours_from_foreign(driver, make_driver, link):
    snapshot = json.loads(json.dumps(await driver.take()))
    marks = [json.loads(json.dumps(driver.plan(0)))]
    await driver.set_power(0, LATER, snapshot, None)
    link.set(DISCHARGE_LIMIT, 1234, 2)
    restarted = make_driver()
    await restarted.identify()
    await restarted.release(snapshot, marks)
    assert link.get(CHARGE_LIMIT, 2) == 3000
    assert link.get(DISCHARGE_LIMIT, 2) == 1234


async def test_a_stop_whose_journal_is_lost_is_still_ours(driver, make_driver, link):
    snapshot = await driver.take()
    marks = [driver.plan(1000)]
    await driver.stop(snapshot)
    restarted = make_driver()
    await restarted.identify()
    await restarted.release(snapshot, marks)
    assert (link.get(CHARGE_LIMIT, 2), link.get(DISCHARGE_LIMIT, 2)) == (3000, 4000)


async def test_without_a_snapshot_everything_goes_to_neutral(driver, link):
    link.set(COMMAND, 2)
    link.set(DISCHARGE_POWER, 2500, 2)
    link.set(CHARGE_LIMIT, 0, 2)
    await driver.release(None)
    assert (link.get(COMMAND), link.get(DISCHARGE_POWER, 2)) == (0, 0)
    assert (link.get(CHARGE_LIMIT, 2), link.get(DISCHARGE_LIMIT, 2)) == (5000, 4000)


async def test_a_ceiling_that_is_low_now_makes_the_release_incomplete(driver, link):
    snapshot = await driver.take()
    await driver.set_power(0, LATER, snapshot, None)
    link.set(104, 500, 2)
    with pytest.raises(VerifyFailed, match="charge_limit can only be set to raw 500 of 3000"):
        await driver.release(snapshot)
    assert link.get(DISCHARGE_LIMIT, 2) == 4000
    link.set(104, 5000, 2)
    await driver.release(snapshot)
    assert link.get(CHARGE_LIMIT, 2) == 3000


async def test_a_sleeping_battery_leaves_no_neutral_of_zero_behind_unnoticed(driver, link):
    link.set(CHARGE_LIMIT, 0, 2)
    link.set(104, 0, 2)
    with pytest.raises(VerifyFailed, match="charge_limit has no neutral value now"):
        await driver.release(None)


async def test_one_refused_register_does_not_keep_the_others(driver, link):
    snapshot = await driver.take()
    await driver.set_power(0, LATER, snapshot, None)
    link.refuse[CHARGE_LIMIT] = 4
    with pytest.raises(VerifyFailed, match="not given back: charge_limit: refused at 210"):
        await driver.release(snapshot)
    assert link.get(DISCHARGE_LIMIT, 2) == 4000
    link.refuse.clear()
    await driver.release(snapshot)
    assert link.get(CHARGE_LIMIT, 2) == 3000


async def test_a_silently_ignored_restore_is_found_by_reading_back(driver, link):
    snapshot = await driver.take()
    await driver.set_power(0, LATER, snapshot, None)
    link.ignore.add(DISCHARGE_LIMIT)
    with pytest.raises(VerifyFailed, match="discharge_limit does not read back as raw 4000"):
        await driver.release(snapshot)


async def test_a_lost_link_ends_the_release_at_once(driver, link):
    snapshot = await driver.take()
    await driver.set_power(0, LATER, snapshot, None)
    link.silent[CHARGE_LIMIT] = LinkDown("gone")
    with pytest.raises(LinkDown):
        await driver.release(snapshot)


async def test_a_release_uses_the_map_that_its_snapshot_was_taken_with(driver, make_driver, link):
    """An update has moved the limit elsewhere: the old snapshot still goes back to where it was read."""
    snapshot = await driver.take()
    await driver.set_power(0, LATER, snapshot, None)
    old = snapshot["map"]["text"]
    moved = old.replace("charge_limit = { address = 210", "charge_limit = { address = 205", 1)
    assert moved != old
    link.set(205, 0, 2)
    snapshot["map"] |= {"text": moved, "digest": "another"}
    updated = make_driver()
    await updated.identify()
    await updated.release(snapshot)
    assert link.get(205, 2) == 3000
    assert link.get(CHARGE_LIMIT, 2) == 0


async def test_what_somebody_elses_command_held_is_no_memory_to_go_back_to(driver, link):
    """A snapshot taken in the middle of somebody's held zero is tainted: the limit goes to neutral, not to zero."""
    link.set(DISCHARGE_LIMIT, 0, 2)
    link.set(COMMAND, 2)
    snapshot = await driver.take()
    await driver.set_power(2000, LATER, snapshot, None)
    await driver.stop(snapshot)
    await driver.release(snapshot)
    assert link.get(COMMAND) == 0
    assert link.get(DISCHARGE_LIMIT, 2) > 0


def damaged(snapshot, where):
    """The same document with one value that it never had."""
    document = json.loads(json.dumps(snapshot))
    *path, last = where
    inner = document
    for key in path:
        inner = inner[key]
    inner[last] = ["nonsense"]
    return document


@pytest.mark.parametrize(
    "where", [("schema",), ("map",), ("map", "digest"), ("registers",), ("registers", "charge_limit")]
)
async def test_a_snapshot_that_nobody_can_read_keeps_no_command_in_the_device(driver, make_driver, link, where):
    snapshot = damaged(await driver.take(), where)
    marks = [driver.plan(2000)]
    await driver.set_power(2000, LATER, await driver.take(), None)
    restarted = make_driver()
    await restarted.identify()
    assert (await restarted.read_control(marks, snapshot)).state is ControlState.OURS
    await restarted.stop(snapshot)
    assert link.get(COMMAND) == 0
    await restarted.release(snapshot, marks)
    assert (link.get(COMMAND), link.get(DISCHARGE_POWER, 2)) == (0, 0)
    assert (await restarted.read_control()).state is ControlState.DEFAULT


@pytest.mark.parametrize("where", [("schema",), ("map",), ("registers",), ("registers", "charge_limit")])
async def test_and_lets_nothing_be_commanded(driver, link, where):
    snapshot = damaged(await driver.take(), where)
    link.writes.clear()
    with pytest.raises(DriverError, match="snapshot"):
        await driver.set_power(2000, LATER, snapshot, None)
    assert link.writes == []


async def test_a_snapshot_of_another_device_is_given_back_to_nobody(driver, link):
    snapshot = {**await driver.take(), "serial": "ANOTHER"}
    link.writes.clear()
    with pytest.raises(WrongDevice):
        await driver.release(snapshot)
    assert link.writes == []


async def test_without_a_snapshot_a_limit_that_a_person_has_set_does_not_make_our_command_foreign(driver, link):
    marks = [driver.plan(2000)]
    await driver.set_power(2000, LATER, await driver.take(), None)
    assert (await driver.read_control(marks)).state is ControlState.OURS
    link.set(DISCHARGE_POWER, 1777, 2)
    assert (await driver.read_control(marks)).state is ControlState.FOREIGN
