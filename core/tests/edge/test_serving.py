"""Who serves a bus: one station an address, and whoever ends it lets the transaction in flight finish."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from samspel import assembly
from samspel.bus.lock import EndpointInUse, EndpointLock
from samspel.bus.url import parse_url

URL = parse_url("modbus-tcp://127.0.0.1:1502?unit=1")


class Endpoint:
    def __init__(self, close_s: float = 0.0) -> None:
        self.close_s, self.running, self.closed = close_s, False, False
        self.started = asyncio.Event()

    async def run(self) -> None:
        self.running = True
        self.started.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.running = False

    async def close(self) -> None:
        assert self.running, "closed while it still runs"
        await asyncio.sleep(self.close_s)
        self.closed = True


@pytest.fixture(autouse=True)
def locks(tmp_path, monkeypatch):
    monkeypatch.setenv("SAMSPEL_LOCK_DIR", str(tmp_path))
    return tmp_path


def test_two_devices_behind_one_address_have_one_server():
    shared, own = object(), object()
    stations = {name: SimpleNamespace(serve=name) for name in ("one", "two", "three")}
    attached = {name: SimpleNamespace(endpoint=shared) for name in ("one", "two")}
    assembly._serve_each_bus_once(stations, {**attached, "three": SimpleNamespace(endpoint=own)})
    assert [one.serve for one in stations.values()] == ["one", None, "three"]


async def served(endpoint):
    task = asyncio.create_task(assembly.serve(SimpleNamespace(endpoint=endpoint), URL)())
    await endpoint.started.wait()
    return task


@pytest.mark.looptime(noop_cycles=1)
@pytest.mark.parametrize(("close_s", "closed"), [(0.1, True), (30.0, False)])
async def test_its_end_waits_for_the_transaction_in_flight_but_not_for_long(close_s, closed):
    endpoint = Endpoint(close_s)
    task = await served(endpoint)
    began = asyncio.get_running_loop().time()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert (endpoint.closed, endpoint.running) == (closed, False)
    assert asyncio.get_running_loop().time() - began <= assembly.LAST_ANSWER_S


async def test_the_address_is_locked_while_it_is_served(locks):
    task = await served(Endpoint())
    with pytest.raises(EndpointInUse):
        EndpointLock(URL.host, URL.port, locks).acquire()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    with EndpointLock(URL.host, URL.port, locks):
        pass
