"""`samspel faults --watch` goes on when the device does not answer, and takes nothing back meanwhile."""

from __future__ import annotations

import asyncio
import json

import pytest
from samspel.cli.faults import WATCH_S, _watch
from samspel.clock import LoopClock
from samspel.contract.driver import ActiveFault
from samspel.contract.errors import LinkDown
from samspel.contract.fault import Effect, FaultCode, Severity
from samspel.faults.tracker import FaultTracker

GRID_LOST = ActiveFault(
    code=FaultCode.GRID_LOST, severity=Severity.MAJOR, effect=Effect.OFFLINE, text="the grid is lost", raw="a bit 7"
)


class Device:
    def __init__(self, *looks: list[ActiveFault] | LinkDown) -> None:
        self.looks = list(looks)

    async def read_faults(self) -> list[ActiveFault]:
        look = self.looks.pop(0)
        if isinstance(look, LinkDown):
            raise look
        return look


@pytest.mark.looptime
async def test_it_goes_on_over_a_lost_link(capsys):
    down = LinkDown("the peer closed the connection")
    device = Device([GRID_LOST], down, down, [GRID_LOST], [], down)
    watching = asyncio.create_task(_watch(device, FaultTracker("device"), LoopClock(), json=True))
    await asyncio.sleep(6.5 * WATCH_S)
    watching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watching
    out, err = capsys.readouterr()
    assert [json.loads(line)["state"] for line in out.splitlines()] == ["raised", "cleared"]
    assert err.splitlines() == [
        "faults cannot be read, trying again: the peer closed the connection",
        "faults are read again",
        "faults cannot be read, trying again: the peer closed the connection",
    ]
