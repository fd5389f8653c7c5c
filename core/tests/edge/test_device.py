"""What a device reports about itself and whom it may write to."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from samspel.contract.driver import Identity, WriteReport
from samspel.contract.errors import DeviceBusy, DeviceRefused, WrongDevice
from samspel.contract.outcome import Verification
from samspel.control.events import GiveBack
from samspel.control.state import Policy
from samspel.device import Device, DeviceLimits, expected_serial
from samspel.outlet import Outlet
from samspel.shaping.chain import Chain
from samspel.store.memory import MemoryJournal

from .kit import DEVICE, SITE, Clock, Outbox

IDENTITY = Identity(brand="b", model="m", serial="SN-1", firmware="f")
LEASE = {
    "command_id": "c",
    "issuer": "i",
    "rank": 20,
    "power_w": 1.0,
    "accept": "exact",
    "on_expiry": "hold",
    "hold_s": 0.0,
    "issued_at": "2026-01-01T00:00:00+00:00",
    "written": True,
    "deadline": {"boot": "boot-1", "monotonic": 1.0, "wall": "2026-01-01T00:00:00+00:00", "synchronised": True},
}
HELD = {"schema": "control-journal/0.1", "phase": "controlling", "lease": LEASE, "marks": [{"r": 1}]}
FREE = {"schema": "control-journal/0.1", "phase": "released", "lease": None, "marks": []}


class Driver:
    def __init__(self) -> None:
        self.outcome: Exception | None = None

    async def identify(self):
        return IDENTITY

    def capabilities(self):
        return SimpleNamespace()

    def versions(self):
        return {}

    async def release(self, snapshot, marks):
        if self.outcome is not None:
            raise self.outcome
        return WriteReport(mark={}, verification=Verification.READ_BACK)


@pytest.fixture
async def device():
    clock, outbox, driver = Clock(), Outbox(), Driver()
    made = Device(
        DEVICE,
        driver,
        Chain([]),
        Outlet(SITE, "run-1", outbox, clock),
        MemoryJournal(),
        clock,
        Policy(),
        DeviceLimits(charge_w=1, discharge_w=1, soc_min_pct=10, soc_max_pct=90),
    )
    return SimpleNamespace(it=made, driver=driver, standing=lambda: [one.code.value for one in made.faults.standing])


async def test_a_refused_write_is_a_fault_until_one_is_taken(device):
    device.driver.outcome = DeviceRefused("no", code=4)
    with pytest.raises(DeviceRefused):
        await device.it.release(GiveBack(1, None), device.it.controller.state)
    assert device.standing() == ["comms.write_refused"]
    device.driver.outcome = None
    await device.it.release(GiveBack(2, None), device.it.controller.state)
    assert device.standing() == []


async def test_a_busy_device_refuses_nothing(device):
    device.driver.outcome = DeviceBusy("later", code=6)
    with pytest.raises(DeviceBusy):
        await device.it.release(GiveBack(1, None), device.it.controller.state)
    assert device.standing() == []


async def test_a_wrong_device_is_a_fault_until_the_right_one_answers(device):
    device.it.wrong_device(WrongDevice("serial 'X' answers here; 'SN-1' is expected"))
    assert device.standing() == ["comms.wrong_device"]
    await device.it.link_up()
    assert device.standing() == []


async def test_the_serial_is_remembered(device):
    await device.it.link_up()
    await asyncio.sleep(0.01)
    assert device.it._journal.get(f"{DEVICE}/identity") == {"serial": "SN-1"}


async def remembered(control, identity):
    journal = MemoryJournal()
    if control is not None:
        await journal.put(f"{DEVICE}/control", control)
    if identity is not None:
        await journal.put(f"{DEVICE}/identity", identity)
    return journal


@pytest.mark.parametrize(
    ("control", "identity", "expected"),
    [
        (HELD, {"serial": "SN-1"}, "SN-1"),
        (FREE, {"serial": "SN-1"}, None),
        (None, {"serial": "SN-1"}, None),
        (HELD, None, None),
        (None, None, None),
    ],
)
async def test_only_the_device_that_is_held_is_expected(control, identity, expected):
    journal = await remembered(control, identity)
    assert expected_serial(None, DEVICE, journal, Clock()) == expected


async def test_a_configured_serial_outranks_what_is_remembered():
    journal = await remembered(HELD, {"serial": "SN-1"})
    assert expected_serial("SN-2", DEVICE, journal, Clock()) == "SN-2"
