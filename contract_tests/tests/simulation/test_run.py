"""A run from its seed: the same again, whatever process and whatever hash seed; and what the command says of it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from samspel.contract.errors import ConfigError
from samspel_contract.simulation.choice import Choice, choices, command_line, seconds_of
from samspel_contract.simulation.command import command
from samspel_contract.simulation.outages import OUTAGES
from samspel_contract.simulation.plan import load_plan, names
from samspel_contract.simulation.record import Violation, span_of
from samspel_contract.simulation.report import table
from samspel_contract.simulation.run import Outcome
from samspel_contract.simulation.soak import Job, Tally

REPEAT = """\
import sys
from importlib.resources import files
from pathlib import Path
from samspel_contract.simulation.plan import load_plan
from samspel_contract.simulation.run import simulate
from samspel_contract.target import loose

GOOD = files("samspel_contract") / "toys" / "good"
toy = loose(Path(str(GOOD / "driver.toml")), "samspel_contract.toys.good.twin:twin")
print(simulate(toy, load_plan("hostile"), int(sys.argv[1]), until_s=1800, goes_on=True).transcript)
"""


def transcript(seed, hash_seed):
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    done = subprocess.run(
        [sys.executable, "-c", REPEAT, str(seed)], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_the_same_seed_gives_the_same_transcript_in_any_process():
    assert transcript(7, "1") == transcript(7, "2")


def test_another_seed_gives_another():
    assert transcript(8, "1") != transcript(7, "1")


@pytest.mark.parametrize("name", names())
def test_every_scenario_of_the_package_can_be_read(name):
    assert load_plan(name).title


def test_the_hostile_home_knows_every_outage():
    assert set(load_plan("hostile").outages) == set(OUTAGES)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('title = "x"\nday = 1\n', "did you mean 'days'"),
        ('title = "x"\n[outages]\nearthquake = { per_day = 1 }\n', "no such outage"),
        ("title = 1\n", "title"),
    ],
)
def test_a_wrong_scenario_is_told_in_a_sentence(tmp_path, text, words):
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=words):
        load_plan(str(path))


def test_an_unknown_scenario_names_those_that_there_are(capsys):
    assert command(["earthquake"]) == 2
    assert "hostile" in capsys.readouterr().err


@pytest.mark.parametrize("seconds", [0, 59, 3600, 273_600, 90_061])
def test_a_span_is_read_as_it_is_written(seconds):
    assert seconds_of(span_of(seconds)) == seconds


def test_a_span_that_is_none_is_told():
    with pytest.raises(ConfigError, match="3d04h"):
        seconds_of("soon")


def test_the_line_that_repeats_a_run_chooses_the_same():
    line = command_line("hostile", Choice("toy", 2), 17, 3 * 86_400 + 4 * 3600)
    assert line == "samspel simulate hostile --driver toy --variant 2 --seed 17 --until 3d04h01s"


def test_a_variant_without_a_driver_is_told():
    with pytest.raises(ConfigError, match="--driver"):
        choices(load_plan("quiet"), None, 1)


def outcome(*violations):
    return Outcome(
        simulated_s=7200.0,
        took_s=10.0,
        counts={"commands": {"stop": 2}},
        checked={"stop_within_its_bound": 5},
        violations=violations,
        energy_wh={},
        transcript="",
    )


MOVED = Violation("stop_within_its_bound", "the battery moves 900 W", 7100.0, ("sent   stop a",))


def test_the_tally_of_a_soak_counts():
    tally = Tally()
    tally.add(Job("quiet", Choice("toy"), 1, 7200.0), outcome())
    assert "12 home-days an hour" in tally.table(25.0)
    assert tally.failed == []


def test_the_tally_of_a_soak_shows_what_failed_and_how_to_see_it_again():
    tally = Tally()
    tally.add(Job("quiet", Choice("toy", 1), 7, 7200.0), outcome(MOVED))
    ((_, text),) = tally.failed
    assert "VIOLATED stop_within_its_bound after 1h58m20s: the battery moves 900 W" in text
    assert "sent   stop a" in text
    assert "again: samspel simulate quiet --driver toy --variant 1 --seed 7 --until 1h58m21s" in text


def test_the_table_says_how_often_each_was_judged_and_violated():
    lines = {line.split()[0]: line.split()[1:] for line in table(outcome(MOVED)).splitlines() if line.startswith("  ")}
    assert lines["stop_within_its_bound"] == ["5", "1"]
    assert lines["only_declared_registers"] == ["0", "0"]
