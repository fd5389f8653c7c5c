"""Every fault bit, raised and cleared, in words that name no brand."""

from __future__ import annotations

import pytest
from samspel.contract.fault import FaultCode
from samspel.driver.faults import FaultState, FaultWord
from samspel_sim.misbehave import UnknownMisbehaviourError

from samspel_contract.capabilities import Capability
from samspel_contract.case import NOTHING, DriverCase, needs, once, safety, simulated
from samspel_contract.rig import Rig

STRANGE = 0x0BAD
SHOWN_S = 30.0

STATED = {"meter_offline": "comms.", "battery_fault": "battery."}
"""Troubles that a twin knows by name, and the family of the fault that tells of them."""


async def _frozen(driver_case: DriverCase, register: str = "") -> Rig:
    """A home whose measuring registers hold still, so that a test may set them; in the first variant that has this
    register.
    """
    for target in driver_case.target.variants:
        rig = DriverCase(target).rig()
        if not register or rig.twin_row(rig.map.registers[register]) is not None:
            await rig.driver.identify()
            rig.twin.misbehave("stuck")
            return rig
    pytest.fail(f"no variant of contract.toml has a device with {register}")


@needs(Capability.FAULTS)
@simulated
async def test_fault_bit_is_raised_and_cleared(driver_case: DriverCase, fault_register: str) -> None:
    """Each bit alone raises exactly its own closed code, a bit without a mapping `vendor.unmapped`, an ignored one
    nothing; and it is gone when the bit is.

    If this fails: look at the bit numbers in faults.toml, and at the register's address and width.
    """
    if fault_register == NOTHING:
        return
    rig = await _frozen(driver_case, fault_register)
    row = rig.map.registers[fault_register]
    rig.set_raw(row, 0)
    quiet = set(await rig.driver.read_faults())
    words = [word for word in driver_case.target.manifest.faults.rows if word.register == fault_register]
    for bit in range(16 * row.count):
        rig.set_raw(row, 1 << bit)
        raised = [fault.code for fault in await rig.driver.read_faults() if fault not in quiet]
        expected = [_code(word, bit) for word in words if isinstance(word, FaultWord) and bit not in word.ignored]
        assert raised == expected, f"{fault_register} bit {bit}"
        rig.set_raw(row, 0)
        assert set(await rig.driver.read_faults()) == quiet, f"{fault_register} bit {bit} does not clear"


@needs(Capability.FAULTS)
@simulated
async def test_fault_state_is_raised_and_cleared(driver_case: DriverCase, fault_state: str) -> None:
    """Each listed number of a state register raises its own closed code and no other number does.

    If this fails: look at the numbers under `[[states]]` in faults.toml.
    """
    if fault_state == NOTHING:
        return
    rig = await _frozen(driver_case, fault_state)
    row = rig.map.registers[fault_state]
    states = [state for state in driver_case.target.manifest.faults.rows if state.register == fault_state]
    listed = {
        raw: entry.code for state in states if isinstance(state, FaultState) for raw, entry in state.values.items()
    }
    quiet_raw = next(raw for raw in range(len(listed) + 1) if raw not in listed)
    rig.set_raw(row, quiet_raw)
    quiet = set(await rig.driver.read_faults())
    for raw, code in {**listed, STRANGE: None}.items():
        rig.set_raw(row, raw)
        raised = {fault.code for fault in await rig.driver.read_faults() if fault not in quiet}
        assert raised == ({code} if code else set()), f"{fault_state} = {raw}"
        rig.set_raw(row, quiet_raw)
        assert set(await rig.driver.read_faults()) == quiet, f"{fault_state} = {raw} does not clear"


@needs(Capability.FAULTS)
@pytest.mark.parametrize("trouble", STATED)
@simulated
async def test_trouble_of_the_twin_is_told(driver_case: DriverCase, trouble: str) -> None:
    """What the twin can be told to suffer by name, the driver tells by a fault of that family, and takes it back.

    If this fails: the alarm bit or state that stands for it is unmapped, or mapped to another part of the plant.
    """
    rig = driver_case.rig()
    await rig.driver.identify()
    quiet = {fault.code for fault in await rig.driver.read_faults()}
    try:
        rig.twin.misbehave(trouble)
    except UnknownMisbehaviourError:
        return
    await rig.wait(SHOWN_S)
    raised = {fault.code for fault in await rig.driver.read_faults()} - quiet
    assert any(code.startswith(STATED[trouble]) for code in raised), f"{trouble}: {sorted(raised)}"
    rig.twin.misbehave(trouble, on=False)
    await rig.wait(SHOWN_S)
    assert {fault.code for fault in await rig.driver.read_faults()} == quiet


def _code(word: FaultWord, bit: int) -> FaultCode:
    return word.bits[bit].code if bit in word.bits else FaultCode.VENDOR_UNMAPPED


@needs(Capability.FAULTS)
@once
@safety
@simulated
async def test_unknown_states_are_survived(driver_case: DriverCase) -> None:
    """A state that no document lists, and a word with every bit set, crash nothing and raise closed codes only.

    If this fails: unlisted numbers need `other_state`, or a fault table that ignores them.
    """
    rig = await _frozen(driver_case)
    for fault_row in driver_case.target.manifest.faults.rows:
        row = rig.map.registers[fault_row.register]
        if rig.words(row) is None:
            continue
        whole = (1 << 16 * row.count) - 1
        rig.set_raw(row, STRANGE if isinstance(fault_row, FaultState) else whole)
    assert all(isinstance(fault.code, FaultCode) for fault in await rig.driver.read_faults())
    assert await rig.driver.read()
