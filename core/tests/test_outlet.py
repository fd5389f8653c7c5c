"""Reports are made at once and written out a little later, in their order, so that the device goes first."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime

import pytest
from samspel.clock import LoopClock
from samspel.contract.outcome import Stage
from samspel.contract.site import Condition, Status
from samspel.control.events import Say
from samspel.outlet import LINGER_S, Outlet
from samspel.store.memory import MemoryStore

pytestmark = pytest.mark.looptime


def open_outlet() -> tuple[Outlet, MemoryStore]:
    store = MemoryStore()
    return Outlet("home-1", "run-1", store.outbox, LoopClock()), store


async def queued(store: MemoryStore) -> list[dict]:
    return [json.loads(row.message.payload) for row, _ in store.outbox.rows()]


async def test_a_report_waits_for_the_device_and_keeps_its_own_time():
    outlet, store = open_outlet()
    outlet.received("battery", "a")
    outlet.outcome("battery", Say(command_id="a", stage=Stage.ACCEPTED))
    await asyncio.sleep(LINGER_S / 2)
    assert await queued(store) == []
    await asyncio.sleep(LINGER_S)
    assert [(one["stage"], one["monotonic_s"]) for one in await queued(store)] == [("received", 0.0), ("accepted", 0.0)]


async def test_a_flush_queues_at_once_and_nothing_twice():
    outlet, store = open_outlet()
    outlet.received("battery", "a")
    outlet.flush()
    outlet.received("battery", "b")
    await asyncio.sleep(1)
    assert [one["command_id"] for one in await queued(store)] == ["a", "b"]


async def test_what_cannot_be_written_out_takes_nothing_else_with_it(caplog):
    outlet, store = open_outlet()
    naive = datetime(2026, 1, 1)  # noqa: DTZ001 - the defect of this test
    outlet.status(Status(site="home-1", boot_id="run-1", at=naive, condition=Condition.ONLINE))
    outlet.received("battery", "a")
    await asyncio.sleep(1)
    assert [one["command_id"] for one in await queued(store)] == ["a"]
    assert "cannot be written out" in caplog.text
