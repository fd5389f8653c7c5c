"""Before its first write a device looks at the battery, and a look that the bus dropped is repeated."""

from __future__ import annotations

from typing import Any, cast

import pytest
from samspel.contract.driver import ActiveFault
from samspel.contract.errors import BusError, SequenceAbandoned
from samspel.contract.fault import Effect, FaultCode, Severity
from samspel.contract.telemetry import Quality, Reading
from samspel.control.events import Follow
from samspel.control.state import Policy
from samspel.device import Device, DeviceLimits
from samspel.outlet import Outlet
from samspel.shaping.chain import Chain
from samspel.store.memory import MemoryJournal

from .kit import DEVICE, SITE, Clock, Outbox

LIMITS = DeviceLimits(charge_w=1, discharge_w=1, soc_min_pct=10, soc_max_pct=90)

ORDER = Follow(1, "c-1", 1000.0, 60.0, force=True)


class Driver:
    """Its first looks bring no state of charge: the poller's look at the same registers was newer."""

    persistent_writes = 0

    def __init__(self, clock: Clock, dropped: int) -> None:
        self.clock, self.dropped, self.looks = clock, dropped, 0
        self.faults: list[list[ActiveFault] | BusError] = []
        self.fault_looks = 0

    async def read_faults(self) -> list[ActiveFault]:
        self.fault_looks += 1
        found = self.faults.pop(0) if self.faults else []
        if isinstance(found, BusError):
            raise found
        return found

    async def read(self, groups: tuple[str, ...]) -> dict[str, Reading]:
        self.looks += 1
        known = self.looks > self.dropped
        value, quality = (60.0, Quality.GOOD) if known else (None, Quality.INVALID)
        return {"soc_pct": Reading(value, "%", self.clock.wall(), self.clock.now, quality)}


GRID_LOST = ActiveFault(
    code=FaultCode.GRID_LOST, severity=Severity.MAJOR, effect=Effect.OFFLINE, text="the grid is lost", raw="a bit 7"
)


def device_with(driver: Driver) -> Device:
    outlet = Outlet(SITE, "run-1", Outbox(), driver.clock)
    limits, journal = LIMITS, MemoryJournal()
    device = Device(DEVICE, cast("Any", driver), Chain([]), outlet, journal, driver.clock, Policy(), limits)
    device.controller.check = lambda order: None  # There is no control here that something could take over.
    return device


@pytest.mark.parametrize(("dropped", "looks"), [(0, 1), (1, 2), (5, 2)])
async def test_it_looks_once_more_and_no_more_often(dropped, looks):
    driver = Driver(Clock(), dropped)
    device = device_with(driver)
    await device.know_the_battery(ORDER)
    assert driver.looks == looks
    await device.know_the_battery(ORDER)
    assert driver.looks == looks + (2 if dropped > looks else 0)


async def test_the_faults_are_read_before_the_first_write_on_a_link_and_not_again_on_it():
    driver = Driver(Clock(), dropped=0)
    device = device_with(driver)
    for looks in (1, 1):
        await device.know_the_battery(ORDER)
        assert driver.fault_looks == looks
    device.link_down()
    driver.faults = [[GRID_LOST]]
    with pytest.raises(SequenceAbandoned, match="a fault keeps the device out"):
        await device.know_the_battery(ORDER)
    assert driver.fault_looks == 2


async def test_a_look_at_the_faults_that_fails_is_repeated_once_and_then_left_to_the_poller():
    driver = Driver(Clock(), dropped=0)
    driver.faults = [BusError("dropped"), BusError("dropped"), [GRID_LOST]]
    await device_with(driver).know_the_battery(ORDER)
    assert driver.fault_looks == 2
