"""An end that was journaled, and whose outcome a killed process took along: the next process says it, once."""

from __future__ import annotations

import asyncio
import json

import pytest
from samspel.clock import LoopClock
from samspel.contract.outcome import End, Stage
from samspel.control.events import Say
from samspel.outlet import LINGER_S, Outlet
from samspel.store.memory import MemoryStore
from samspel.store.store import Store
from samspel.untold import Untold

DEVICE = "battery"
DECIDED = ("fleet-a/1/1/a", "fleet-a/1/2/b")


def accepted(name: str) -> Say:
    return Say(command_id=name, stage=Stage.ACCEPTED)


def ended(name: str) -> Say:
    return Say(command_id=name, end=End.SUPERSEDED)


def a_life(store: MemoryStore | Store, *said: Say) -> Outlet:
    outlet = Outlet("home", "run-1", store.outbox, LoopClock())
    outlet.on_queued = Untold(store.journal).note
    for say in said:
        outlet.outcome(DEVICE, say)
    return outlet


def left(store: MemoryStore | Store, *held: str, decided: tuple[str, ...] = DECIDED) -> list[str]:
    return Untold(store.journal).left(DEVICE, held, decided)


@pytest.mark.looptime
async def test_an_end_that_was_not_queued_is_owed():
    store = MemoryStore()
    outlet = a_life(store, accepted("a"))
    await asyncio.sleep(2 * LINGER_S)
    outlet.outcome(DEVICE, ended("a"))
    assert left(store) == ["a"]
    assert left(store, "a") == [], "control holds it still, and will end it"
    await asyncio.sleep(2 * LINGER_S)
    assert left(store) == []


@pytest.mark.looptime
async def test_a_refusal_owes_nothing():
    store = MemoryStore()
    a_life(store, ended("a"))
    await asyncio.sleep(2 * LINGER_S)
    assert left(store) == []


@pytest.mark.looptime
async def test_what_was_not_decided_comes_again_and_is_answered_then():
    store = MemoryStore()
    a_life(store, accepted("a"), accepted("b"))
    await asyncio.sleep(2 * LINGER_S)
    assert left(store, decided=DECIDED[1:]) == ["b"]


async def test_the_list_is_on_disk_with_the_outcomes(tmp_path):
    path = tmp_path / "edge.db"
    store = Store.open(path, LoopClock())
    outlet = a_life(store, accepted("a"), accepted("b"), ended("a"))
    outlet.flush()
    await store.close()
    again = Store.open(path, LoopClock())
    assert [json.loads(row.message.payload)["command_id"] for row, _ in again.outbox.rows()] == ["a", "b", "a"]
    assert left(again) == ["b"]
    await again.close()


def test_what_control_holds_at_the_start_is_owed_though_its_acceptance_was_never_said():
    store = MemoryStore()
    Untold(store.journal).adopt(DEVICE, ["a"])
    Untold(store.journal).adopt(DEVICE, ["a"])
    assert left(store, "a") == []
    assert left(store) == ["a"]
