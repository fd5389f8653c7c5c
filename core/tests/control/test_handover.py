"""SIGTERM in the middle of a stop: the stop is not left half done, and the goodbye is not held up for ever."""

from __future__ import annotations

import asyncio

import pytest
from samspel.control.shell import HALT_WAIT_S

from .kit import set_power, stop
from .test_shell import Site, hanging_driver

pytestmark = pytest.mark.looptime


async def stopping(site: Site) -> asyncio.Event:
    """A stop that hangs in the driver until the event is set."""
    before, let_go = hanging_driver("halt")
    site.before_action = before
    site.give(set_power(ttl_s=600))
    await asyncio.sleep(2)
    site.give(stop())
    await asyncio.sleep(0.1)
    assert "driver halt" in site.log
    return let_go


async def test_a_stop_that_is_being_written_is_waited_for():
    async with Site() as site:
        let_go = await stopping(site)
        leaving = asyncio.create_task(site.controller.hand_over())
        await asyncio.sleep(HALT_WAIT_S / 2)
        assert not leaving.done()
        assert site.controller._tasks, "it goes on"
        let_go.set()
        await asyncio.sleep(0.1)
        assert leaving.done()
        assert site.controller.state.stop.asserted
        assert site.journal.get("battery/control")["stop"]["command_id"] == "stop"


async def test_a_stop_that_hangs_does_not_hold_up_the_goodbye():
    async with Site() as site:
        await stopping(site)
        async with asyncio.timeout(HALT_WAIT_S + 0.1):
            await site.controller.hand_over()
        await asyncio.sleep(0)
        assert not site.controller._tasks
