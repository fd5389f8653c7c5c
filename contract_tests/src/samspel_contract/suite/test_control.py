"""Commands, and what the battery really does."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from samspel.contract.capability import Authority, Direction, PvEffect, Verify
from samspel.contract.driver import ControlState
from samspel.contract.errors import BusError, DeadlinePassed, DriverError, VerifyFailed
from samspel.contract.outcome import Verification
from samspel.driver.commander import SLEEPING

from samspel_contract.capabilities import Capability
from samspel_contract.case import DriverCase, needs, safety, simulated
from samspel_contract.rig import REST_W, STEP_S, Rig
from samspel_contract.stranger import stranger_registers

POWER_W = 1500.0
LEFT_ALONE_S = 300.0
SHOWN_S = 5.0
BOTH = pytest.mark.parametrize("power_w", [-POWER_W, POWER_W], ids=["charge", "discharge"])


def _direction(power_w: float) -> Direction:
    return Direction.DISCHARGE if power_w > 0 else Direction.CHARGE


async def _against(driver_case: DriverCase, power_w: float) -> Rig:
    """A home whose own logic moves the battery the other way, so that nothing passes by luck; for a route that follows
    the house, one whose own logic would give far more than is asked.
    """
    pv_w, load_w = (3000.0, 400.0) if power_w > 0 else (0.0, 2000.0)
    rig = driver_case.rig(pv_w=pv_w, load_w=load_w)
    await rig.driver.identify()
    route = rig.driver.capabilities().route(_direction(power_w))
    if power_w > 0 and route is not None and route.authority is not Authority.EXACT:
        rig.twin.set({"pv_power_w": 0.0, "load_power_w": 2.5 * power_w})
    return rig


@safety
@simulated
async def test_take_writes_nothing(driver_case: DriverCase) -> None:
    """Take reads what release will give back, and writes nothing.

    If this fails: move the write from the `take` sequence to where power is commanded.
    """
    rig = driver_case.rig()
    await rig.take()
    assert rig.writes() == []
    assert (await rig.driver.read_control()).state is ControlState.DEFAULT


@needs(Capability.CHARGE, Capability.DISCHARGE)
@safety
@BOTH
@simulated
async def test_battery_moves_the_right_way(driver_case: DriverCase, power_w: float) -> None:
    """The battery really charges when told to charge and discharges when told to discharge, by the commanded power,
    although its own logic would do otherwise.

    If this fails: look at the command's labels, the order of the writes, and the scale of the power register.
    """
    rig = await _against(driver_case, power_w)
    snapshot = await rig.take()
    written_w = await rig.set_power(power_w, snapshot)
    await rig.settle(_direction(power_w))
    assert written_w == pytest.approx(power_w, abs=100)
    route = rig.driver.capabilities().route(_direction(power_w))
    if route is not None and route.authority is Authority.LOAD_FOLLOWING:
        assert -REST_W <= rig.battery_w * (1 if power_w > 0 else -1) <= 1.1 * POWER_W, "the wrong way, or beyond it"
        await _let_the_house_ask(rig, power_w)
    assert rig.battery_w == pytest.approx(power_w, abs=0.1 * POWER_W)


async def _let_the_house_ask(rig: Rig, power_w: float) -> None:
    """A route that follows the house gives the whole power where the house takes more, or the sun gives more."""
    much_w, nothing_w = 2 * POWER_W, 0.0
    pv_w, load_w = (nothing_w, much_w) if power_w > 0 else (much_w, nothing_w)
    rig.twin.set({"pv_power_w": pv_w, "load_power_w": load_w})
    await rig.settle(_direction(power_w))


@needs(Capability.CHARGE, Capability.DISCHARGE)
@safety
@BOTH
@simulated
async def test_read_back_is_not_for_show(driver_case: DriverCase, power_w: float) -> None:
    """Where the route says that it is verified by read-back, the report says so too, and a device that acknowledges its
    writes without carrying them out is found out.

    If this fails: end the sequence with `verify` of the registers that it writes, or declare the route's `verify`.
    """
    rig = driver_case.rig()
    snapshot = await rig.take()
    route = rig.driver.capabilities().route(_direction(power_w))
    report = await rig.driver.set_power(power_w, rig.now + 60, snapshot, None)
    if route is None or route.verify is not Verify.READ_BACK:
        return
    assert report.verification is Verification.READ_BACK
    await rig.release(snapshot)
    rig.forget_writes()
    with pytest.raises((VerifyFailed, BusError)):
        await rig.set_power(power_w, snapshot)


@needs(Capability.CHARGE, Capability.DISCHARGE)
@BOTH
@simulated
async def test_reversal_arrives(driver_case: DriverCase, power_w: float) -> None:
    """A reversal ends at the new power, on the other side of zero.

    If this fails: look at the `reverse` sequence, and at what the first direction leaves in the registers.
    """
    rig = driver_case.rig()
    snapshot = await rig.take()
    await rig.set_power(-power_w, snapshot)
    await rig.settle(_direction(-power_w))
    await rig.set_power(power_w, snapshot, previous_w=-power_w)
    await rig.settle(_direction(power_w))
    assert rig.battery_w == pytest.approx(power_w, abs=0.1 * POWER_W)


@needs(Capability.HELD_ZERO)
@safety
@pytest.mark.parametrize("load_w", [300.0, 2700.0], ids=["surplus", "shortage"])
@simulated
async def test_held_zero_is_not_a_release(driver_case: DriverCase, load_w: float) -> None:
    """A zero is held while the house and the sun pull at the battery; a release lets the device's own logic act again.

    If this fails: 0 W needs the map's `zero` sequence; a vendor's "stop" is usually this contract's release.
    """
    rig = driver_case.rig(pv_w=1500, load_w=load_w)
    snapshot = await rig.take()
    await rig.set_power(0, snapshot)
    await rig.settle(Direction.ZERO)
    for _ in range(12):
        assert rig.at_rest, f"the battery runs at {rig.battery_w:.0f} W during a held zero"
        await rig.wait(10)
    await rig.release(snapshot)
    await rig.settle(Direction.ZERO)
    assert rig.battery_w * (load_w - 1500) > 0, "after the release the device's own logic does not act"
    assert abs(rig.battery_w) > 500


@needs(Capability.HELD_ZERO)
@simulated
async def test_held_zero_spares_the_panels(driver_case: DriverCase) -> None:
    """A held zero whose route says that it leaves PV alone does so.

    If this fails: change the order of the zero ladder, or declare the route's `pv_effect`.
    """
    rig = driver_case.rig(pv_w=2000, load_w=500)
    snapshot = await rig.take()
    await rig.set_power(0, snapshot)
    await rig.settle(Direction.ZERO)
    route = rig.driver.capabilities().route(Direction.ZERO)
    assert route is not None
    if route.pv_effect is PvEffect.NONE:
        assert rig.twin.behaviour.home.flows.pv_w == pytest.approx(2000, abs=50)


@needs(Capability.CHARGE, Capability.DISCHARGE, Capability.LIVE_LIMITS)
@safety
@BOTH
@simulated
async def test_power_beyond_the_live_limit_is_bounded(driver_case: DriverCase, power_w: float) -> None:
    """A command beyond what the battery allows now is bounded, or refused by the driver itself; the report names the
    power really written, and the device never sees a number that it has to refuse.

    If this fails: give the power register `ceiling = "charge_limit_w"` (or discharge).
    """
    rig = driver_case.rig()
    snapshot = await rig.take()
    limit_w = (await rig.driver.read())["discharge_limit_w" if power_w > 0 else "charge_limit_w"].usable()
    assert limit_w
    written_w = power_w
    with suppress(DriverError):
        written_w = await rig.set_power(power_w * 20, snapshot)
    assert written_w * power_w > 0
    assert abs(written_w) <= limit_w
    assert not [write for write in rig.writes() if write["result"] != "ok"]


@needs(Capability.CHARGE, Capability.DISCHARGE)
@safety
@simulated
async def test_control_block_tells_ours_from_foreign(driver_case: DriverCase) -> None:
    """The control block reads as default before, ours with the plan's marks, foreign without them, default after.

    If this fails: look at the neutral values and triggers of the owned registers.
    """
    rig = driver_case.rig()
    snapshot = await rig.take()
    plan = rig.driver.plan(POWER_W)
    await rig.set_power(POWER_W, snapshot)
    await rig.restart_driver()
    assert (await rig.driver.read_control()).state is ControlState.FOREIGN
    assert (await rig.driver.read_control([plan], snapshot)).state is ControlState.OURS
    await rig.release(snapshot, [plan])
    assert (await rig.driver.read_control()).state is ControlState.DEFAULT


@needs(Capability.CHARGE, Capability.DISCHARGE)
@safety
@BOTH
@simulated
async def test_nothing_is_written_after_the_deadline(driver_case: DriverCase, power_w: float) -> None:
    """No write of a set-point reaches the device after its `not_after`, wherever in the sequence that falls.

    If this fails: every write of a set-point has to carry `not_after`.
    """
    for allowed_s in (-1.0, 0.5, 1.0, 1.5, 2.0, 3.0):
        rig = driver_case.rig()
        snapshot = await rig.take()
        rig.twin.misbehave("slow", seconds=0.5)
        begin_s = rig.twin.time_s
        with suppress(DeadlinePassed):
            await rig.driver.set_power(power_w, rig.now + allowed_s, snapshot, None)
        late = [write for write in rig.writes() if float(str(write["at_s"])) - begin_s > allowed_s + STEP_S]
        assert not late, f"deadline {allowed_s:g} s after the call"
        assert allowed_s > 0 or rig.writes() == []


@needs(Capability.CHARGE, Capability.DISCHARGE)
@safety
@simulated
async def test_only_owned_registers_are_written(driver_case: DriverCase) -> None:
    """A whole life of control (take, charge, reversal, zero, feeding, stop, release) writes owned registers only.

    If this fails: a sequence writes a register that the map does not declare as one of its own.
    """
    rig = driver_case.rig()
    snapshot = await rig.take()
    await rig.set_power(-POWER_W, snapshot)
    await rig.driver.keep_alive(-POWER_W, rig.now + 60, snapshot)
    await rig.set_power(POWER_W, snapshot, previous_w=-POWER_W)
    await rig.set_power(0, snapshot, previous_w=POWER_W)
    await rig.stop(snapshot)
    await rig.release(snapshot)
    assert rig.writes()
    assert rig.stray_writes() == []


@needs(Capability.CHARGE, Capability.DISCHARGE)
@safety
@BOTH
@simulated
async def test_nothing_is_fed_after_the_deadline(driver_case: DriverCase, power_w: float) -> None:
    """Neither a device's timer is fed nor a volatile command repeated for a target whose deadline has passed, and the
    driver never feeds by itself.

    If this fails: `keep_alive` carries `not_after` like every write of a set-point; no task of the driver may feed.
    """
    rig = driver_case.rig()
    snapshot = await rig.take()
    await rig.driver.set_power(power_w, rig.now + 60, snapshot, None)
    written = len(rig.writes())
    await asyncio.sleep(LEFT_ALONE_S)
    assert len(rig.writes()) == written, "something writes although nobody has asked"
    with suppress(DeadlinePassed):
        await rig.driver.keep_alive(power_w, rig.now - 1, snapshot)
    assert len(rig.writes()) == written, "fed after the deadline"


@needs(Capability.CHARGE, Capability.DISCHARGE)
@safety
@simulated
async def test_each_driver_object_stands_for_itself(driver_case: DriverCase) -> None:
    """Two devices of the same brand at one site know nothing of each other: what one has written, taken or seen is
    never the other's.

    If this fails: something that belongs to a device is kept in a module, a class or a default argument.
    """
    rig, other = driver_case.rig(), driver_case.rig(seed=2)
    snapshot = await rig.take()
    await rig.set_power(POWER_W, snapshot)
    identity = await other.driver.identify()
    other.twin.set({"registers": await stranger_registers(driver_case.target, POWER_W)})
    await other.wait(SHOWN_S)
    assert identity.serial == other.twin.behaviour.serial
    assert (await other.driver.read_control()).state is ControlState.FOREIGN
    assert (await rig.driver.read_control()).state is ControlState.OURS
    assert other.writes() == []


@needs(Capability.WAKE, Capability.CHARGE)
@simulated
async def test_sleeping_device_is_woken(driver_case: DriverCase) -> None:
    """A device that has fallen asleep with an empty battery in the dark is woken by a command, and follows it.

    If this fails: look at the `wake` sequence, at how long it waits, and at the states that mean sleep.
    """
    rig = driver_case.rig(soc_pct=0.0, pv_w=0.0, load_w=0.0)
    await rig.driver.identify()
    for _ in range(12):
        await rig.wait(600)
        if await _is_asleep(rig):
            break
    else:
        pytest.fail("the twin never fell asleep: nothing was proved")
    snapshot = await rig.take()
    await rig.set_power(-POWER_W, snapshot)
    await rig.settle(Direction.CHARGE)
    assert rig.battery_w == pytest.approx(-POWER_W, abs=0.1 * POWER_W)


async def _is_asleep(rig: Rig) -> bool:
    readings = await rig.driver.read(("fast",))
    return any(name in readings and readings[name].value == state for name, state in SLEEPING.items())
