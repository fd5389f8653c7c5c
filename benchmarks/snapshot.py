"""(b) A full snapshot of a device that takes its time: planned blocks against one request a signal."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from samspel.bus.url import BusUrl
from samspel.clock import SystemClock
from samspel.connect import Connected, attach, owned_endpoint, wait_confirmed
from samspel.contract.ports import Priority
from samspel.contract.telemetry import Quality
from samspel.driver.maps import MapFiles
from samspel.plugins.loader import load_driver
from samspel.registers.model import Register

from benchmarks.device import BRAND
from benchmarks.processes import devices
from benchmarks.report import Row

__all__ = ["measure"]


class Cost(NamedTuple):
    """Requests on the wire, and seconds."""

    requests: int
    seconds: float


def measure(answer_s: float) -> list[Row]:
    """Both ways, after one round that learns which registers this device does not have."""
    with TemporaryDirectory(prefix="samspel-bench-") as name, devices(answer_s, Path(name)) as arrivals:
        blocks, singly, signals = asyncio.run(_compare(arrivals.edge_port))
    answering = f"{signals} signals, answers after {answer_s * 1000:.0f} ms"
    return [
        Row("b", "full snapshot: requests", blocks.requests, "", note=answering),
        Row("b", "full snapshot: time", blocks.seconds, "s"),
        Row("b", "one request a signal: requests", singly.requests, ""),
        Row("b", "one request a signal: time", singly.seconds, "s", note=f"{singly.seconds / blocks.seconds:.1f} x"),
    ]


async def _compare(port: int) -> tuple[Cost, Cost, int]:
    url = BusUrl("modbus-tcp", "127.0.0.1", port, unit=1)
    connected = attach(load_driver(BRAND), url, SystemClock(), random.Random(1))
    async with owned_endpoint(connected.endpoint, url):
        await wait_confirmed(connected.link, url)
        identity = await connected.driver.identify()
        readings = await connected.driver.read()
        maps = MapFiles(connected.manifest.maps, frozenset())
        rows = maps.for_device(identity.model, identity.firmware).registers.values()
        had = {name for name, reading in readings.items() if reading.quality is not Quality.ABSENT}
        wanted = [row for row in rows if row.signal in had]
        blocks = await _cost(connected, connected.driver.read)
        singly = await _cost(connected, lambda: _one_by_one(connected, wanted))
        return blocks, singly, len(wanted)


async def _cost(connected: Connected, work: Callable[[], Awaitable[object]]) -> Cost:
    before, began_s = connected.endpoint.stats.requests, time.monotonic()
    await work()
    return Cost(connected.endpoint.stats.requests - before, time.monotonic() - began_s)


async def _one_by_one(connected: Connected, rows: Iterable[Register]) -> None:
    for row in rows:
        await connected.link.read(row.table, row.address, row.count, priority=Priority.FAST_TELEMETRY)
