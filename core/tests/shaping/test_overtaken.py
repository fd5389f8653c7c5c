"""What was decided before something newer came is not written after it, however long the way to the device takes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import looptime
import pytest
from samspel.contract.command import SetPower
from samspel.contract.driver import ActiveFault
from samspel.contract.fault import Effect, FaultCode, Severity
from samspel.delivering import Delivering
from samspel.shaping.chain import Chain
from samspel.shaping.filter import Shaped
from samspel.shaping.guarded import TowardZero
from samspel.shaping.limits import BatteryLimits, ContractLimits
from samspel.shaping.slew import Slew

from .rig import GATE, SPACING_S, Rig

LIMITS = (ContractLimits(charge_w=4000, discharge_w=4000), GATE, BatteryLimits(soc_min_pct=10, soc_max_pct=90))
SLOW_SLEW = (ContractLimits(charge_w=4000, discharge_w=4000), Slew(w_per_s=50), GATE)


@asynccontextmanager
async def begun(*filters) -> AsyncIterator[Rig]:
    rig = Rig(Chain(filters or LIMITS))
    tasks = [asyncio.create_task(rig.device.controller.run()), asyncio.create_task(rig.poll())]
    await rig.device.link_up()
    await asyncio.sleep(1)
    yield rig
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def simulated(test):
    def run():
        with asyncio.Runner(loop_factory=lambda: looptime.new_event_loop(start=0, noop_cycles=1)) as runner:
            runner.run(test())

    run.__name__ = test.__name__
    return run


def moves(rig):
    """What was written, feeds apart."""
    return [(one.what, one.power_w) for one in rig.driver.log if one.what != "feed"]


def said(rig, command):
    return [one.get("stage") or one.get("deviation") or one.get("end") for one in rig.outcomes(command)]


@simulated
async def test_a_set_point_superseded_while_the_battery_is_looked_at_is_not_written():
    async with begun() as rig:
        read = rig.driver.read

        async def slow(groups):
            await asyncio.sleep(8)
            return await read(groups)

        rig.driver.read = slow
        await rig.act("power", (3000.0, 60.0))
        await asyncio.sleep(2)
        await rig.act("power", (500.0, 60.0))
        await asyncio.sleep(30)
        assert moves(rig) == [("write", 500.0)]
        assert said(rig, "c-1") == ["accepted", "superseded"], "and nothing is said after its end"


@simulated
async def test_a_set_point_superseded_while_the_device_wakes_is_not_written():
    """A driver that asks before it writes power, as the map driver does."""
    async with begun() as rig:
        write = rig.driver.set_power

        async def waking(power_w, not_after, snapshot, previous_w, wanted):
            await rig.driver.wake(100, wanted)
            return await write(power_w, not_after, snapshot, previous_w)

        rig.driver.set_power = waking
        await rig.act("power", (3000.0, 600.0))
        await asyncio.sleep(20)
        await rig.act("power", (0.0, 600.0))
        await asyncio.sleep(300)
        assert moves(rig)[0] == ("write", 0.0)
        assert ("write", 3000.0) not in moves(rig)


@simulated
async def test_a_stop_in_the_look_before_a_feed_is_not_undone_by_the_feed():
    async with begun() as rig:
        await rig.act("power", (3000.0, 600.0))
        await asyncio.sleep(3)
        looks = asyncio.Event()
        look = rig.driver.read_control

        async def slow(marks, snapshot):
            looks.set()
            await asyncio.sleep(1)
            return await look(marks, snapshot)

        rig.driver.read_control = slow
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Delivering, "strays", True)
            await looks.wait()
            await rig.act("stop", None)
            stopped_at = rig.clock.monotonic()
            await asyncio.sleep(60)
        late = [one for one in rig.driver.log if one.at > stopped_at + 0.1 and one.power_w]
        assert late == []
        assert rig.driver.power_w == 0


class Fragile:
    """A third party's filter that cannot begin twice."""

    name, hard = "fragile", False

    def __init__(self):
        self.times = 0

    def initial(self):
        self.times += 1
        if self.times > 1:
            raise RuntimeError("once is enough")

    def apply(self, state, target_w, context):
        return Shaped(state, target_w)


