"""Every bit of the fifteen words, against the dossier's bits and codes typed off once more."""

from __future__ import annotations

import pytest
from samspel.contract.fault import Effect, FaultCode, Severity
from samspel.driver.faults import FaultState

WORDS = {
    "inverter_alarm": (70, 500, range(32)),
    "grid_side_fault": (2, 100, [*range(4), *range(5, 31)]),
    "system_fault_1": (300, 316, [*range(23), 24, 25, 26]),
    "system_fault_2": (36, 52, range(16)),
    "dc_side_fault": (19, 200, [*range(7), *range(9, 29)]),
    "permanent_fault": (401, 417, range(12)),
    "bdc_side_fault": (600, 616, [0, 1, 2, 3, 5, 8, 12, 16, 20, 22, 23, 24]),
    "bdc_permanent_fault": (800, 816, [0, 2, 4, 7]),
    "battery_fault": (700, 716, [3, 7, 8, 11, 12, 14, 15, 16, 17]),
    "battery_alarm": (900, 916, [0, 1]),
    "bms_alarm": (932, 948, [0, 1, 2, 3, 5, 7, 8, 9, 10, 11, 12]),
    "bms_protection": (732, 748, [0, 1, 2, 3, 4, 5, *range(7, 16)]),
    "bms_fault_1": (832, 848, [0, 1, 2, 3, 4, 5, 7, 8, 9, 12]),
    "bms_fault_2": (864, 880, []),
    "bms_alarm_2": (964, 980, [0]),
}
"""Base of the low half, base of the high half, bits that mean something: facts 3.1."""

ALARMS = {"inverter_alarm", "battery_alarm", "bms_alarm", "bms_alarm_2"}
PERMANENT = {"permanent_fault", "bdc_permanent_fault"}
DERATING = {("system_fault_2", 0), ("system_fault_2", 1), ("system_fault_2", 7)}
BLIND = {("inverter_alarm", 14): FaultCode.METER_WIRING, ("inverter_alarm", 30): FaultCode.COMMS_METER_LOST}
STATES = {0x0100, 0x0200, 0x1700, 0x1900, 0x2500, 0x5500}

KNOWN = [(name, bit) for name, (_, _, bits) in WORDS.items() for bit in bits]
RESERVED = [(name, bit) for name, (_, _, bits) in WORDS.items() for bit in range(32) if bit not in bits]


def test_all_fifteen_words_are_there(words):
    assert set(words) == set(WORDS)


@pytest.mark.parametrize(("name", "bit"), KNOWN)
def test_every_bit_has_the_number_of_the_screen(words, name, bit):
    (fault,) = words[name].active(1 << bit)
    low, high, _ = WORDS[name]
    number = low + bit if bit < 16 else high + bit - 16
    assert fault.raw == f"{name} bit {bit}: {number:03d}"
    assert fault.code is not FaultCode.VENDOR_UNMAPPED


@pytest.mark.parametrize(("name", "bit"), KNOWN)
def test_what_stops_something_takes_the_battery_out_of_reach(words, name, bit):
    (fault,) = words[name].active(1 << bit)
    if (name, bit) in BLIND:
        assert (fault.code, fault.severity, fault.effect) == (BLIND[name, bit], Severity.WARNING, Effect.DERATED)
    elif name in ALARMS:
        assert (fault.severity, fault.effect) == (Severity.WARNING, Effect.NONE)
    elif (name, bit) in DERATING:
        assert (fault.severity, fault.effect) == (Severity.MINOR, Effect.DERATED)
    else:
        severity = Severity.CRITICAL if name in PERMANENT else Severity.MAJOR
        assert (fault.severity, fault.effect) == (severity, Effect.OFFLINE)


@pytest.mark.parametrize(("name", "bit"), RESERVED)
def test_a_reserved_bit_is_said_unless_it_always_stands(words, name, bit):
    faults = words[name].active(1 << bit)
    if name == "bms_alarm_2" and bit >= 16:
        assert faults == []
    else:
        assert [fault.code for fault in faults] == [FaultCode.VENDOR_UNMAPPED]


@pytest.mark.parametrize(
    ("name", "bit", "code"),
    [
        ("inverter_alarm", 12, FaultCode.INVERTER_FAN),
        ("grid_side_fault", 8, FaultCode.GRID_LOST),
        ("grid_side_fault", 6, FaultCode.GRID_OVERFREQUENCY),
        ("system_fault_1", 2, FaultCode.DC_INSULATION),
        ("dc_side_fault", 9, FaultCode.DC_REVERSED),
        ("battery_fault", 14, FaultCode.BATTERY_COMMS_LOST),
        ("bms_protection", 7, FaultCode.BATTERY_UNDERVOLTAGE),
        ("bms_alarm", 9, FaultCode.BATTERY_IMBALANCE),
        ("bms_fault_1", 3, FaultCode.BATTERY_OVERCURRENT),
        ("bdc_side_fault", 12, FaultCode.BATTERY_CONVERTER),
    ],
)
def test_some_codes(words, name, bit, code):
    (fault,) = words[name].active(1 << bit)
    assert fault.code is code


def test_the_states_that_are_faults(manifest):
    (states,) = [row for row in manifest.faults.rows if isinstance(row, FaultState)]
    assert states.register == "running_state"
    assert set(states.values) == STATES
    assert {entry.effect for entry in states.values.values()} == {Effect.OFFLINE}


@pytest.mark.looptime
async def test_low_word_first_and_a_word_of_ones_is_no_fault(driver, inverter):
    assert await driver.read_faults() == [], "the high half of the last word stands and means nothing"
    inverter.set(13049, 1 << 30, 2)
    (fault,) = await driver.read_faults()
    assert fault.code is FaultCode.COMMS_METER_LOST
    assert inverter.inputs[13050] == 0x4000, "the high half comes second"
    inverter.set(13049, 0, 2)
    inverter.set(13065, 0xFFFF_FFFF, 2)
    assert await driver.read_faults() == []


@pytest.mark.looptime
async def test_all_fifteen_are_one_request(driver, inverter):
    inverter.reads.clear()
    await driver.read_faults()
    assert [(address, count) for table, address, count in inverter.reads if address >= 13049] == [(13049, 30)]
