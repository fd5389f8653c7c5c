"""Identity before anything else, on every connection, for each unit by itself."""

import asyncio
import itertools
import logging

import pytest
from samspel.contract.errors import BusError, LinkDown, NoAnswer, UnsupportedModel, WrongDevice
from samspel.contract.ports import Priority, Table

pytestmark = pytest.mark.looptime

SERIAL, ELSEWHERE = 1000, 2000


def now() -> float:
    return asyncio.get_running_loop().time()


async def serial_check(link) -> None:
    await link.exchange(0x41, b"login", priority=Priority.SLOW_TELEMETRY)
    await link.read(Table.HOLDING, SERIAL, 10, priority=Priority.SLOW_TELEMETRY)


def write(link, address, priority=Priority.SET_POINT):
    return asyncio.create_task(link.write(address, [1], function=6, priority=priority))


@pytest.fixture(autouse=True)
def quiet(caplog):
    caplog.set_level(logging.CRITICAL, "samspel.bus")


async def test_the_link_is_up_only_after_the_check(running, device):
    endpoint = running(connect_wait_s=1.0)
    heard = []
    link = endpoint.link(1, serial_check)
    link.on_link(lambda up: heard.append((up, len(device.log))))
    await link.wait_connected()
    assert heard == [(True, 2)]
    assert endpoint.connected


async def test_a_request_during_the_check_waits_for_it(running, device):
    endpoint = running()
    link = endpoint.link(1, serial_check)
    await endpoint.wait_open()
    await write(link, 1, Priority.STOP)
    assert [sent.function for sent in device.log] == [0x41, 3, 6]


async def test_every_new_connection_is_checked_before_a_write(running, device):
    endpoint = running()
    link = endpoint.link(1, serial_check)
    for round_number in range(3):
        await link.wait_connected()
        await write(link, 1)
        device.connections[-1].lose()
        await asyncio.sleep(0)
        assert not link.connected, round_number
    await link.wait_connected()
    assert [sent.function for sent in device.log] == [0x41, 3, 6] * 3 + [0x41, 3]


async def test_a_wrong_device_gets_nothing_but_the_check(running, device):
    checks = []

    async def check(link):
        checks.append(now())
        await link.read(Table.HOLDING, SERIAL, 10, priority=Priority.SET_POINT)
        if len(checks) < 4:
            raise WrongDevice("expected serial A, found B")

    endpoint = running(reconnect_s=(1.0, 30.0))
    link = endpoint.link(1, check)
    await endpoint.wait_open()
    with pytest.raises(WrongDevice, match="found B"):
        await write(link, 1)
    refused_at = now()
    with pytest.raises(WrongDevice):
        await write(link, 1, Priority.STOP)
    assert now() == refused_at, "known to be wrong: no waiting for the next check"
    assert not link.connected
    assert {sent.address for sent in device.log} == {SERIAL}
    await link.wait_connected()
    waits = [later - earlier for earlier, later in itertools.pairwise(checks)]
    assert waits == sorted(waits), "the wait between checks must grow"
    await write(link, 1)
    assert device.log[-1].address == 1


@pytest.mark.parametrize("failure", [ZeroDivisionError("a bug"), UnsupportedModel("no map")])
async def test_a_check_that_breaks_refuses_with_a_bus_error(running, device, failure):
    async def check(link):
        raise failure

    endpoint = running()
    link = endpoint.link(1, check)
    await endpoint.wait_open()
    with pytest.raises(BusError, match="identity check failed") as caught:
        await write(link, 1)
    assert caught.value.__cause__ is failure
    assert device.log == []


async def test_a_check_on_the_wrong_link_is_told_so_and_does_not_hang(running, device):
    endpoint = running()

    async def check(link):
        await normal.read(Table.HOLDING, 1, 1, priority=Priority.STOP)

    normal = endpoint.link(1, check)
    await endpoint.wait_open()
    with pytest.raises(BusError, match="must use the link that it is given"):
        await write(normal, 1)


async def test_a_proving_link_dies_with_its_connection(running, device):
    kept = []

    async def check(link):
        kept.append(link)

    endpoint = running()
    link = endpoint.link(1, check)
    await link.wait_connected()
    device.connections[0].lose()
    await asyncio.sleep(2.0)
    await link.wait_connected()
    with pytest.raises(LinkDown):
        await kept[0].read(Table.HOLDING, 1, 1, priority=Priority.STOP)


async def test_a_unit_that_is_silent_or_wrong_does_not_hold_up_another(running, device):
    async def silent(link):
        raise NoAnswer("nobody there")

    endpoint = running()
    endpoint.link(2, silent)
    link = endpoint.link(1, serial_check)
    await link.wait_connected()
    await write(link, 7)
    assert endpoint.connected
    with pytest.raises(NoAnswer):
        await write(endpoint.link(2), 8)


async def test_a_stop_passes_between_the_steps_of_another_units_check(running, device):
    async def long_check(link):
        for step in range(20):
            await link.read(Table.HOLDING, ELSEWHERE + step, 1, priority=Priority.STOP)

    endpoint = running()
    link = endpoint.link(1)
    endpoint.link(2, long_check)
    await endpoint.wait_open()
    await asyncio.sleep(0.3)
    await write(link, 1, Priority.STOP)
    assert device.log[-1].address == 1
    assert len(device.log) < 6


async def test_a_link_made_while_connected_is_checked_at_once(running, device):
    endpoint = running()
    await endpoint.wait_open()
    link = endpoint.link(1, serial_check)
    await link.wait_connected()
    assert len(device.log) == 2


async def test_a_lost_connection_ends_the_check_with_it(running, device):
    endpoint = running()
    device.script = ["lost"]
    link = endpoint.link(1, serial_check)
    await endpoint.wait_open()
    with pytest.raises(LinkDown):
        await write(link, 1)
    await link.wait_connected()
    assert [sent.function for sent in device.log] == [0x41, 0x41, 3]


async def test_a_check_given_later_holds_from_then_on(running, device):
    endpoint = running()
    link = endpoint.link(1)
    await endpoint.wait_open()
    await write(link, 1)
    assert link.connected
    checked = endpoint.link(1, serial_check)
    assert not link.connected
    await write(link, 2)
    assert [sent.function for sent in device.log] == [6, 0x41, 3, 6]
    device.connections[0].lose()
    await asyncio.sleep(0)
    await checked.wait_connected()
    assert [sent.function for sent in device.log[4:]] == [0x41, 3]
