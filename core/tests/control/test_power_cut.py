"""Loss of power: what the disk has last synced is all that a successor finds, and what was ended does not come back."""

from __future__ import annotations

import asyncio

import pytest
from samspel.contract.command import OnExpiry
from samspel.contract.driver import ControlState
from samspel.contract.outcome import End
from samspel.control.shell import STOP_JOURNAL_WAIT_S
from samspel.control.state import Phase

from .kit import release, set_power, stop
from .test_shell import Site, WatchedJournal

pytestmark = pytest.mark.looptime

AT_ONCE_S = 0.5
"""Before the next tick."""

WITHIN_A_SECOND_S = 1.2


async def left_by(*commands, after_s: float, journal: WatchedJournal | None = None) -> WatchedJournal:
    """Each is followed for ten seconds, the last one until the power fails."""
    site = Site(journal)
    async with site:
        for command in commands:
            await asyncio.sleep(10 if command is not commands[0] else 0)
            site.give(command)
        await asyncio.sleep(after_s)
    site.journal.lose_power()
    return site.journal


async def test_a_latched_stop_is_still_latched_after_loss_of_power():
    journal = await left_by(set_power(ttl_s=600), stop(), after_s=AT_ONCE_S)
    async with Site(journal) as successor:
        successor.found = ControlState.OURS
        await asyncio.sleep(3)
        assert successor.controller.state.phase is Phase.STOPPED
        assert successor.controller.state.stop.command_id == "stop"
        assert "driver halt" in successor.log
        assert "driver follow" not in successor.log[successor.acted("halt") :]


async def test_a_release_is_not_undone_by_loss_of_power():
    journal = await left_by(set_power(ttl_s=600), release(), after_s=AT_ONCE_S)
    journal.log.clear()
    async with Site(journal) as successor:
        successor.found = ControlState.OURS
        await asyncio.sleep(3)
        assert "driver follow" not in successor.log
        assert successor.controller.state.phase is Phase.RELEASED


async def test_a_command_whose_time_was_up_does_not_come_back_after_loss_of_power():
    journal = await left_by(set_power(ttl_s=20, on_expiry=OnExpiry.RELEASE), after_s=20 + WITHIN_A_SECOND_S)
    assert journal.get("battery/control")["lease"] is None


async def test_a_superseded_set_point_does_not_come_back_after_loss_of_power():
    newer = set_power("newer", 1000, seq=2, issued_s=1, ttl_s=600)
    journal = await left_by(set_power(ttl_s=600), newer, after_s=WITHIN_A_SECOND_S)
    assert journal.get("battery/control")["lease"]["command_id"] == "newer"


async def test_the_mark_of_the_first_write_survives_loss_of_power():
    """Without it a successor would take our own values for a stranger's."""
    journal = await left_by(set_power(ttl_s=600), after_s=WITHIN_A_SECOND_S)
    assert journal.get("battery/control")["marks"] == [{"mark": 3000.0}]


async def test_a_stop_waits_for_a_slow_sync_no_longer_than_for_any_write_and_is_acknowledged_after_it():
    class SlowToSync(WatchedJournal):
        async def put(self, name, document, *, durable=False):
            await asyncio.sleep(0.4 if durable else 0.0)
            await super().put(name, document, durable=durable)

    async with Site(SlowToSync([])) as site:
        site.give(set_power(ttl_s=600))
        await asyncio.sleep(10)
        site.give(stop())
        await asyncio.sleep(STOP_JOURNAL_WAIT_S + 0.01)
        assert "driver halt" in site.log
        assert site.acknowledged == ["sp"], "the broker still has it, should the power fail now"
        await asyncio.sleep(2)
        assert site.acknowledged == ["sp", "stop"]


async def test_a_set_point_is_not_held_up_by_a_slow_sync():
    class SlowToSync(WatchedJournal):
        async def put(self, name, document, *, durable=False):
            await asyncio.sleep(0.4 if durable and name.endswith("control") else 0.0)
            await super().put(name, document, durable=durable)

    async with Site(SlowToSync([])) as site:
        site.give(set_power(ttl_s=600))
        await asyncio.sleep(10.5)
        site.give(set_power("newer", 1000, seq=2, issued_s=1, ttl_s=600))
        await asyncio.sleep(0.1)
        assert site.controller.state.written_w == 1000


async def test_a_disk_that_refuses_to_sync_is_said_and_the_stop_stands():
    async with Site() as site:
        site.give(set_power(ttl_s=600))
        await asyncio.sleep(2)
        site.journal.full = True
        site.give(stop())
        await asyncio.sleep(2)
        assert site.end("sp") is End.SUPERSEDED
        assert site.controller.state.stop.asserted
        assert site.alarms
        assert site.acknowledged == ["sp", "stop"]
