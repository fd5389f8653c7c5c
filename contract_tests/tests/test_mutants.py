"""The suite is tested with broken drivers: one that survives shows a test without teeth."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from samspel_contract.catalogue import catalogue

FOLDER = Path(__file__).parent / "mutants"
MUTANTS = tomllib.loads((FOLDER / "mutants.toml").read_text(encoding="utf-8"))
BAD = frozenset({"failed", "error"})


def test_there_are_mutants_enough_and_each_names_its_killers():
    named = {name for mutant in MUTANTS.values() for name in mutant["killed_by"]}
    assert len(MUTANTS) >= 20
    assert all(mutant["killed_by"] for mutant in MUTANTS.values())
    assert named <= set(catalogue())


@pytest.mark.slow
@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_dies_by_every_test_that_names_it(toy, name, monkeypatch):
    mutant = MUTANTS[name]
    monkeypatch.setenv("PYTHONPATH", str(FOLDER))
    for edit in mutant.get("edits", ()):
        toy.edit(edit["file"], edit["find"], edit["replace"])
    driver = [f"--samspel-driver-factory={mutant['driver']}"] if "driver" in mutant else []
    run = toy.run(*mutant["killed_by"], arguments=driver)
    killers = {case.partition("[")[0] for case, outcome in run.outcomes.items() if outcome in BAD}
    assert killers == set(mutant["killed_by"]), run.output
