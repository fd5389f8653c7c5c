"""Looking at one device by hand: its URL, its driver, and who it is. Nothing is written."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import typer

from samspel.bus.url import parse_url
from samspel.connect import attach, find_device, owned_endpoint, wait_confirmed
from samspel.contract.driver import Identity
from samspel.contract.ports import Clock
from samspel.driver.map_driver import MapDriver

__all__ = ["DriverName", "Url", "looking_at"]

Url = Annotated[str, typer.Argument(help="For example modbus-tcp://192.0.2.7:502?unit=1")]
DriverName = Annotated[str, typer.Option(help="A driver's name, or auto.")]


@asynccontextmanager
async def looking_at(url: str, driver: str, clock: Clock) -> AsyncIterator[tuple[MapDriver, Identity]]:
    """The driver of the device that answers there, once it has said who it is. Raises SamspelError."""
    rng = random.SystemRandom()
    found = await find_device(parse_url(url), driver, clock, rng)
    connected = attach(found.brand, found.url, clock, rng)
    async with owned_endpoint(connected.endpoint, found.url):
        await wait_confirmed(connected.link, found.url)
        yield connected.driver, await connected.driver.identify()
