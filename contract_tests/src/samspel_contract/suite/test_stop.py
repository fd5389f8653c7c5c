"""Zero, now, from wherever the device stands."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from samspel.contract.driver import Mark, Snapshot
from samspel.contract.errors import BusError, SequenceAbandoned
from samspel.contract.ports import Priority

from samspel_contract.capabilities import Capability
from samspel_contract.case import DriverCase, needs, safety, simulated
from samspel_contract.link import WRITES
from samspel_contract.rig import Rig

POWER_W = 1500.0
MOST_WRITES = 40
HELD_S = 60
SLOW_S = 0.2
SETTLED_S = 30
BOTH = pytest.mark.parametrize("power_w", [-POWER_W, POWER_W], ids=["charge", "discharge"])


async def _cut_after(
    rig: Rig, writes: int, power_w: float, from_w: float | None
) -> tuple[Snapshot, Sequence[Mark]] | None:
    """Command the power, or a change to it, over a link that dies right after so many writes; nothing when the sequence
    has no more.
    """
    snapshot = await rig.take()
    marks = [rig.driver.plan(one) for one in (from_w, power_w) if one is not None]
    if from_w is not None:
        await rig.set_power(from_w, snapshot)
        await rig.wait(SETTLED_S)
    rig.link.cut_after_writes(writes)
    try:
        await rig.set_power(power_w, snapshot, previous_w=from_w)
    except BusError:
        await rig.wait(20)
        rig.link.mend()
        return snapshot, marks
    return None


async def _assert_stopped(rig: Rig, bound_s: float, where: str) -> None:
    await rig.wait(bound_s)
    for _ in range(HELD_S // 5):
        assert rig.at_rest, f"{where}: {rig.battery_w:.0f} W, {bound_s:g} s after the stop and later"
        await rig.wait(5)


async def _stop_from_every_prefix(
    case: DriverCase, power_w: float, *, from_w: float | None = None, remembering: bool = True
) -> None:
    """With the link cut after each single write of a command: stop, see it hold, release, see everything as before."""
    bound_s, left = case.target.declaration.stop_s, case.target.declaration.left_on_release
    for writes in range(1, MOST_WRITES):
        where = f"cut after write {writes}"
        rig = case.rig()
        await rig.driver.identify()
        before = rig.owned()
        begun = await _cut_after(rig, writes, power_w, from_w)
        if begun is None:
            assert writes > 1, "the sequence wrote nothing"
            return
        snapshot, marks = begun
        if not remembering:
            await rig.restart_driver()
        await rig.stop(snapshot)
        await _assert_stopped(rig, bound_s, where)
        await rig.release(snapshot, marks)
        changed = {name for name, words in rig.owned().items() if words != before[name]}
        assert changed <= set(left), where
    pytest.fail(f"the sequence has more than {MOST_WRITES} writes")


@needs(Capability.CHARGE, Capability.DISCHARGE)
@safety
@BOTH
@pytest.mark.parametrize("memory", ["kept", "lost"])
@simulated
async def test_stop_works_from_every_prefix(driver_case: DriverCase, power_w: float, memory: str) -> None:
    """With the link cut after each single write of a charge or discharge, a stop after the reconnect brings the battery
    to zero within the declared bound and holds it there, and a release then gives everything back; with the driver
    that began, and with a new one that remembers nothing.

    If this fails: the first write of the `stop` rung must remove power, whatever parameters stand in the registers.
    """
    await _stop_from_every_prefix(driver_case, power_w, remembering=memory == "kept")


@needs(Capability.CHARGE, Capability.DISCHARGE, Capability.HELD_ZERO)
@safety
@pytest.mark.parametrize("power_w", [0.0, -POWER_W], ids=["zero", "reversal"])
@simulated
async def test_stop_works_from_every_prefix_of_a_change(driver_case: DriverCase, power_w: float) -> None:
    """With the link cut after each single write of a change from discharge to zero, or to charge, a stop after the
    reconnect brings the battery to zero within the declared bound and holds it there, and a release then gives
    everything back.

    If this fails: look at what `reverse` and `zero` leave between two of their writes.
    """
    await _stop_from_every_prefix(driver_case, power_w, from_w=POWER_W)


@needs(Capability.CHARGE, Capability.DISCHARGE)
@safety
@BOTH
@simulated
async def test_stop_works_at_full_power(driver_case: DriverCase, power_w: float) -> None:
    """A stop in the middle of a running command brings the battery to zero within the declared bound, and holds it.

    If this fails: compare `[bounds] stop_s` with how long the device really takes.
    """
    rig = driver_case.rig()
    snapshot = await rig.take()
    await rig.set_power(power_w, snapshot)
    await rig.wait(60)
    assert not rig.at_rest
    await rig.stop(snapshot)
    await _assert_stopped(rig, driver_case.target.declaration.stop_s, "at full power")


@needs(Capability.CHARGE, Capability.DISCHARGE)
@safety
@BOTH
@simulated
async def test_stop_overtakes_a_running_sequence(driver_case: DriverCase, power_w: float) -> None:
    """A stop that comes while a set-point is being written abandons it at its next step, and the stop's zero stands.

    If this fails: a stop may not wait for the sequence that it stops.
    """
    whole_s = await _duration(driver_case.rig(), power_w)
    for share in (0.1, 0.3, 0.5):
        rig = driver_case.rig()
        snapshot = await rig.take()
        rig.twin.misbehave("slow", seconds=SLOW_S)
        running = asyncio.ensure_future(rig.set_power(power_w, snapshot))
        await rig.wait(share * whole_s)
        await rig.stop(snapshot)
        outcome = (await asyncio.gather(running, return_exceptions=True))[0]
        assert isinstance(outcome, SequenceAbandoned), f"{share:.0%} into the sequence: {outcome!r}"
        await _assert_stopped(rig, driver_case.target.declaration.stop_s, f"{share:.0%} into the sequence")


async def _duration(rig: Rig, power_w: float) -> float:
    """How long the set-point's sequence takes when nobody interrupts it."""
    snapshot = await rig.take()
    rig.twin.misbehave("slow", seconds=SLOW_S)
    begin = rig.now
    await rig.set_power(power_w, snapshot)
    return rig.now - begin


