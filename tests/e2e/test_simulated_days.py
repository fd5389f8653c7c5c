"""A slice of the soak: an hour of each installed driver in a hostile home, with every invariant."""

from __future__ import annotations

import logging

import pytest
from samspel_contract.simulation.choice import Choice, command_line, drivers
from samspel_contract.simulation.plan import load_plan
from samspel_contract.simulation.report import violation_text
from samspel_contract.simulation.run import simulate
from samspel_contract.target import installed

SLICES = {"busy": 0.5, "hostile": 1.0}
"""Hours."""

SEED = 4


@pytest.mark.parametrize("scenario", SLICES)
@pytest.mark.parametrize("driver", drivers())
def test_every_invariant_holds(driver, scenario, caplog):
    caplog.set_level(logging.CRITICAL)
    outcome = simulate(installed(driver), load_plan(scenario), SEED, until_s=SLICES[scenario] * 3600)
    told = [violation_text(one, command_line(scenario, Choice(driver), SEED, one.at_s)) for one in outcome.violations]
    assert not told, "\n".join(told)
    assert outcome.checked["one_end_for_every_command"]
