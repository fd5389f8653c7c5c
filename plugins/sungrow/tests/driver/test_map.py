"""The map against the dossier's own table (an extract, in facts.csv), and against signs typed off once more."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from samspel.contract.errors import MapError
from samspel.contract.signals import SIGNALS
from samspel.registers.codec import decode
from samspel.registers.loader import load_map
from samspel.registers.model import Confidence, DataType, Life, OnRelease, WordOrder
from samspel.registers.planner import plan

EXTRACT = (Path(__file__).parent / "facts.csv").read_text(encoding="utf-8")
FACTS = {row["name"]: row for row in csv.DictReader(EXTRACT.splitlines())}
TYPES = {"bitfield": "bits16", "bitfield32": "bits32"}
SCALES = {"kW": ("W", 1000), "kWh": ("Wh", 1000), "enum": ("", 1), "bits": ("", 1), "code": ("", 1)}
COUNT_OF_WORDS = 3

DEADLY = {"meter2_total_power": 13199, "fw_inverter": 13249, "fw_comm_module": 13264, "fw_battery": 13279}
REFUSED_STARTS = {2612, 2628, 5006, 5008, 13014, 13043, 13047, 5740}
"""A dongle refuses a read that starts here (facts 5.3)."""

NEVER = {
    "start_stop", "pv_power_limitation", "off_grid_option", "active_power_limitation",
    "active_power_ratio", "backup_reserve_soc", "global_mppt_scan", "apl_shutdown_at_zero", "charge_cutoff_voltage",
    "charge_discharge_power_wide", "scheduled_charging", "parallel_config",
}  # fmt: skip


@pytest.fixture(scope="module")
def compulsory(text):
    return load_map(text, control="compulsory")


def pytest_generate_tests(metafunc):
    """One test a row of the dossier."""
    if "fact" in metafunc.fixturenames:
        metafunc.parametrize("fact", FACTS.values(), ids=list(FACTS))


IDENTITY = {"serial_number": "serial", "device_type_code": "model", "fw_package_main": "firmware"}


def test_every_row_is_as_the_dossier_has_it(loaded, manifest, fact):
    named = IDENTITY.get(fact["name"])
    row = manifest.identity.rows[named] if named else loaded.registers[fact["name"]]
    assert row.address == int(fact["address"])
    assert row.count == int(fact["count"])
    assert row.table.value == ("input" if fact["function"] == "04" else "holding")
    if row.count != COUNT_OF_WORDS:
        assert row.type.value == TYPES.get(fact["type"], fact["type"])
    if fact["word_order"] == "low-word-first":
        assert row.word_order is WordOrder.LOW_FIRST
    if row.type is DataType.STRING:
        return
    unit, factor = SCALES.get(fact["unit"], (fact["unit"], 1))
    assert row.unit == unit
    assert row.scale == pytest.approx(float(fact["scale"] or 1) * factor)


def test_every_row_of_the_map_is_in_the_dossier(loaded):
    assert set(loaded.registers) <= set(FACTS)


@pytest.mark.parametrize(
    ("name", "words", "value"),
    [
        ("battery_power", (928, 0), 928),  # the capture of an SH15T, while its discharge bit stood
        ("battery_power", (0xF830, 0xFFFF), -2000),
        ("battery_current", (20,), 2.0),
        ("export_power", (10, 0), -10),  # the same capture: 13010 = 10 while 5601 = -10
        ("meter_phase_a_power", (0xFFF6, 0xFFFF), -10),
        ("total_active_power", (0xFE70, 0xFFFF), -400),
        ("total_dc_power", (0x0304, 0x0102), 0x01020304),  # low word first: 03 04 01 02 on the wire
        ("nominal_power", (150,), 15000),
        ("battery_capacity", (4480,), 44800),
        ("total_battery_charge", (1, 1), 6553700),
        ("daily_battery_discharge", (1234,), 123400),
        ("grid_frequency", (4998,), 49.98),
        ("battery_temperature", (0xFFCE,), -5.0),
        ("inside_temperature", (431,), 43.1),
        ("max_discharge_power", (1060,), 10600),
        ("bdc_rated_power", (300,), 30000),
        ("min_soc", (50,), 5.0),
        ("running_state", (0x8200,), "on_grid"),
        ("load_power", (0xFFFF, 0x7FFF), None),
        ("export_power", (0xFFFF, 0x7FFF), None),
        ("grid_frequency", (0,), None),
    ],
)
def test_numbers_from_the_dossier(loaded, name, words, value):
    assert decode(loaded.registers[name], words) == (value if value is None else pytest.approx(value))


def test_the_map_carries_every_signal_that_the_device_has(loaded):
    missing = {name for name in SIGNALS if loaded.signal(name) is None}
    assert missing == {
        "grid_current_l1_a", "grid_current_l2_a", "grid_current_l3_a",  # unsigned: no direction (facts 1.5)
        "battery_state", "meter_online",  # no such register; faults tell
        "max_ac_power_w",  # a cap that may be off
    }  # fmt: skip


def test_doubtful_rows_carry_nothing(loaded):
    low = [row for row in loaded.registers.values() if row.confidence is Confidence.LOW]
    assert {row.name for row in low} == {"global_mppt_scan", "charge_discharge_power_wide", "parallel_config"}
    assert all(row.signal is None and row.poll == "never" and row.never_write for row in low)


def test_no_read_starts_where_a_dongle_refuses(loaded):
    assert not REFUSED_STARTS & {row.address for row in loaded.registers.values() if row.table.value == "input"}


@pytest.mark.parametrize("firmware", ["SAPPHIRE-H_01011.95.03", "SAPPHIRE-H_01011.95.12", ""])
def test_nothing_that_is_polled_touches_a_deadly_read(text, manifest, firmware):
    registers = load_map(text, model="SH10RT", firmware=firmware)
    faults = set(manifest.faults.registers)
    polled = [row for row in registers.registers.values() if row.signal or row.name in faults]
    for request in plan(polled, registers.limits, known=registers.registers.values()):
        assert not [place for place in DEADLY.values() if request.address <= place < request.address + request.count]


def test_firmware_95_03_cannot_even_be_asked(text):
    old = load_map(text, model="SH10RT-V112", firmware="SAPPHIRE-H_01011.95.03")
    assert {name: old.registers[name].address for name in DEADLY} == DEADLY
    assert not [name for name in DEADLY if old.registers[name].readable]
    assert plan([old.registers[name] for name in DEADLY], old.limits) == ()
    newer = load_map(text, model="SH10RT", firmware="SAPPHIRE-H_01011.95.12")
    assert all(newer.registers[name].readable for name in DEADLY)


@pytest.mark.parametrize(
    ("model", "firmware", "multiplied"),
    [
        ("SH10RT", "SAPPHIRE-H_01011.95.12", True),
        ("SH8.0RT-V112", "SAPPHIRE-H_01011.95.14", True),
        ("SH10RT", "SAPPHIRE-H_01011.95.03", False),
        ("SH15T", "PEARL-H_B000.V000.P063", False),
    ],
)
def test_firmware_that_multiplies_the_export_limit(text, model, firmware, multiplied):
    row = load_map(text, model=model, firmware=firmware).registers["feed_in_limit"]
    assert ("multiplies" in (row.never_write or "")) is multiplied
    assert row.write_function is None
    assert row.scale == 1, "it reads in W everywhere"


def test_what_is_owned_and_how_it_goes_back(loaded, compulsory):
    owned = {name: (loaded.registers[name].address, loaded.registers[name].on_release) for name in loaded.owned}
    assert owned == {
        "forced_startup_low_soc": (13016, OnRelease.LEAVE),
        "charge_discharge_cmd": (13050, OnRelease.RESET),
        "charge_discharge_power": (13051, OnRelease.RESET),
        "external_ems_heartbeat": (13079, OnRelease.LEAVE),
        "ems_mode": (13049, OnRelease.RESET),
    }
    assert set(compulsory.owned) == set(loaded.owned) - {"external_ems_heartbeat"}
    assert {name for name in loaded.owned if loaded.registers[name].life is Life.PERSISTENT} == {"ems_mode"}
    assert [name for name in loaded.owned if loaded.registers[name].trigger] == ["ems_mode"]


def test_compulsory_mode_wants_a_guard_and_external_ems_does_not(loaded, compulsory):
    assert compulsory.needs_guard
    assert compulsory.feed_repeats
    assert not loaded.needs_guard


def test_nobody_writes_what_is_forbidden(loaded, text):
    assert {row.name for row in loaded.registers.values() if row.never_write} == NEVER
    for name in NEVER:
        wrong = text.replace('reverse = [{ write = "charge_discharge_cmd"', f'reverse = [{{ write = "{name}"')
        assert wrong != text
        with pytest.raises(MapError, match=rf"\[registers.{name}\] never_write|low confidence"):
            load_map(wrong)
