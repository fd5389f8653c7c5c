"""Who answers, and that nobody else is ever written to."""

from __future__ import annotations

import re

import pytest
from samspel.contract.errors import BusError, DriverError, UnsupportedModel, WrongDevice
from samspel.driver.options import DriverOptions

from samspel_contract.case import DriverCase, once, safety, simulated
from samspel_contract.impostors import rename, show, strangers

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


@once
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


@once
@safety
@simulated
async def test_strangers_are_not_identified(driver_case: DriverCase) -> None:
    """A device of another brand, and one that calls itself something else, is refused, and nothing is written to it.

    If this fails: the fingerprint fits more than this brand, or the model's register is there on every device.
    """
    for name, twin in strangers(driver_case.target):
        rig = driver_case.rig()
        rig.link.lead_to(twin)
        try:
            identity = await rig.driver.identify()
        except (UnsupportedModel, BusError):
            assert not twin.writes, name
        else:
            pytest.fail(f"{name} was taken for {identity.model}")


@once
@safety
@simulated
async def test_refused_families_are_refused(driver_case: DriverCase) -> None:
    """Each `[[identity.refuse]]` of driver.toml refuses a device that shows its value, before anything is written.

    If this fails: the rule's address, type or table is not where that family shows what it is.
    """
    for rule in driver_case.target.manifest.identity.refuse:
        for value in rule.values:
            rig = driver_case.rig()
            show(rig.twin, rule.row, value)
            with pytest.raises(UnsupportedModel) as caught:
                await rig.driver.identify()
            assert rule.because in str(caught.value)
            assert rig.writes() == []


@once
@safety
@simulated
async def test_unknown_firmware_is_read_only(driver_case: DriverCase) -> None:
    """A device whose firmware is outside every range of the map is read, and neither taken nor commanded, unless the
    site allows that firmware.

    If this fails: state in `[map] firmware` the versions that somebody has seen, and no more.
    """
    row = driver_case.target.manifest.identity.rows.get("firmware")
    rig, trusting = driver_case.rig(), driver_case.rig(options=DriverOptions(allow_firmware=True))
    for each in (rig, trusting):
        if row is not None:
            rename(each.twin, row, lambda text: re.sub("[0-9]", "9", text))
        await each.driver.identify()
    assert rig.driver.capabilities().read_only_because
    assert (await rig.driver.read())["soc_pct"].usable() is not None
    with pytest.raises(DriverError):
        await rig.driver.take()
    snapshot = await trusting.driver.take()
    with pytest.raises(DriverError):
        await rig.set_power(1000, snapshot)
    assert rig.writes() == []
    assert not trusting.driver.capabilities().read_only_because
