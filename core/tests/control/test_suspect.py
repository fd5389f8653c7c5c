"""A battery that strays is worth a look at once; a look never comes between a write and its end."""

from __future__ import annotations

from dataclasses import replace

import pytest
from samspel.contract.capability import Capabilities, Direction, Verify
from samspel.control.events import Halt, Look, Suspect
from samspel.control.machine import step
from samspel.control.state import Action, Phase, Policy, State

from ..routes import route  # noqa: TID252 - the tests of every station share it
from .kit import Machine

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


STOPPED = Machine().stopped().state


def with_zero(verify):
    zero = route(Direction.ZERO, verify=verify)
    return replace(STOPPED, capabilities=Capabilities(routes=(zero,)))


@pytest.mark.parametrize(
    ("state", "asks"),
    [
        (with_zero(Verify.EFFECT), [Halt]),
        (with_zero(Verify.READ_BACK), []),
        (replace(with_zero(Verify.EFFECT), action=Action.LOOK), []),
        (replace(with_zero(Verify.EFFECT), unsettled=True), []),
        (replace(HELD, capabilities=with_zero(Verify.EFFECT).capabilities), []),
        (replace(STOPPED, capabilities=None), []),
    ],
)
def test_a_stop_is_asserted_again_where_the_registers_cannot_tell_that_it_was_lifted(state, asks):
    _, effects = step(state, Suspect(reads_as_ours=True), 101.0, Policy())
    assert [type(effect) for effect in effects if isinstance(effect, Halt | Look)] == asks
