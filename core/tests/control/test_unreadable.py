"""A journal that control cannot read: nothing is adopted, a stop stands if it can be made out, else it gives back."""

from __future__ import annotations

import pytest
from samspel.contract.driver import ControlState
from samspel.control.events import GiveBack, Halt
from samspel.control.journal import Documents, load, project
from samspel.control.state import Phase, State

from .kit import BASELINE, CAPABLE, SNAPSHOT, FakeClock, Machine


def kept(machine: Machine) -> dict:
    return project(machine.state, FakeClock(machine.now))


def revived(document: dict, *, snapshot: dict | None = SNAPSHOT) -> tuple[Machine, list[str]]:
    """The next process, once it has looked and found values that it does not know."""
    doubts: list[str] = []
    documents = Documents(control=document, snapshot=snapshot, baseline=BASELINE)
    machine = Machine(state=load(documents, FakeClock(), doubts.append))
    machine.up(CAPABLE)
    machine.looked(ControlState.FOREIGN)
    return machine, doubts


def spoiled(document: dict, where: str) -> dict:
    lease = document["lease"]
    return {
        "empty": {},
        "enum": {**document, "lease": {**lease, "on_expiry": "relaase"}},
        "number": {**document, "lease": {**lease, "power_w": "much"}},
        "time": {**document, "lease": {**lease, "issued_at": "yesterday"}},
        "missing": {**document, "lease": {"command_id": "sp"}},
        "marks": {**document, "marks": 3},
        "schema": {**document, "schema": "control-journal/0.2"},
    }[where]


@pytest.mark.parametrize("where", ["empty", "enum", "number", "time", "missing", "marks", "schema"])
def test_what_was_held_is_given_back_whatever_is_found(where):
    machine, doubts = revived(spoiled(kept(Machine().controlling()), where))
    assert doubts
    assert machine.state.lease is None
    assert machine.asked(GiveBack).snapshot == SNAPSHOT
    machine.gave_back()
    assert machine.state.phase is Phase.RELEASED


def test_without_a_snapshot_it_is_given_back_to_the_rest():
    machine, _ = revived({}, snapshot=None)
    assert machine.asked(GiveBack).snapshot == BASELINE


def test_a_stop_of_another_schema_is_asserted_again():
    document = {**kept(Machine().stopped()), "schema": "control-journal/0.2"}
    machine, doubts = revived(document)
    assert doubts
    machine.asked(Halt)
    assert machine.state.stop.command_id == "stop"


def test_who_held_nothing_gives_nothing_back():
    document = {**kept(Machine().settled()), "schema": "control-journal/0.2"}
    machine, doubts = revived(document)
    assert doubts
    assert machine.asked_driver() == []
    assert load(Documents(), FakeClock()) == State()
