"""Who answers, and that nobody else is ever written to."""

from __future__ import annotations

import pytest
from samspel.contract.errors import BusError, WrongDevice
from samspel.driver.options import DriverOptions

from samspel_contract.case import DriverCase, safety, simulated

STRANGER = "SOMEBODY-ELSE"


@simulated
async def test_identify_tells_who_answers(driver_case: DriverCase) -> None:
    """Identify gives the brand, and the model, serial and firmware that the device really has.

    If this fails: compare `[identity]` in driver.toml (addresses, fingerprint) with the register table.
    """
    rig = driver_case.rig()
    identity = await rig.driver.identify()
    true = rig.twin.behaviour
    assert (identity.brand, identity.model, identity.serial, identity.firmware) == (
        driver_case.target.manifest.brand,
        true.model,
        true.serial,
        true.firmware,
    )


@safety
@simulated
async def test_wrong_serial_is_refused(driver_case: DriverCase) -> None:
    """A device with another serial than the expected one is refused, and nothing is written to it.

    If this fails: the serial's row in `[identity]` reads something that is the same on every device.
    """
    rig = driver_case.rig(options=DriverOptions(expected_serial=STRANGER))
    with pytest.raises(WrongDevice):
        await rig.driver.identify()
    assert rig.writes() == []


@safety
@simulated
async def test_exchanged_device_is_not_written_to(driver_case: DriverCase) -> None:
    """When another device answers after a reconnect, every command fails and nothing is written to it.

    If this fails: the serial has to be read on every new connection, before anything is written.
    """
    rig, other = driver_case.rig(), driver_case.rig(seed=2)
    assert other.twin.behaviour.serial != rig.twin.behaviour.serial, "the twin's serial has to depend on its seed"
    snapshot = await rig.take()
    rig.link.lead_to(other.twin)
    for command in (
        lambda: rig.set_power(1000, snapshot),
        lambda: rig.stop(snapshot),
        lambda: rig.release(snapshot),
    ):
        with pytest.raises(BusError):
            await command()
    assert other.writes() == []


@safety
@simulated
async def test_foreign_snapshot_is_refused(driver_case: DriverCase) -> None:
    """A snapshot of another device is refused before anything is written.

    If this fails: the snapshot has to carry the serial of its device.
    """
    rig = driver_case.rig()
    snapshot = await rig.take()
    with pytest.raises(WrongDevice):
        await rig.set_power(1000, {**snapshot, "serial": STRANGER})
    assert rig.writes() == []
