"""Links to further units: nothing goes over them before the device itself is confirmed."""

from __future__ import annotations

import asyncio

import pytest
from samspel.connect import further_links
from samspel.contract.errors import ConfigError, WrongDevice
from samspel.contract.ports import Priority, Table

pytestmark = pytest.mark.looptime

PACK = 200


class Check:
    """An identity check that fails until it may succeed."""

    def __init__(self) -> None:
        self.right = False

    async def __call__(self, raw) -> None:
        await raw.read(Table.HOLDING, 1, 1, priority=Priority.VERIFICATION)
        if not self.right:
            raise WrongDevice("somebody else")


async def pack_value(link) -> tuple[int, ...]:
    return await link.read(Table.INPUT, 10, 1, priority=Priority.SLOW_TELEMETRY)


async def test_a_further_unit_waits_for_the_devices_own_confirmation(running, device):
    endpoint, check = running(), Check()
    link = endpoint.link(1, check)
    pack = further_links(endpoint, link, {"pack": PACK})["pack"]
    await endpoint.wait_open()
    asking = asyncio.create_task(pack_value(pack))
    await asyncio.sleep(10)
    assert {sent.unit for sent in device.log} == {1}
    check.right = True
    assert await asking == (10,)
    confirmed = next(number for number, sent in enumerate(device.log) if sent.unit == PACK)
    assert all(sent.unit == 1 for sent in device.log[:confirmed])


async def test_after_a_lost_connection_it_waits_again(running, device):
    endpoint, check = running(reconnect_s=(1.0, 1.0)), Check()
    check.right = True
    link = endpoint.link(1, check)
    pack = further_links(endpoint, link, {"pack": PACK})["pack"]
    await link.wait_connected()
    assert await pack_value(pack) == (10,)
    check.right = False
    device.connections[-1].lose()
    await asyncio.sleep(5)
    device.log.clear()
    asking = asyncio.create_task(pack_value(pack))
    await asyncio.sleep(20)
    assert {sent.unit for sent in device.log} == {1}
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)


async def test_the_devices_own_unit_is_no_further_one(running):
    endpoint = running()
    link = endpoint.link(1, Check())
    with pytest.raises(ConfigError, match="neither the device's own nor shared"):
        further_links(endpoint, link, {"pack": 1})
