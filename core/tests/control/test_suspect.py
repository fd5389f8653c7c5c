"""A battery that strays is worth a look at once; a look never comes between a write and its end."""

from __future__ import annotations

from dataclasses import replace

import pytest
from samspel.control.events import Look, Suspect
from samspel.control.machine import step
from samspel.control.state import Action, Phase, Policy, State

HELD = State(phase=Phase.CONTROLLING, link_up=True, unsettled=False, looked_at=100.0, written_w=1000.0)


@pytest.mark.parametrize(
    ("changes", "looks"),
    [
        ({}, True),
        ({"phase": Phase.STOPPED}, True),
        ({"phase": Phase.RELEASED}, False),
        ({"action": Action.FOLLOW}, False),
        ({"unsettled": True}, False),
        ({"link_up": False}, False),
    ],
)
def test_it_looks_while_it_holds_the_battery_and_nothing_is_under_way(changes, looks):
    _, effects = step(replace(HELD, **changes), Suspect(), 101.0, Policy())
    assert any(isinstance(effect, Look) for effect in effects) is looks
