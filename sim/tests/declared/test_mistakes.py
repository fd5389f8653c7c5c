"""A wrong twin.toml is told with its key, and all of it at once."""

from __future__ import annotations

import pytest
from samspel_sim.behaviour import OptionError, TwinOptions
from samspel_sim.declared import DeclarationError, declared_twin, read_declaration

MISTAKES = [
    ("unit = 7", "unit = 300", "[device] unit: found 300, allowed: 0 to 247"),
    ("unit = 7", 'unit = "7"', "[device] unit: found '7', expected a whole number"),
    ("unit = 7", "unit = true", "[device] unit: found True, expected a whole number"),
    ("unit = 7", "unti = 7", "[device] unti: unknown (did you mean 'unit'?)"),
    ('brand = "toy"', "", "[device] brand: is missing; expected a text"),
    ('firmware = ["1.4", "1.2"]', "", "[device] firmware: is missing"),
    ('"T-8" = { rated_w = 8000, ', '"T-8" = { ', "[models] T-8.rated_w: is missing; expected a number"),
    ('absent = ["extra"]', 'absent = ["extr"]', "[models] T-4.absent: registers.csv has no register 'extr'"),
    ("windows = [[40, 3]]", "windows = [40, 3]", "[link] windows: found [40, 3], expected a list of pairs"),
    ("windows = [[40, 3]]", "windows = [[40]]", "[link] windows: found [[40]], expected pairs"),
    ('model = "{model}"', 'model = "{name}"', "[texts] model: found '{name}'; between braces only"),
    ('model = "{model}"', 'protocol = "{model}"', "[texts] protocol: registers.csv has type u16, expected string"),
    ("protocol = 513", "protocol = 70000", "[constants] protocol: protocol holds 0..65535 raw, not 70000"),
    ("protocol = 513", "protokoll = 1", "[constants] protokoll: registers.csv has no such register"),
    ("soc = {", "socc = {", "[measurements] socc: there is no such register (did you mean 'soc'?)"),
    ('"soc_pct"', '"soc"', "[measurements] soc.shows: found 'soc'"),
    ('"soc_pct"', '"grid_frequency_hz"', "[measurements] soc.shows: grid_frequency_hz is in Hz, the register in %"),
    ('"soc_pct"', '"soc_pct", positive = "export"', "[measurements] soc.positive: soc_pct has no direction"),
    (', positive = "charging"', "", "[measurements] battery_w.positive: is missing"),
    ('"charging"', '"export"', "[measurements] battery_w.positive: found 'export'"),
    ("standby = 1,", "idle = 1,", "[measurements] state.codes.idle: no such state; allowed: charging,"),
    (
        "codes = { standby = 1, charging = 2, running = 3, fault = 4, sleep = 5 }",
        "codes = {}",
        "[measurements] state.codes: is missing",
    ),
    ('max = "charge_limit_w"', 'max = "charge_limit"', "[settings] charge_w.max: found 'charge_limit'"),
    ("default = 20", "default = 9000", "[settings] discharge_pct.default: discharge_pct holds"),
    ("most_w = {", "soc = {", "[settings] soc: registers.csv does not let anybody write soc"),
    ("hold = 3", "hold = 1", "[control] mode.hold: 1 already means charge"),
    ("own = [0, 9], ", "", "[control] mode.own: is missing"),
    (
        'mode = { register = "mode", own = [0, 9], charge = 1, discharge = 2, hold = 3 }',
        "",
        "[control] mode: is missing",
    ),
    ('charge = "charge_w", ', "", "[control] power.charge: is missing; expected the register that says how much to"),
    ('charge = "charge_w"', 'charge = "mode"', "[control] power.charge: mode is in no unit; a power is in W, kW, %"),
    ('clears = ["charge_w"]', 'clears = ["charg_w"]', "[control] clears: registers.csv has no register 'charg_w'"),
    ('charge = ["most_w"]', 'charge = ["floor", "beat"]', "[limits] charge: beat is in s; a power is in"),
    (
        'soc_floor_pct = "floor"',
        'soc_floor_pct = "flor"',
        "[limits] soc_floor_pct: found 'flor' (did you mean 'floor'?)",
    ),
    ("tau_s = 1\nown", "tau_s = 0\nown", "[timing] tau_s: found 0, allowed: 0.1 to 600"),
    ('register = "power_switch"', "", "[wake] register: is missing"),
    ("battery_fault = 3", "battery_fault = 16", "[faults] alarm.battery_fault: found 16, allowed: 0 to 15"),
    ("battery_fault = 3", "fire = 3", "[faults] alarm.fire: no such condition; allowed: battery_fault"),
    ("[timing]", "[timings]", "timings: unknown (did you mean 'timing'?)"),
]


@pytest.mark.parametrize(("find", "replace", "message"), MISTAKES, ids=[message for _, _, message in MISTAKES])
def test_a_mistake_is_told_with_its_key(toy_folder, find, replace, message):
    with pytest.raises(DeclarationError) as caught:
        read_declaration(toy_folder((find, replace)))
    assert f"twin.toml: {message}" in str(caught.value)


def test_everything_is_told_at_once(toy_folder):
    with pytest.raises(DeclarationError) as caught:
        read_declaration(toy_folder(("unit = 7", "unit = 300"), ("hold = 3", "hold = 1")))
    assert len(str(caught.value).splitlines()) == 2


def test_text_that_is_no_toml(toy_folder):
    with pytest.raises(DeclarationError, match=r"twin\.toml: cannot be read: .* line"):
        read_declaration(toy_folder(("[device]", "[device")))


def test_a_missing_file(tmp_path):
    with pytest.raises(DeclarationError, match=r"twin\.toml: cannot be read"):
        read_declaration(tmp_path)


def test_a_wrong_row_of_the_table(toy_folder):
    folder = toy_folder()
    table = folder / "registers.csv"
    table.write_text(table.read_text().replace("soc,103", "soc,102"))
    with pytest.raises(DeclarationError, match=r"registers\.csv: .*battery_kw.* both cover address 102"):
        read_declaration(folder)


def test_it_is_an_option_error_so_that_the_command_line_makes_a_sentence_of_it():
    assert issubclass(DeclarationError, OptionError)


def test_the_two_lines_of_a_plugin(toy_folder, tmp_path, monkeypatch):
    package = tmp_path / "toy_declared_twin"
    package.mkdir()
    for path in list(toy_folder().glob("*.*")):
        path.rename(package / path.name)
    (package / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert declared_twin("toy_declared_twin")(TwinOptions()).brand == "toy"