@pytest.mark.parametrize("how", ["stop", "release", "expiry"])
def test_a_filter_that_cannot_begin_again_is_in_nobodys_way(how):
    @simulated
    async def run():
        async with begun(TowardZero(Fragile()), *LIMITS) as rig:
            await rig.act("power", (3000.0, 10.0))
            await asyncio.sleep(5)
            assert rig.driver.power_w == 3000
            if how != "expiry":
                await rig.act(how, None)
            await asyncio.sleep(20)
            assert rig.driver.power_w == 0
            await rig.act("release", None)
            await rig.act("power", (1000.0, 10.0))
            await asyncio.sleep(30)
            assert ("write", 1000.0) not in moves(rig), "the filter is still wanted, and nothing passes by it"
            assert said(rig, f"c-{rig.seq}")[-1] == "failed"

    run()


@simulated
async def test_an_action_that_was_never_begun_is_tried_again():
    """A defect between decision and action: control begins anew, and the stop is repeated."""
    async with begun() as rig:
        await rig.act("power", (3000.0, 600.0))
        await asyncio.sleep(5)
        controller = rig.device.controller
        start, controller._start = controller._start, lambda effect: 1 / 0
        await rig.act("stop", None)
        await asyncio.sleep(1)
        controller._start = start
        again = asyncio.create_task(controller.run())
        await asyncio.sleep(30)
        assert rig.driver.power_w == 0
        again.cancel()


@simulated
async def test_after_its_own_timer_has_ended_it_a_slewed_power_begins_at_zero_again():
    async with begun(*SLOW_SLEW) as rig:
        await rig.act("power", (3000.0, 3600.0))
        await asyncio.sleep(80)
        assert rig.driver.power_w == 3000
        before = len(moves(rig))
        rig.driver.ours, rig.driver.power_w = False, 0.0
        await asyncio.sleep(15)
        assert moves(rig)[before] == ("write", 50.0)


@simulated
async def test_a_forbidden_direction_is_left_at_once_and_entered_by_the_slew():
    async with begun(*SLOW_SLEW) as rig:
        await rig.act("power", (3000.0, 3600.0))
        await asyncio.sleep(80)
        fault = ActiveFault(
            code=FaultCode.BATTERY_OVERTEMPERATURE,
            severity=Severity.MAJOR,
            effect=Effect.NO_DISCHARGE,
            text="hot",
            raw="1",
        )
        while not rig.device.faults.effects:
            rig.device._faulting.observe([fault])
            await asyncio.sleep(1)
        await asyncio.sleep(2)
        assert rig.driver.power_w == 0
        assert "clamped" in said(rig, "c-1")
        while rig.device.faults.effects:
            rig.device._faulting.observe([])
            await asyncio.sleep(1)
        await asyncio.sleep(SPACING_S + 3)
        assert 0 < rig.driver.power_w <= 50 * (SPACING_S + 3)


@simulated
async def test_what_waits_for_the_spacing_when_its_deadline_comes_was_never_written():
    async with begun() as rig:
        await rig.act("power", (1000.0, 600.0))
        await asyncio.sleep(1)
        await rig.act("power", (3000.0, 2.0))
        await asyncio.sleep(60)
        assert ("write", 3000.0) not in moves(rig)
        assert said(rig, "c-2") == ["accepted", "write_suppressed", "expired_unwritten"]


@simulated
async def test_what_is_held_after_the_deadline_is_the_power_that_stood_then():
    """`hold_then_release` holds; it does not go on to where the command had wanted to go."""
    async with begun(*SLOW_SLEW) as rig:
        deadline = rig.clock.monotonic() + 10
        rig._submit(SetPower(**rig._envelope(), power_w=3000.0, hold_s=40.0), deadline)
        await asyncio.sleep(100)
        late = [one for one in rig.driver.log if one.at > deadline and one.what == "write"]
        assert late == []
        assert moves(rig)[-1][0] == "release"
