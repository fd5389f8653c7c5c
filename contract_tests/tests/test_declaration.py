"""What contract.toml may say, and that an excuse is strict both ways."""

from __future__ import annotations

import pytest
from samspel.contract.errors import ConfigError
from samspel_contract.capabilities import Capability
from samspel_contract.catalogue import catalogue
from samspel_contract.declaration import read_declaration
from samspel_contract.target import loose

TWIN = "samspel_contract.toys.good.twin:twin"

RADIO = '[[paths]]\nname = "radio"\nport = 1\nunits = [3]\nsource = "-"\n\n'
EXCUSE = '\n[expected_failures]\n"{name}" = {{ reason = "known", issue = "#7", since = "0.1" }}\n'


def read(toy):
    return read_declaration(toy.folder / "contract.toml", catalogue())


def test_the_toys_declaration_is_read(toy):
    declared = read(toy)
    assert declared.missing[Capability.WAKE] == "unsupported: the toy never sleeps"
    assert Capability.CHARGE not in declared.missing


@pytest.mark.parametrize(
    ("find", "replace", "message"),
    [
        ('faults = { support = "full" }\n', "", r"\[capabilities\] faults: is missing"),
        ('faults = { support = "full" }\n', 'fault = { support = "full" }\n', r"\[capabilities\] fault: unknown"),
        ('faults = { support = "full" }', 'faults = { support = "unsupported" }', "faults: unsupported needs a reason"),
        (
            'faults = { support = "full" }',
            'faults = { support = "some" }',
            "allowed: 'full', 'unsupported'",
        ),
        ("stop_s = 20", "stop_s = 600.0", "at most 60"),
        ("stop_s = 20", "stop_s = 0.0", "above 0"),
    ],
)
def test_a_slip_is_named(toy, find, replace, message):
    with pytest.raises(ConfigError, match=message):
        read(toy.edit("contract.toml", find, replace))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no_such_test", "no such test"),
        ("stop_works_at_full_power", "safety set"),
        ("stop_works_at_full_power[charge]", "safety set"),
    ],
)
def test_an_excuse_that_cannot_be_is_an_error(toy, name, message):
    with pytest.raises(ConfigError, match=message):
        read(toy.append("contract.toml", EXCUSE.format(name=name)))


def test_an_excuse_without_reason_is_an_error(toy):
    toy.append(
        "contract.toml", '\n[expected_failures]\nreversal_arrives = { reason = "", issue = "#1", since = "0" }\n'
    )
    with pytest.raises(ConfigError, match="must all say something"):
        read(toy)


def test_an_unknown_case_of_a_known_test_is_an_error(toy):
    run = toy.append("contract.toml", EXCUSE.format(name="reversal_arrives[sideways]")).run("reversal_arrives")
    assert run.exit_code != 0
    assert "this driver has no such test" in run.output


def test_an_excuse_holds_while_the_test_fails_and_not_a_day_longer(toy):
    toy.edit("map.toml", 'unit = "Hz", scale = 0.01', 'unit = "Hz", scale = 0.1')
    excused, passing = "signal_says_what_its_register_holds[grid_frequency_hz]", "reversal_arrives"
    toy.append("contract.toml", EXCUSE.format(name=excused) + EXCUSE.format(name=passing).splitlines()[2])
    run = toy.run("signal_says_what_its_register_holds", passing)
    assert run.exit_code == 1
    assert run.outcomes.pop(excused) == "expected_failure"
    assert {name for name, outcome in run.outcomes.items() if outcome == "failed"} == {
        "reversal_arrives[charge]",
        "reversal_arrives[discharge]",
    }


def test_what_is_not_there_cannot_be_declared_and_what_is_there_cannot_be_denied(toy):
    toy.edit("contract.toml", 'faults = { support = "full" }', 'faults = { support = "unsupported", reason = "no" }')
    run = toy.run("declared_capabilities_are_the_real_ones", "unknown_states_are_survived")
    assert run.outcomes == {
        "declared_capabilities_are_the_real_ones": "failed",
        "unknown_states_are_survived": "unsupported",
    }


def test_variants_are_read_in_their_order(toy):
    variants = read(toy).variants
    assert [(one.firmware, one.control) for one in variants] == [("1.4", ""), ("1.4", "timed"), ("1.8", "")]
    assert [one.name for one in variants] == ["1.4", "1.4 timed", "1.8"]


def test_a_variant_on_a_path_that_is_none_is_named(toy):
    toy.edit("contract.toml", 'control = "timed"', 'control = "timed"\npath = "radio"')
    with pytest.raises(ConfigError, match=r"\[\[variants\]\] path: found 'radio', driver.toml has lan"):
        loose(toy.folder / "driver.toml", TWIN)


@pytest.mark.parametrize(
    ("file", "find", "replace", "said"),
    [
        ("contract.toml", 'firmware = "1.8"\n', 'firmware = "1.4"\n', "overlays: 'any model: 1.8..1.9'"),
        ("contract.toml", 'control = "timed"\n', "", "controls: 'timed'"),
        ("map.toml", 'models = ["TINKER-*"]', 'models = ["TINKER-*", "FIDDLER-*"]', "models: 'FIDDLER-*'"),
        ("driver.toml", "[identity]", RADIO + "[identity]", "paths: 'radio'"),
    ],
)
def test_a_claim_that_no_variant_covers_is_named(toy, file, find, replace, said):
    run = toy.edit(file, find, replace).run("every_claim_has_a_variant")
    assert run.outcomes == {"every_claim_has_a_variant": "failed"}
    assert said in run.output


def test_the_safety_set_runs_once_for_each_way_of_control(toy):
    run = toy.run("take_writes_nothing", "reversal_arrives", "variant_says_who_it_is")
    assert set(run.outcomes) == {
        "take_writes_nothing[1.4]",
        "take_writes_nothing[1.4 timed]",
        "reversal_arrives[charge]",
        "reversal_arrives[discharge]",
        "variant_says_who_it_is[1.4]",
        "variant_says_who_it_is[1.4 timed]",
        "variant_says_who_it_is[1.8]",
    }
