"""Bits and states in the contract's words."""

from __future__ import annotations

import asyncio

import pytest
from samspel.contract.errors import BusError, DeviceBusy, DeviceRefused, MapError, RegisterAbsent
from samspel.contract.fault import Effect, FaultCode, Severity
from samspel.driver.fault_reader import UNREAD_S
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


GRID, BATTERY = FaultCode.GRID_OVERVOLTAGE, FaultCode.BATTERY_FAULT
BUSY = DeviceBusy("busy", code=6)
UNANSWERED = [BUSY, BusError("dropped"), RegisterAbsent("no such register", code=2), DeviceRefused("failed", code=4)]
unanswered = pytest.mark.parametrize("trouble", UNANSWERED, ids=str)


async def codes(driver) -> set[FaultCode]:
    return {fault.code for fault in await driver.read_faults()}


@unanswered
@pytest.mark.looptime
async def test_a_register_that_does_not_answer_counts_as_it_was_last_read(driver, link, trouble):
    link.set(160, 1)
    link.set(103, 3)
    assert await codes(driver) == {GRID, BATTERY}
    link.silent[160] = trouble
    link.set(103, 2)
    assert await codes(driver) == {GRID}, "what answered is cleared, what did not stands"
    link.set(103, 3)
    assert await codes(driver) == {GRID, BATTERY}, "and what answers is raised"
    del link.silent[160]
    link.set(160, 0)
    await asyncio.sleep(3600)  # What was refused as unknown is asked again after an hour.
    assert await codes(driver) == {BATTERY}


@pytest.mark.looptime
async def test_a_word_that_means_nothing_takes_nothing_back(driver, link):
    link.set(160, 1)
    link.set(103, 3)
    assert await codes(driver) == {GRID, BATTERY}
    link.set(103, 0xFFFF)
    assert await codes(driver) == {GRID, BATTERY}


@pytest.mark.parametrize("trouble", [BUSY, BusError("dropped"), DeviceRefused("failed", code=4)], ids=str)
@pytest.mark.looptime
async def test_until_each_register_has_been_read_once_no_look_counts_but_not_for_ever(driver, link, trouble):
    link.set(103, 3)
    link.silent[160] = trouble
    with pytest.raises(BusError):
        await driver.read_faults()
    await asyncio.sleep(UNREAD_S)
    assert await codes(driver) == {BATTERY, FaultCode.INVERTER_MONITORING}


@pytest.mark.looptime
async def test_a_register_that_the_device_never_had_holds_nothing_up_and_is_not_missed(driver, link):
    link.set(103, 3)
    del link.words[160]
    for _ in range(3):
        assert await codes(driver) == {BATTERY}
        await asyncio.sleep(UNREAD_S)


@unanswered
@pytest.mark.looptime
async def test_a_register_that_is_not_read_for_minutes_is_told(driver, link, trouble):
    assert await codes(driver) == set()
    link.silent[160] = trouble
    await asyncio.sleep(UNREAD_S - 1)
    assert await codes(driver) == set()
    await asyncio.sleep(1)
    (told,) = await driver.read_faults()
    assert (told.code, told.effect, told.raw) == (FaultCode.INVERTER_MONITORING, Effect.NONE, "alarm not read")
    del link.silent[160]
    await asyncio.sleep(3600)
    assert await codes(driver) == set()


NUMBER = '[[words]]\nregister = "fault_code"\nsource = "test"\nnumber = true\n'


def test_a_number_that_no_document_explains_is_one_fault(tmp_path):
    file = tmp_path / "faults.toml"
    file.write_text(NUMBER)
    table = load_faults(file)
    assert table.active({"fault_code": 0}) == []
    (fault,) = table.active({"fault_code": 2032})
    assert (fault.code, fault.raw) == (FaultCode.VENDOR_UNMAPPED, "fault_code = 2032")
    assert table.extended(table).active({"fault_code": 3}) == table.active({"fault_code": 3})
    file.write_text(NUMBER + "unmapped = [0]")
    with pytest.raises(MapError, match="a number has no bits"):
        load_faults(file)
