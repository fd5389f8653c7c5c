"""A package that can be found, loaded and believed."""

from __future__ import annotations

from samspel.contract import CONTRACT_VERSION
from samspel.plugins.loader import check_code, check_data
from samspel.plugins.metadata import DRIVERS, TWINS, offers

from samspel_contract.capabilities import Capability, present
from samspel_contract.case import DriverCase, once, safety, simulated


@safety
def test_package_is_healthy(driver_case: DriverCase) -> None:
    """The driver and its twin pass every stage of the plugin loader, each under one name from one distribution.

    If this fails: run `samspel plugins check`; the message names the stage.
    """
    target = driver_case.target
    if target.dist:
        found = [offer for offer in offers(DRIVERS, TWINS) if offer.name == target.name]
        assert [offer.group for offer in found] == [DRIVERS, TWINS]
        for offer in found:
            check_data(offer)
            check_code(offer)


@safety
def test_contract_version_is_the_suites(driver_case: DriverCase) -> None:
    """driver.toml and contract.toml name the contract that this suite tests.

    If this fails: look at `contract` in both files, and at which suite is installed.
    """
    assert driver_case.target.manifest.contract == CONTRACT_VERSION
    assert driver_case.target.declaration.contract == CONTRACT_VERSION


@safety
def test_declared_capabilities_are_the_real_ones(driver_case: DriverCase) -> None:
    """What contract.toml calls full is in manifest and map, and what it calls missing is not.

    If this fails: correct `[capabilities]` in contract.toml, or add the row, sequence or route that is missing.
    """
    target = driver_case.target
    real = {capability: present(capability, target.manifest, target.registers) for capability in Capability}
    declared = {capability: capability not in target.declaration.missing for capability in Capability}
    assert declared == real


@once
@safety
@simulated
async def test_twin_answers_where_the_manifest_looks(driver_case: DriverCase) -> None:
    """The twin's unit id is one of those that the manifest's path tries.

    If this fails: compare `units` in driver.toml with the twin's unit.
    """
    rig = driver_case.rig()
    assert rig.twin.behaviour.unit in driver_case.target.path.units
