"""Bits and states in the contract's words."""

from __future__ import annotations

import pytest
from samspel.contract.errors import MapError
from samspel.contract.fault import Effect, FaultCode, Severity
from samspel.driver.faults import FaultEntry, FaultTable, FaultWord, load_faults

ENTRY = '{ code = "grid.lost", severity = "major", effect = "offline", text = "x" }'


@pytest.mark.looptime
async def test_bits_and_states_that_stand(driver, link):
    assert await driver.read_faults() == []
    link.set(160, 0b0000_0000_0000_1101)
    link.set(103, 3)
    faults = await driver.read_faults()
    assert [(fault.code, fault.severity, fault.effect) for fault in faults] == [
        (FaultCode.GRID_OVERVOLTAGE, Severity.MAJOR, Effect.OFFLINE),
        (FaultCode.COMMS_METER_LOST, Severity.MAJOR, Effect.NONE),
        (FaultCode.BATTERY_FAULT, Severity.MAJOR, Effect.OFFLINE),
    ]
    assert faults[0].raw == "alarm bit 0: 2034"


@pytest.mark.looptime
async def test_an_unexplained_bit_is_published_with_its_place(driver, link):
    link.set(160, 1 << 15)
    (fault,) = await driver.read_faults()
    assert (fault.code, fault.raw) == (FaultCode.VENDOR_UNMAPPED, "alarm bit 15")


def test_another_table_adds_rows_and_changes_none(manifest):
    def entry(code):
        return FaultEntry(code=code, severity=Severity.INFO, effect=Effect.NONE, text="x")

    more = FaultTable(
        (
            FaultWord("alarm", {bit: entry(FaultCode.GRID_TRANSIENT) for bit in (0, 3, 15)}),
            FaultWord("alarm_2", {0: entry(FaultCode.DC_ARC)}),
        )
    )
    merged = manifest.faults.extended(more)
    codes = [fault.code for fault in merged.active({"alarm": 1 | 1 << 3 | 1 << 15, "alarm_2": 1})]
    assert codes == [FaultCode.GRID_OVERVOLTAGE, FaultCode.GRID_TRANSIENT, FaultCode.DC_ARC]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (f'[[words]]\nregister = "a"\nsource = "x"\nbits = {{ 0 = {ENTRY} }}', r"missing: \[1, 2"),
        (
            f'[[words]]\nregister = "a"\nsource = "x"\nbits = {{ 0 = {ENTRY} }}\nignored = {list(range(16))}',
            r"twice: \[0\]",
        ),
        (f'[[words]]\nregister = "a"\nsource = "x"\nunmapped = {list(range(17))}', r"outside the word: \[16\]"),
        ('[[states]]\nregister = "a"\nsource = "x"\nvalues = { x = ' + ENTRY + " }", "a key here is a number"),
        (
            '[[states]]\nregister = "a"\nsource = "x"\nvalues = { 1 = { code = "grid.gone", severity = "major", '
            'effect = "none", text = "x" } }',
            r"\[states\] 1 values 1 code: found 'grid.gone', allowed: 'grid.lost'",
        ),
        ("[[word]]\n", "unknown key 'word'; did you mean 'words'"),
    ],
)
def test_a_table_that_is_wrong_says_where(tmp_path, text, complaint):
    file = tmp_path / "faults.toml"
    file.write_text(text)
    with pytest.raises(MapError, match=complaint) as caught:
        load_faults(file)
    assert str(caught.value).startswith("faults.toml: ")
