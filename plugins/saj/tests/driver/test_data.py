"""The files themselves: every fault bit, every row's source, what is owned, and what nobody may ever write."""

from __future__ import annotations

import re

import pytest
from samspel.contract.errors import MapError
from samspel.contract.fault import Effect, FaultCode
from samspel.contract.signals import SIGNALS
from samspel.registers.loader import load_map
from samspel.registers.model import Confidence, DataType, Life, OnRelease, WordOrder

CODES = {
    "fault_h": {bit: bit + 65 for bit in (*range(6), *range(11, 19), *range(23, 28))},
    "fault_m1": {bit: bit + 1 for bit in range(32) if bit not in (5, 10, 12, 13)},
    "fault_m2": {bit: bit + 33 for bit in range(32) if bit not in (16, 19, 24, 25)},
}
"""The single-phase family's numbers by word and bit: sections 3.1 to 3.3 of the dossier, typed off once more."""

T2_CODES = {("fault_m2", 0): 1, ("fault_m2", 31): 32, ("fault_m1", 0): 33, ("fault_m1", 29): 96, ("fault_h", 23): 73}

WARNINGS = {
    ("fault_h", 1),
    ("fault_h", 3),
    ("fault_h", 5),
    ("fault_m1", 7),
    *(("fault_m1", bit) for bit in range(16, 20)),
}

MEANINGS = {
    ("fault_h", 16): FaultCode.GRID_UNDERVOLTAGE,
    ("fault_h", 1): FaultCode.COMMS_METER_LOST,
    ("fault_m1", 7): FaultCode.COMMS_METER_LOST,
    ("fault_h", 5): FaultCode.BATTERY_COMMS_LOST,
    ("fault_h", 23): FaultCode.GRID_LOST,
    ("fault_m2", 23): FaultCode.GRID_LOST,
    ("fault_m2", 9): FaultCode.GRID_UNDERVOLTAGE,
    ("fault_m2", 12): FaultCode.GRID_OVERVOLTAGE,
    ("fault_m2", 17): FaultCode.GRID_OVERFREQUENCY,
    ("fault_m2", 18): FaultCode.GRID_UNDERFREQUENCY,
    ("fault_m1", 20): FaultCode.DC_ARC,
    ("fault_m1", 23): FaultCode.BATTERY_OVERCURRENT,
    ("fault_m2", 30): FaultCode.DC_INSULATION,
}

OWNED = {
    "charge_slots_enable": 0x3604,
    "discharge_slots_enable": 0x3605,
    "charge_slot7_start": 0x3618,
    "charge_slot7_end": 0x3619,
    "charge_slot7_days_power": 0x361A,
    "discharge_slot7_start": 0x362D,
    "discharge_slot7_end": 0x362E,
    "discharge_slot7_days_power": 0x362F,
    "passive_enable": 0x3636,
    "passive_battery_charge_power": 0x3639,
    "passive_battery_discharge_power": 0x363A,
    "app_mode": 0x3647,
    "tou_outside_behaviour": 0x365F,
    "tou_battery_to_grid": 0x3660,
}

NEVER = {
    "h1_app_mode": 0x3247,
    "battery_protocol_set": 0x363B,
    "soc_min_ongrid": 0x3644,
    "soc_max": 0x3646,
    "battery_charge_limit": 0x364D,
    "battery_discharge_limit": 0x364E,
    "grid_import_limit": 0x364F,
    "grid_export_limit": 0x3650,
    "backup_soc_reserve": 0x3651,
    "anti_reflux_power_limit": 0x365A,
    "anti_reflux_mode": 0x365C,
    "parallel_role": 0x3661,
    "parallel_number": 0x3662,
    "parallel_mode": 0x3663,
    "battery_input_mode": 0x3666,
    "pv_input_mode": 0x3667,
    "machine_model": 0x366C,
    "rated_power": 0x366D,
    "function_bits_1": 0x366E,
    "function_bits_2": 0x366F,
    "grid_type": 0x3674,
    "inverter_stop": 0x3677,
    "clear_faults": 0x8015,
    "reset": 0x801A,
    "clear_energy": 0x801B,
    "factory_reset": 0x801C,
    "ems_app_mode": 0x8300,
}

CARRIERS = {
    "battery_power_w": (0x40A6, DataType.I16, 1),
    "grid_power_w": (0x40AD, DataType.I16, 1),
    "load_power_w": (0x40A0, DataType.I16, 1),
    "pv_power_w": (0x40A5, DataType.I16, 1),
    "soc_pct": (0x406F, DataType.U16, 0.01),
    "grid_frequency_hz": (0x4033, DataType.U16, 0.01),
    "grid_voltage_l3_v": (0x403F, DataType.U16, 0.1),
    "grid_power_l2_w": (0xA045, DataType.I16, 1),
    "grid_power_l3_w": (0xA04B, DataType.I16, 1),
    "discharge_limit_w": (0xA036, DataType.U16, 0.1),
    "charge_limit_w": (0xA037, DataType.U16, 0.1),
    "grid_imported_wh": (0x416D, DataType.U32, 10),
    "grid_exported_wh": (0x4175, DataType.U32, 10),
    "battery_charged_wh": (0x40CD, DataType.U32, 10),
    "battery_discharged_wh": (0x40D5, DataType.U32, 10),
    "rated_power_w": (0x366D, DataType.U16, 1),
}
"""Sections 1 and 2 of the dossier, typed off once more: address, type, and what a step is in the signal's unit."""


