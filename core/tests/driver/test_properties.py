"""Whatever was cut short, wherever: a stop holds zero, nothing of ours looks foreign, a release restores exactly."""

from __future__ import annotations

import asyncio
import contextlib
import json

import looptime
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from samspel.contract.driver import ControlState
from samspel.contract.errors import NoAnswer, SamspelError, SequenceAbandoned

COMMAND, CHARGE_POWER, DISCHARGE_POWER, CHARGE_LIMIT, DISCHARGE_LIMIT = 200, 201, 203, 210, 212
LATER = 1e9

relaxed = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

POWERS = st.lists(st.sampled_from([-3000.0, -1500.5, 0.0, 0.4, 1200.0, 4000.0]), min_size=1, max_size=4)
CUT = st.integers(0, 12)
APPLIED = st.booleans()


def battery_holds_zero(link) -> bool:
    limits = (link.get(CHARGE_LIMIT, 2), link.get(DISCHARGE_LIMIT, 2))
    forced = (link.get(COMMAND), link.get(CHARGE_POWER, 2))
    return (limits == (0, 0) and forced[0] == 0) or forced == (1, 0)


def cut_after(link, count: int, *, applied: bool) -> None:
    """The link dies at the write number `count`, before or after the device has taken it."""
    seen = 0
    original = link.write

    async def write(address, words, **how):
        nonlocal seen
        seen += 1
        if seen > count:
            if applied:
                await original(address, words, **how)
            raise NoAnswer("cut")
        await original(address, words, **how)

    link.write = write


def heal(link) -> None:
    del link.write


def run(play):
    with asyncio.Runner(loop_factory=lambda: looptime.new_event_loop(start=0)) as runner:
        return runner.run(play())


def scene(make_link, make_driver_on, powers, count, applied):
    """Commands until the cut; afterwards a new process with the journal alone."""

    async def play():
        link = make_link()
        before = dict(link.words)
        driver = make_driver_on(link)
        await driver.identify()
        snapshot = json.loads(json.dumps(await driver.take()))
        marks, previous = [], None
        cut_after(link, count, applied=applied)
        try:
            for power_w in powers:
                marks.append(json.loads(json.dumps(driver.plan(power_w))))
                await driver.set_power(power_w, LATER, snapshot, previous)
                previous = power_w
        except SamspelError:
            pass
        heal(link)
        restarted = make_driver_on(link)
        await restarted.identify()
        return link, before, restarted, snapshot, marks

    return play


@relaxed
@given(powers=POWERS, count=CUT, applied=APPLIED)
def test_any_prefix_and_a_stop_hold_zero(make_link, make_driver_on, powers, count, applied):
    async def play():
        link, _, driver, snapshot, _ = await scene(make_link, make_driver_on, powers, count, applied)()
        await driver.stop(snapshot)
        assert battery_holds_zero(link)

    run(play)


@relaxed
@given(powers=POWERS, count=CUT, applied=APPLIED, stop_first=st.booleans())
def test_any_prefix_and_a_release_restore_exactly(make_link, make_driver_on, powers, count, applied, stop_first):
    async def play():
        link, before, driver, snapshot, marks = await scene(make_link, make_driver_on, powers, count, applied)()
        if stop_first:
            await driver.stop(snapshot)
        await driver.release(snapshot, marks)
        assert link.words == before
        assert (await driver.read_control(marks, snapshot)).state is ControlState.DEFAULT

    run(play)


@relaxed
@given(powers=POWERS, count=CUT, applied=APPLIED)
def test_a_cut_command_never_looks_foreign(make_link, make_driver_on, powers, count, applied):
    async def play():
        _, _, driver, snapshot, marks = await scene(make_link, make_driver_on, powers, count, applied)()
        reading = await driver.read_control(marks, snapshot)
        assert reading.state is not ControlState.FOREIGN, reading.text

    run(play)


@relaxed
@given(powers=POWERS, count=CUT, applied=APPLIED, second=st.integers(0, 6))
def test_a_release_that_was_cut_can_be_repeated(make_link, make_driver_on, powers, count, applied, second):
    async def play():
        link, before, driver, snapshot, marks = await scene(make_link, make_driver_on, powers, count, applied)()
        cut_after(link, second, applied=applied)
        with contextlib.suppress(NoAnswer):
            await driver.release(snapshot, marks)
        heal(link)
        again = make_driver_on(link)
        await again.identify()
        await again.release(snapshot, marks)
        assert link.words == before

    run(play)


@relaxed
@given(delay_ms=st.integers(0, 200), at_ms=st.integers(0, 3000), power_w=st.sampled_from([-2000.0, 0.0, 2500.0]))
def test_a_stop_at_any_moment_wins(make_link, make_driver_on, delay_ms, at_ms, power_w):
    async def play():
        link = make_link()
        driver = make_driver_on(link)
        await driver.identify()
        snapshot = await driver.take()
        link.delay_s = delay_ms / 1000
        running = asyncio.create_task(driver.set_power(power_w, LATER, snapshot, 1000.0))
        await asyncio.sleep(at_ms / 1000)
        await driver.stop(snapshot)
        result = (await asyncio.gather(running, return_exceptions=True))[0]
        assert not isinstance(result, BaseException) or isinstance(result, SequenceAbandoned)
        assert battery_holds_zero(link)

    run(play)
