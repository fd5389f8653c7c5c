"""Recordings of real devices: replayed, believed only when they fit, and named in the report."""

from __future__ import annotations

import asyncio

import pytest
from samspel.contract.errors import ConfigError
from samspel_contract.captures import contradictions, read_capture
from samspel_contract.catalogue import catalogue
from samspel_contract.isolated import Run
from samspel_contract.report import REPLAY, make_report
from samspel_contract.simulated import SimulatedLoop
from samspel_contract.target import loose

TWIN = "samspel_contract.toys.good.twin:twin"

# 1500 W of discharge reads as -1500 here (this maker counts charging positive), low word first.
CAPTURE = """\
model = "TINKER-5"
firmware = "1.4"
path = "lan"
source = "a toy on the carpet, 2026-11-22, a second meter beside it"

[words.input]
100 = [0xFA24, 0xFFFF, 553, 251]
108 = [2]
110 = [0xFF38, 0xFFFF]
130 = [1]

[true]
signals = { battery_power_w = 1502, soc_pct = 55.3, grid_power_w = 200, battery_state = "running" }
faults = ["grid.overvoltage"]
"""


def with_capture(toy, text):
    (toy.folder / "captures").mkdir()
    (toy.folder / "captures" / "carpet.toml").write_text(text, encoding="utf-8")
    return toy.append("contract.toml", '\n[evidence]\ncaptures = ["captures/carpet.toml"]\n')


def found(toy, text):
    """What contradicts the recording."""
    target = loose(with_capture(toy, text).folder / "driver.toml", TWIN)
    capture = read_capture(target.folder / "captures/carpet.toml", target.manifest)
    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        return runner.run(contradictions(target, capture))


def test_a_recording_that_fits_makes_the_evidence(toy):
    assert found(toy, CAPTURE) == []


@pytest.mark.parametrize(
    ("find", "replace", "said"),
    [
        ("battery_power_w = 1502", "battery_power_w = -1500", "battery_power_w: read 1500, true was -1500 (within 2)"),
        ("soc_pct = 55.3", "soc_pct = 60", "soc_pct: read 55.3, true was 60 (within 0.2)"),
        ('battery_state = "running"', 'battery_state = "standby"', "battery_state: read running, true was standby"),
        ("grid_power_w = 200", "pv_power_w = 200", "pv_power_w: is absent, true was 200"),
    ],
)
def test_a_recording_that_lies_fails(toy, find, replace, said):
    assert found(toy, CAPTURE.replace(find, replace)) == [said]


def test_a_fault_that_was_not_there_is_a_contradiction(toy):
    (said,) = found(toy, CAPTURE.replace('faults = ["grid.overvoltage"]', "faults = []"))
    assert said.startswith("faults: read")


def test_the_suite_fails_a_driver_by_a_lying_recording(toy):
    run = with_capture(toy, CAPTURE.replace("soc_pct = 55.3", "soc_pct = 60")).run(REPLAY)
    assert run.outcomes == {f"{REPLAY}[captures/carpet.toml]": "failed"}, run.output


def test_two_steps_of_the_register_are_allowed_and_no_more(toy):
    assert found(toy, CAPTURE.replace("1502", "1480")) != []


def test_what_was_measured_roughly_is_believed_within_that(toy):
    assert found(toy, CAPTURE.replace("1502", "1480") + "within = { battery_power_w = 30 }\n") == []


@pytest.mark.parametrize(
    ("find", "replace", "message"),
    [
        ('path = "lan"', 'path = "radio"', "driver.toml has lan"),
        ("soc_pct", "soc_percent", "soc_percent: not a signal"),
        ("grid.overvoltage", "grid.broken", "not a code of the closed list"),
        ("[words.input]", "[words.coils]", "unknown table"),
        ("108 = [2]", "108 = [70000]", "words of 16 bits"),
        ("source = ", 'source = "" #', "who measured this"),
    ],
)
def test_a_slip_is_named(toy, find, replace, message):
    with_capture(toy, CAPTURE.replace(find, replace))
    target = loose(toy.folder / "driver.toml", TWIN)
    with pytest.raises(ConfigError, match=message):
        read_capture(target.folder / "captures/carpet.toml", target.manifest)


def test_the_report_says_what_it_rests_on(toy):
    target = loose(with_capture(toy, CAPTURE).folder / "driver.toml", TWIN)
    outcomes = dict.fromkeys(catalogue(), "passed")
    assert make_report(target, Run(0, "", outcomes), catalogue()).evidence == "capture-verified"
    assert make_report(target, Run(1, "", {**outcomes, REPLAY: "failed"}), catalogue()).evidence == "twin-only"
    assert make_report(target, Run(0, "", outcomes), catalogue()).captures == ["captures/carpet.toml"]