@safety
@simulated
async def test_stop_needs_neither_snapshot_nor_memory(driver_case: DriverCase) -> None:
    """A new driver without a snapshot stops a battery that its own logic moves.

    If this fails: `stop` may not depend on what `take` has read.
    """
    rig = driver_case.rig(pv_w=0, load_w=2500)
    await rig.driver.identify()
    await rig.wait(60)
    assert not rig.at_rest
    await rig.stop(None)
    await _assert_stopped(rig, driver_case.target.declaration.stop_s, "own logic")


@safety
@simulated
async def test_stop_does_not_wait_for_polling(driver_case: DriverCase) -> None:
    """A stop that comes while everything is being read sends its first write after the request in flight and the looks
    of its own sequence, not after the round; and every request of a command carries that command's priority.

    If this fails: no lock may be held over a whole round of reading; hand the priority of the call to the bus.
    """
    quiet, busy = driver_case.rig(), driver_case.rig()
    own = await _asked_before_first_write(quiet, polled=False)
    asked = await _asked_before_first_write(busy, polled=True)
    assert asked <= 2 * own, f"{asked} requests before the stop's first write; {own} where nobody reads"
    writes = [request for request in busy.link.requests if request.function in WRITES]
    assert {request.priority for request in writes} == {Priority.STOP}


async def _asked_before_first_write(rig: Rig, *, polled: bool) -> int:
    """Requests from the call of a stop to its first write: its own, and those of a round of reading between them."""
    await rig.driver.identify()
    rig.twin.misbehave("slow", seconds=SLOW_S)
    reading = asyncio.ensure_future(rig.driver.read()) if polled else None
    await asyncio.sleep(SLOW_S / 2)
    before = len(rig.link.requests)
    await rig.stop(None)
    if reading is not None:
        await reading
    return next(place for place, one in enumerate(rig.link.requests[before:]) if one.function in WRITES)