@pytest.mark.parametrize(("register", "bit"), [(register, bit) for register in CODES for bit in range(32)])
def test_every_fault_bit_has_the_code_of_the_document(words, register, bit):
    (fault,) = words[register].active(1 << bit)
    if bit not in CODES[register]:
        assert fault.code is FaultCode.VENDOR_UNMAPPED, "reserved in every list, so it is published as it stands"
        return
    number, t2 = CODES[register][bit], T2_CODES.get((register, bit))
    assert re.match(rf"^{register} bit {bit}: {number}{f'/{t2}' if t2 else '(/[0-9]+)?'} ", fault.raw)
    assert (fault.severity.value == "warning") is ((register, bit) in WARNINGS)


@pytest.mark.parametrize(("place", "code"), MEANINGS.items())
def test_bits_that_are_easily_confused(words, place, code):
    (fault,) = words[place[0]].active(1 << place[1])
    assert fault.code is code


@pytest.mark.parametrize(
    "register", ["fault_bms", *(f"pack{pack}_{kind}" for pack in (1, 2, 3, 4) for kind in ("fault", "warning"))]
)
def test_bits_that_nobody_has_explained_are_published_as_such(words, loaded, register):
    for bit in range(16 * loaded.registers[register].count):
        (fault,) = words[register].active(1 << bit)
        assert (fault.code, fault.effect) == (FaultCode.VENDOR_UNMAPPED, Effect.NONE)


@pytest.mark.parametrize(
    ("register", "effect"),
    [("battery_charge_current_limit", Effect.NO_CHARGE), ("battery_discharge_current_limit", Effect.NO_DISCHARGE)],
)
def test_no_amperes_forbid_a_direction(manifest, register, effect):
    assert [fault.effect for fault in manifest.faults.active({register: 0})] == [effect]
    assert manifest.faults.active({register: 1}) == []


@pytest.mark.parametrize(("signal", "expected"), CARRIERS.items())
def test_signals_stand_where_the_dossier_says(loaded, signal, expected):
    row = loaded.signal(signal)
    assert (row.address, row.type, row.scale) == expected
    assert row.word_order is WordOrder.HIGH_FIRST


def test_the_map_carries_every_signal_that_the_device_has(loaded):
    missing = {name for name in SIGNALS if loaded.signal(name) is None}
    undocumented_sign = {"ac_power_w", "battery_current_a", "grid_current_l1_a"}
    no_register = {"grid_current_l2_a", "grid_current_l3_a", "battery_state", "battery_capacity_wh", "max_ac_power_w"}
    assert missing == undocumented_sign | no_register


def test_every_row_says_where_it_comes_from(loaded):
    for row in loaded.registers.values():
        assert re.match(r"^(V|X|S|the H1 document)([+:;, ]|$)", row.source), row.name
        weak = row.confidence is Confidence.LOW
        assert not weak or (row.signal is None and row.poll == "never"), row.name


def test_only_what_some_units_lack_is_optional_and_nothing_is_read_across_it(loaded):
    for row in loaded.registers.values():
        known_to_fail = 0x4137 <= row.address <= 0x4176 or 0x4200 <= row.address <= 0x42FF
        assert row.alone is known_to_fail, row.name
        assert not known_to_fail or row.optional, row.name
        assert row.optional or not 0xA000 <= row.address < 0xA03C, row.name


def test_what_is_owned_goes_back_as_it_was(loaded):
    assert {name: loaded.registers[name].address for name in loaded.owned} == OWNED
    for name in loaded.owned:
        row = loaded.registers[name]
        assert (row.on_release, row.life, row.write_function) == (OnRelease.RESTORE, Life.PERSISTENT, 6), name
    assert loaded.registers["passive_battery_charge_power"].neutral.value == 1.0, "a small share caps every mode"
    assert loaded.registers["passive_battery_discharge_power"].neutral.value == 1.0
    assert [name for name in loaded.owned if loaded.registers[name].trigger] == ["app_mode"]


def test_the_polarity_is_this_family_s_and_not_the_older_one_s(loaded):
    assert loaded.registers["passive_enable"].labels == {0: "standby", 1: "discharge", 2: "charge"}


def test_passive_mode_is_the_way_without_a_timer(text, loaded):
    passive = load_map(text, control="passive")
    assert (loaded.control, loaded.needs_guard) == ("", False)
    assert (passive.control, passive.needs_guard) == ("passive", True)
    assert not {name for name in passive.owned if "slot7" in name}


@pytest.mark.parametrize(("name", "address"), NEVER.items())
def test_a_sequence_that_writes_a_forbidden_register_is_refused(loaded, text, name, address):
    assert loaded.registers[name].address == address
    assert loaded.registers[name].never_write
    wrong = text.replace("wake = []", f'wake = [{{ write = "{name}", value = 0 }}]')
    assert wrong != text
    with pytest.raises(MapError, match=rf"\[registers.{name}\] never_write: nobody may ever write it|low confidence"):
        load_map(wrong)
