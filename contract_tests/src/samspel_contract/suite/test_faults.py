"""Every fault bit, raised and cleared, in words that name no brand."""

from __future__ import annotations

from samspel.contract.fault import FaultCode
from samspel.driver.faults import FaultState, FaultWord

from samspel_contract.capabilities import Capability
from samspel_contract.case import NOTHING, DriverCase, needs, safety, simulated
from samspel_contract.rig import Rig

STRANGE = 0x0BAD


async def _frozen(driver_case: DriverCase) -> Rig:
    """A home whose measuring registers hold still, so that a test may set them."""
    rig = driver_case.rig()
    await rig.driver.identify()
    rig.twin.misbehave("stuck")
    return rig


@needs(Capability.FAULTS)
@simulated
async def test_fault_bit_is_raised_and_cleared(driver_case: DriverCase, fault_register: str) -> None:
    """Each bit alone raises exactly its own closed code, a bit without a mapping `vendor.unmapped`, an ignored one
    nothing; and it is gone when the bit is.

    If this fails: look at the bit numbers in faults.toml, and at the register's address and width.
    """
    if fault_register == NOTHING:
        return
    rig = await _frozen(driver_case)
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


def _code(word: FaultWord, bit: int) -> FaultCode:
    return word.bits[bit].code if bit in word.bits else FaultCode.VENDOR_UNMAPPED


@needs(Capability.FAULTS)
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
