"""`samspel read URL`: who answers, and what it measures."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from samspel.cli.look import DriverName, Url, looking_at
from samspel.cli.output import ExitCode, console, print_json, print_rows
from samspel.cli.shell import typer_command
from samspel.clock import SystemClock
from samspel.contract.driver import Identity
from samspel.contract.signals import SIGNALS
from samspel.contract.telemetry import Reading

__all__ = ["command"]

app = typer.Typer(add_completion=False, rich_markup_mode=None)
command = typer_command(app, "samspel read")

WATCH_S = 2.0
_PLACE = {name: place for place, name in enumerate(SIGNALS)}


@app.command(help="Read a device once, or with --watch again and again.")
def read(
    url: Url,
    driver: DriverName = "auto",
    watch: Annotated[bool, typer.Option("--watch", help="Until Ctrl-C.")] = False,
    json: Annotated[bool, typer.Option("--json", help="JSON, one document a reading.")] = False,
) -> ExitCode:
    """Read."""
    asyncio.run(_read(url, driver, watch=watch, json=json))
    return ExitCode.OK


async def _read(url: str, driver_name: str, *, watch: bool, json: bool) -> None:
    async with looking_at(url, driver_name, SystemClock()) as (driver, identity):
        if not json:
            _show_identity(identity)
        while True:
            readings = await driver.read()
            if json:
                print_json({"identity": identity, "telemetry": {name: _plain(one) for name, one in readings.items()}})
            else:
                _show_readings(readings)
            if not watch:
                return
            await asyncio.sleep(WATCH_S)


def _show_identity(identity: Identity) -> None:
    """A line a field, on any terminal."""
    for name in Identity.__slots__:
        if value := getattr(identity, name):
            console().print(f"{name:<16}{value}", soft_wrap=True)


def _show_readings(readings: Mapping[str, Reading]) -> None:
    """In the order of the contract's list, which begins with what matters most."""
    names = sorted(readings, key=_PLACE.__getitem__)
    console().print()
    print_rows(
        ("signal", "value", "unit", "quality"),
        [(name, _number(readings[name].value), readings[name].unit, readings[name].quality.value) for name in names],
    )


def _plain(reading: Reading) -> dict[str, Any]:
    return {
        "value": reading.value,
        "unit": reading.unit,
        "measured_at": reading.measured_at,
        "quality": reading.quality,
    }


def _number(value: float | str | None) -> str:
    if value is None:
        return "-"
    return f"{value:g}" if isinstance(value, float) and abs(value) < 1e6 else str(value)
