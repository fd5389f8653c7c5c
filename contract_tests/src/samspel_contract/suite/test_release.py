"""Giving control back: all of it."""

from __future__ import annotations

import pytest
from samspel.contract.capability import Direction
from samspel.contract.driver import ControlState
from samspel.contract.errors import BusError, DriverError
from samspel.registers.model import OnRelease

from samspel_contract.capabilities import Capability
from samspel_contract.case import DriverCase, needs, safety, simulated
from samspel_contract.rig import Rig

POWER_W = 1500.0


async def _commanded(rig: Rig, last: str) -> tuple[dict[str, tuple[int, ...] | None], dict[str, object]]:
    """Take, and command everything up to `last`; the owned registers before, and the snapshot."""
    await rig.driver.identify()
    rig.settings_of_the_house()
    before = rig.owned()
    snapshot = await rig.driver.take()
    await rig.set_power(-POWER_W, snapshot)
    await rig.settle(Direction.CHARGE)
    await rig.set_power(POWER_W, snapshot, previous_w=-POWER_W)
    await rig.settle(Direction.DISCHARGE)
    if last == "zero":
        await rig.set_power(0, snapshot, previous_w=POWER_W)
    if last == "stop":
        await rig.stop(snapshot)
    return before, dict(snapshot)


@needs(Capability.CHARGE, Capability.DISCHARGE)
@safety
@pytest.mark.parametrize("last", ["power", "zero", "stop"])
@simulated
async def test_release_gives_every_register_back(driver_case: DriverCase, last: str) -> None:
    """After a release every register that control owns holds what it held before take, what the householder had set
    included; only what contract.toml declares as left may differ.

    If this fails: give the named register `on_release` restore or reset, or a reason under `[left_on_release]`.
    """
    rig = driver_case.rig()
    before, snapshot = await _commanded(rig, last)
    assert rig.owned() != before, "the commands changed no owned register"
    await rig.release(snapshot)  # type: ignore[arg-type]  # it is the driver's own
    after = rig.owned()
    left = driver_case.target.declaration.left_on_release
    changed = {name: (before[name], after[name]) for name in before if before[name] != after[name]}
    assert {name: pair for name, pair in changed.items() if name not in left} == {}


@safety
def test_left_registers_are_declared(driver_case: DriverCase) -> None:
    """Every register that release leaves as it is, in any way of control, stands in contract.toml with a reason, none
    is a trigger, and nothing else stands there.

    If this fails: either release should treat the register, or `[left_on_release]` should say why it need not.
    """
    maps = [one.registers for one in driver_case.target.variants]
    rows = [one.registers[name] for one in maps for name in one.owned]
    left = {row.name for row in rows if row.on_release is OnRelease.LEAVE}
    assert set(driver_case.target.declaration.left_on_release) == left
    assert not [row.name for row in rows if row.name in left and row.trigger]


@needs(Capability.DISCHARGE)
@safety
@simulated
async def test_release_works_without_a_snapshot(driver_case: DriverCase) -> None:
    """A driver that remembers nothing, told to release without a snapshot, leaves the control block at its default.

    If this fails: look at the `neutral` values of the owned registers.
    """
    rig = driver_case.rig()
    snapshot = await rig.take()
    await rig.set_power(POWER_W, snapshot)
    await rig.restart_driver()
    await rig.release(None)
    assert (await rig.driver.read_control()).state is ControlState.DEFAULT


@needs(Capability.DISCHARGE)
@safety
@simulated
async def test_release_is_proved(driver_case: DriverCase) -> None:
    """A release that the device acknowledges and does not carry out fails, and succeeds when it is repeated later.

    If this fails: a release has to read back every register that it gives back.
    """
    rig = driver_case.rig()
    snapshot = await rig.take()
    await rig.set_power(POWER_W, snapshot)
    rig.forget_writes()
    with pytest.raises((BusError, DriverError)):
        await rig.release(snapshot)
    rig.twin.misbehave("forget", on=False)
    await rig.release(snapshot)
    assert (await rig.driver.read_control()).state is ControlState.DEFAULT


@safety
@simulated
async def test_release_may_be_repeated(driver_case: DriverCase) -> None:
    """A release of a device that nobody controls changes nothing.

    If this fails: release must compare before it writes, or write what already stands there.
    """
    rig = driver_case.rig()
    snapshot = await rig.take()
    before = rig.owned()
    await rig.release(snapshot)
    await rig.release(snapshot)
    assert rig.owned() == before
