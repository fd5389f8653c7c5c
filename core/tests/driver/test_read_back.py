"""A path on which a register reads as before for minutes after a write that landed, and routes proved by effect."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samspel.contract.capability import Verify
from samspel.contract.driver import ControlState
from samspel.contract.errors import VerifyFailed
from samspel.contract.outcome import Verification
from samspel.driver.lingering import LINGER_S, Lingering

pytestmark = pytest.mark.looptime

MODE, SHARE = 200, 201
LATER = 1e9


class Dongle:
    """In front of a link: control registers read as they were when `hold` was called."""

    def __init__(self, link):
        self.link, self.held = link, {}
        self._read, link.read = link.read, self.read

    def hold(self):
        self.held = dict(self.link.words)

    async def read(self, table, address, count, **how):
        words = await self._read(table, address, count, **how)
        held = (self.held.get(place, word) for place, word in zip(range(address, address + count), words, strict=True))
        return tuple(held) if address >= 200 else words


@pytest.fixture
def dongle(second_link):
    return Dongle(second_link)


@pytest.fixture
async def driver(make_second):
    driver = make_second(path="dongle")
    await driver.identify()
    return driver


async def test_nothing_is_verified_there_and_the_report_says_why(driver, second_link, dongle):
    snapshot = await driver.take()
    dongle.hold()
    report = await driver.set_power(-1000, LATER, snapshot, None)
    assert second_link.get(SHARE) == 100
    assert report.verification is Verification.SKIPPED
    assert "may read as before" in report.skipped_because
    assert {route.verify for route in driver.capabilities().routes} == {Verify.EFFECT}
    assert (await driver.stop(snapshot)).verification is Verification.SKIPPED


async def test_elsewhere_the_same_reading_fails(make_second, second_link, dongle):
    driver = make_second()
    await driver.identify()
    snapshot = await driver.take()
    dongle.hold()
    with pytest.raises(VerifyFailed):
        await driver.set_power(-1000, LATER, snapshot, None)


async def test_what_lingers_is_neither_default_nor_somebody_elses(driver, second_link, dongle):
    snapshot = await driver.take()
    dongle.hold()
    await driver.set_power(-1000, LATER, snapshot, None)
    assert (await driver.read_control([], snapshot)).state is ControlState.OURS
    dongle.hold()
    await driver.release(snapshot)
    assert (second_link.get(MODE), second_link.get(SHARE)) == (0, 0)
    assert (await driver.read_control()).state is ControlState.DEFAULT, "although 3 and 100 are still read"


async def test_a_third_value_is_somebody_elses(driver, second_link, dongle):
    snapshot = await driver.take()
    await driver.set_power(-1000, LATER, snapshot, None)
    second_link.words[MODE] = 2
    dongle.hold()
    assert (await driver.read_control([], snapshot)).state is ControlState.FOREIGN


async def test_a_restarted_driver_writes_what_seems_to_stand_already(driver, make_second, second_link, dongle):
    """The dongle still shows the device's own mode; it holds ours."""
    snapshot = await driver.take()
    dongle.hold()
    await driver.set_power(-1000, LATER, snapshot, None)
    restarted = make_second(path="dongle")
    await restarted.identify()
    await restarted.release(snapshot)
    assert (second_link.get(MODE), second_link.get(SHARE)) == (0, 0)


async def test_a_release_proves_nothing_there_and_says_so(driver, second_link, dongle):
    snapshot = await driver.take()
    await driver.set_power(-1000, LATER, snapshot, None)
    dongle.hold()
    report = await driver.release(snapshot)
    assert report.verification is Verification.SKIPPED
    assert "may read as before" in report.skipped_because


async def test_a_route_that_is_proved_by_effect_is_not_called_read_back(make_second, second_link):
    driver = make_second()
    await driver.identify()
    snapshot = await driver.take()
    assert (await driver.set_power(-1000, LATER, snapshot, None)).verification is Verification.READ_BACK
    report = await driver.set_power(1000, LATER, snapshot, -1000)
    assert report.verification is Verification.SKIPPED
    assert report.skipped_because == "this route is proved by the battery's own power"


async def test_somebody_who_insists_is_seen_once_our_write_has_been(driver, second_link, dongle):
    """what he writes again is what the register read before our stop"""
    snapshot = await driver.take()
    await driver.set_power(-1000, LATER, snapshot, None)
    second_link.words[MODE] = 2
    dongle.hold()
    assert (await driver.read_control([], snapshot)).state is ControlState.FOREIGN
    await driver.stop(snapshot)
    assert (await driver.read_control([], snapshot)).state is not ControlState.FOREIGN, "it lingers"
    dongle.hold()
    assert (await driver.read_control([], snapshot)).state is not ControlState.FOREIGN
    second_link.words[MODE] = 2
    dongle.hold()
    assert (await driver.read_control([], snapshot)).state is ControlState.FOREIGN


class Ticking:
    now = 0.0

    def monotonic(self):
        return self.now


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3)), max_size=30), st.integers(0, 3))
def test_only_what_was_there_before_our_last_write_lingers_and_until_that_is_read(steps, reading):
    clock = Ticking()
    memory = Lingering(clock)
    seen, last, arrived = set(), None, False
    for writes, raw in steps:
        if writes:
            seen |= {last} if last is not None else set()
            memory.wrote("x", raw)
            last, arrived = raw, False
        else:
            believed = memory.read("x", raw)
            arrived = arrived or raw == last
            assert believed == raw or (believed == last and not arrived)
            seen.add(raw)
    believed = memory.read("x", reading)
    assert believed == reading or (last is not None and believed == last and reading in seen and not arrived)
    clock.now = LINGER_S + 1
    assert memory.read("x", reading) == reading, "for so long nothing lingers"
