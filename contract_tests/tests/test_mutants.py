"""The suite is tested with broken drivers: one that survives shows a test without teeth."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

MUTANTS = tomllib.loads((Path(__file__).parent / "mutants" / "mutants.toml").read_text(encoding="utf-8"))


@pytest.mark.slow
@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_dies_by_every_test_that_names_it(toy, name):
    mutant = MUTANTS[name]
    run = toy.edit(mutant["file"], mutant["find"], mutant["replace"]).run(*mutant["killed_by"])
    failed = {case.partition("[")[0] for case, outcome in run.outcomes.items() if outcome == "failed"}
    assert failed == set(mutant["killed_by"]), run.output
