"""The files themselves: every alarm bit, every row's source, every register that nobody may write."""

from __future__ import annotations

import re

import pytest
from samspel.contract.errors import MapError
from samspel.contract.fault import Effect, FaultCode
from samspel.contract.signals import SIGNALS
from samspel.registers.loader import load_map
from samspel.registers.model import Confidence, Life, OnRelease

ALARMS = {
    "alarm_1": [2001, 2002, 2011, 2012, 2013, 2021, 2031, 2032, 2033, 2034, 2035, 2036, 2037, 2038, 2039, 2040],
    "alarm_2": [2051, 2061, 2062, 2063, 2064, 2065, 2066, 61440, 2067, 2068, 2070, 2071, 2072, 2075, 2077, 2080],
    "alarm_3": [2081, 2085, 2014, 2086, 2069, 2082, 2015, 2087, 2088, 2089, 2090, 2091, 2092, 2003, 2093, 2094],
}
"""The maker's alarm ids by register and bit: section 3.1 of the dossier, typed off once more."""

MAJOR = [2001, 2002, 2011, 2021, *range(2031, 2041), 2051, 2061, 2062, 2064, 2067, 2070, 2071, 2072, 2077, 2080]
MAJOR += [2014, 2086, 2069, 2082, 2087, 2088, 2090, 2091, 2092, 2003]
OUT_OF_RESERVE = {
    "alarm_1": range(6, 16),
    "alarm_2": [0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 14],
    "alarm_3": [4, 5, 10, 12, 15],
}
NEVER = {
    "startup_command": 40200,
    "shutdown_command": 40201,
    "sdongle_reset": 40205,
    "grid_code": 42000,
    "backup_soc": 47102,
    "third_party_battery_power": 47321,
    "switch_to_off_grid": 47604,
    "forced_power_signed": 47084,
}


@pytest.mark.parametrize(("register", "bit"), [(register, bit) for register in ALARMS for bit in range(16)])
def test_every_alarm_bit_has_a_code(words, register, bit):
    (fault,) = words[register].active(1 << bit)
    number = ALARMS[register][bit]
    assert fault.code is not FaultCode.VENDOR_UNMAPPED
    assert fault.raw.startswith(f"{register} bit {bit}: {number} ")
    assert (fault.severity.value == "major") is (number in MAJOR)
    assert (fault.effect is not Effect.NONE) is (bit in OUT_OF_RESERVE[register])


def test_the_map_carries_every_signal_that_the_device_has(loaded):
    missing = {name for name in SIGNALS if loaded.signal(name) is None}
    assert missing == {"load_power_w", "battery_current_a"}, "no register for one, no documented sign for the other"


def test_every_row_says_where_it_comes_from(loaded):
    for row in loaded.registers.values():
        assert re.match(r"^(HS|SM|HT|IO|EV|OB)([+; ]|$)", row.source), row.name
        weak = row.confidence is Confidence.LOW
        assert not weak or (row.signal is None and row.poll == "never"), row.name


def test_registers_behind_the_meter_are_guarded_and_nothing_else_is(loaded):
    for row in loaded.registers.values():
        assert (row.only_if == ("meter_status", 1)) is (37101 <= row.address <= 37138), row.name


def test_what_is_owned_and_how_it_goes_back(loaded):
    owned = {name: (loaded.registers[name].address, loaded.registers[name].on_release) for name in loaded.owned}
    assert owned == {
        "forced_period": (47083, OnRelease.RESET),
        "forcible_mode": (47246, OnRelease.RESET),
        "forcible_charge_power": (47247, OnRelease.RESET),
        "forcible_discharge_power": (47249, OnRelease.RESET),
        "charge_limit": (47075, OnRelease.RESTORE),
        "discharge_limit": (47077, OnRelease.RESTORE),
        "forcible_command": (47100, OnRelease.RESET),
    }
    persistent = {name for name in loaded.owned if loaded.registers[name].life is Life.PERSISTENT}
    assert persistent == {"charge_limit", "discharge_limit"}


@pytest.mark.parametrize(("name", "address"), NEVER.items())
def test_a_sequence_that_writes_a_forbidden_register_is_refused(loaded, text, name, address):
    assert loaded.registers[name].address == address
    assert loaded.registers[name].never_write
    wrong = text.replace("wake = []", f'wake = [{{ write = "{name}", value = 0 }}]')
    assert wrong != text
    with pytest.raises(MapError, match=rf"\[registers.{name}\] never_write: nobody may ever write it|low confidence"):
        load_map(wrong)
