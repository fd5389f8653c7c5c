"""The differential finds what differs, and lets through only what a capability explains."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest
import typer
from samspel_contract import differential
from samspel_contract.differential import COMPARED, allowed_differences, compare, dumped, loaded, reference, transcript
from samspel_contract.scenario import ROUTE_WORDS
from samspel_contract.target import loose

GOOD = Path(str(files("samspel_contract") / "toys" / "good"))
TWIN = "samspel_contract.toys.good.twin:twin"
RENEW = "run: .venv/bin/python -m samspel_contract.differential"


def changed(step: str, record: dict[str, str] | None = None, **fields: object):
    """The reference with one step told differently, and a driver that says so of itself."""
    same = loaded(dumped(reference()))
    steps = [replace(one, **fields) if one.step == step else one for one in same.steps]
    return replace(same, steps=steps, record={**same.record, **(record or {})})


def test_the_reference_is_what_the_good_toy_says():
    found = transcript(loose(GOOD / "driver.toml", TWIN))
    assert dumped(found) == dumped(reference()), RENEW


def test_a_transcript_survives_json():
    assert loaded(dumped(reference())) == reference()


def test_the_same_is_no_difference():
    assert compare(reference(), loaded(dumped(reference()))) == []


def test_a_difference_that_nothing_explains_is_named():
    found = compare(reference(), changed("zero", battery="own logic"))
    assert [(one.where, one.reference, one.found, one.allowed_by) for one in found] == [
        ("zero: battery", "as wanted", "own logic", "")
    ]
    assert "NOT EXPLAINED" in str(found[0])


def test_a_capability_explains_what_the_table_says():
    found = compare(reference(), changed("charge", {"charge.verify": "effect"}, verification="effect"))
    assert [one.allowed_by for one in found] == ["charge.verify"]


@pytest.mark.parametrize(
    ("record", "fields"),
    [
        ({"discharge.verify": "effect"}, {"verification": "effect"}),  # another direction's route
        ({"charge.deadman": "timeout"}, {"verification": "effect"}),  # another capability
        ({"charge.verify": "effect"}, {"end": ["failed device"]}),  # another field
        ({"charge.reversal_dwell_s": "300.0"}, {"deviations": ["overridden default"]}),  # another word
        (
            {"charge.reversal_dwell_s": "300.0"},
            {"deviations": ["dwell reversal", "overridden default"]},
        ),  # one too many
        ({"charge.deadman": "timeout"}, {"stages": ["written", "received", "accepted", "delivered"]}),  # another order
    ],
)
def test_a_capability_explains_nothing_else(record, fields):
    found = compare(reference(), changed("charge", record, **fields))
    assert [one.allowed_by for one in found] == [""]


def test_several_capabilities_may_explain_several_words():
    record = {"charge.reversal_dwell_s": "300.0", "charge.deadman": "timeout"}
    (found,) = compare(reference(), changed("charge", record, deviations=["dwell reversal", "overridden default"]))
    assert found.allowed_by == "charge.reversal_dwell_s, charge.deadman"


def test_a_signal_may_be_absent_only_where_that_is_declared():
    same = loaded(dumped(reference()))
    without = replace(same, telemetry={**same.telemetry, "pv_power_w": "absent"})
    assert [one.allowed_by for one in compare(reference(), without)] == [""]
    declared = replace(without, record={**same.record, "pv_power": "missing"})
    assert [one.allowed_by for one in compare(reference(), declared)] == ["pv_power"]


def test_the_table_is_closed_over_what_there_is():
    for row in allowed_differences():
        assert row.field in COMPARED
        assert row.capability in ROUTE_WORDS
        assert row.reason


def test_two_brands_say_the_same(tmp_path, capsys):
    out = tmp_path / "transcripts.json"
    with pytest.raises(typer.Exit) as caught:
        differential.main(["huawei"], out)
    assert caught.value.exit_code == 0, capsys.readouterr().out
    assert [step["step"] for step in json.loads(out.read_text())["huawei"]["steps"]] == [
        one.step for one in reference().steps
    ]
