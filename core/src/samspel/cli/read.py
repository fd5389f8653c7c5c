"""`samspel read URL`: who answers, and what it measures."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from samspel.bus.url import parse_url
from samspel.cli.output import ExitCode, print_json, print_rows
from samspel.cli.shell import typer_command
from samspel.clock import SystemClock
from samspel.connect import attach, find_device, owned_endpoint, wait_confirmed
from samspel.contract.driver import Identity
from samspel.contract.telemetry import Reading

__all__ = ["command"]

app = typer.Typer(add_completion=False, rich_markup_mode=None)
command = typer_command(app, "samspel read")

WATCH_S = 2.0


@app.command(help="Read a device once, or with --watch again and again.")
def read(
    url: Annotated[str, typer.Argument(help="For example modbus-tcp://192.0.2.7:502?unit=1")],
    driver: Annotated[str, typer.Option(help="A driver's name, or auto.")] = "auto",
    watch: Annotated[bool, typer.Option("--watch", help="Until Ctrl-C.")] = False,
    json: Annotated[bool, typer.Option("--json", help="JSON, one document a reading.")] = False,
) -> ExitCode:
    """Read."""
    asyncio.run(_read(url, driver, watch=watch, json=json))
    return ExitCode.OK


async def _read(text: str, driver_name: str, *, watch: bool, json: bool) -> None:
    clock, rng = SystemClock(), random.SystemRandom()
    found = await find_device(parse_url(text), driver_name, clock, rng)
    connected = attach(found.brand, found.url, clock, rng)
    async with owned_endpoint(connected.endpoint, found.url):
        await wait_confirmed(connected.link, found.url)
        identity = await connected.driver.identify()
        while True:
            _show(identity, await connected.driver.read(), json=json)
            if not watch:
                return
            await asyncio.sleep(WATCH_S)


def _show(identity: Identity, readings: Mapping[str, Reading], *, json: bool) -> None:
    if json:
        print_json({"identity": identity, "telemetry": {name: _plain(one) for name, one in readings.items()}})
        return
    print_rows(("identity", ""), [(key, value) for key, value in _fields(identity) if value])
    print_rows(
        ("signal", "value", "unit", "quality"),
        [(name, _number(one.value), one.unit, one.quality.value) for name, one in readings.items()],
    )


def _plain(reading: Reading) -> dict[str, Any]:
    return {
        "value": reading.value,
        "unit": reading.unit,
        "measured_at": reading.measured_at,
        "quality": reading.quality,
    }


def _fields(identity: Identity) -> list[tuple[str, str]]:
    return [(name, getattr(identity, name)) for name in Identity.__slots__]


def _number(value: float | str | None) -> str:
    if value is None:
        return "-"
    return f"{value:g}" if isinstance(value, float) and abs(value) < 1e6 else str(value)
