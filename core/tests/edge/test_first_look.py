"""Before its first write a device looks at the battery, and a look that the bus dropped is repeated."""

from __future__ import annotations

from typing import Any, cast

import pytest
from samspel.contract.telemetry import Quality, Reading
from samspel.control.events import Follow
from samspel.control.state import Policy
from samspel.device import Device, DeviceLimits
from samspel.outlet import Outlet
from samspel.shaping.chain import Chain
from samspel.store.memory import MemoryJournal

from .kit import DEVICE, SITE, Clock, Outbox

LIMITS = DeviceLimits(charge_w=1, discharge_w=1, soc_min_pct=10, soc_max_pct=90)

ORDER = Follow(1, "c-1", 1000.0, 60.0, force=True, news=True)


class Driver:
    """Its first looks bring no state of charge: the poller's look at the same registers was newer."""

    persistent_writes = 0

    def __init__(self, clock: Clock, dropped: int) -> None:
        self.clock, self.dropped, self.looks = clock, dropped, 0

    async def read(self, groups: tuple[str, ...]) -> dict[str, Reading]:
        self.looks += 1
        known = self.looks > self.dropped
        value, quality = (60.0, Quality.GOOD) if known else (None, Quality.INVALID)
        return {"soc_pct": Reading(value, "%", self.clock.wall(), self.clock.now, quality)}


@pytest.mark.parametrize(("dropped", "looks"), [(0, 1), (1, 2), (5, 2)])
async def test_it_looks_once_more_and_no_more_often(dropped, looks):
    clock = Clock()
    driver = Driver(clock, dropped)
    outlet = Outlet(SITE, "run-1", Outbox(), clock)
    device = Device(DEVICE, cast("Any", driver), Chain([]), outlet, MemoryJournal(), clock, Policy(), LIMITS)
    device.controller.check = lambda order: None  # There is no control here that something could take over.
    await device.know_the_battery(ORDER)
    assert driver.looks == looks
    await device.know_the_battery(ORDER)
    assert driver.looks == looks + (2 if dropped > looks else 0)
