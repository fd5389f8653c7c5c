"""`samspel faults URL`: what is wrong with a device now, since when as far as this command saw it, and the effect."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Protocol

import typer

from samspel.cli.look import DriverName, Url, looking_at
from samspel.cli.output import ExitCode, console, print_json
from samspel.cli.shell import typer_command
from samspel.clock import SystemClock
from samspel.contract.driver import ActiveFault
from samspel.contract.errors import BusError
from samspel.contract.fault import Fault
from samspel.contract.ports import Clock
from samspel.faults.tracker import FaultTracker

__all__ = ["command"]

app = typer.Typer(add_completion=False, rich_markup_mode=None)
command = typer_command(app, "samspel faults")

WATCH_S = 5.0


class Readable(Protocol):
    """What is looked at."""

    async def read_faults(self) -> Sequence[ActiveFault]:
        """Every condition that stands. Raises a `BusError`."""
        ...


@app.command(help="Show what is wrong with a device, or with --watch what changes.")
def faults(
    url: Url,
    driver: DriverName = "auto",
    watch: Annotated[bool, typer.Option("--watch", help="Then every change, until Ctrl-C.")] = False,
    json: Annotated[bool, typer.Option("--json", help="JSON, one document a look, or a change.")] = False,
) -> ExitCode:
    """Faults."""
    asyncio.run(_faults(url, driver, watch=watch, json=json))
    return ExitCode.OK


async def _faults(url: str, driver_name: str, *, watch: bool, json: bool) -> None:
    clock, tracker = SystemClock(), FaultTracker("device")
    async with looking_at(url, driver_name, clock) as (driver, _):
        tracker.observe(await driver.read_faults(), clock.wall(), clock.monotonic())
        _show_all(tracker, clock.wall(), json=json)
        if watch:
            await _watch(driver, tracker, clock, json=json)


async def _watch(driver: Readable, tracker: FaultTracker, clock: Clock, *, json: bool) -> None:
    """A device that does not answer is said to standard error, once; what stood before stands on."""
    silent = False
    while True:
        await asyncio.sleep(WATCH_S)
        try:
            active = await driver.read_faults()
        except BusError as error:
            if not silent:
                console(stderr=True).print(f"faults cannot be read, trying again: {error}", soft_wrap=True)
            silent = True
            continue
        if silent:
            console(stderr=True).print("faults are read again", soft_wrap=True)
            silent = False
        _show_changes(tracker.observe(active, clock.wall(), clock.monotonic()), clock.wall(), json=json)


def _show_all(tracker: FaultTracker, at: datetime, *, json: bool) -> None:
    """The device states no times: "since" is when this command saw it first."""
    if json:
        print_json({"at": at, "effect": tracker.effect, "faults": [_plain(one) for one in tracker.standing]})
        return
    for one in tracker.standing:
        _show(one, one.since)
    effect = f"effect of all together: {tracker.effect.value}"
    console().print(effect if tracker.standing else "nothing is wrong", soft_wrap=True)


def _show(fault: Fault, at: datetime) -> None:
    """A line a fault, on any terminal."""
    words = (f"{at:%H:%M:%S} UTC", fault.state, fault.severity, fault.code, f"effect {fault.effect}")
    text = f"{'  '.join(words)}  {fault.detail.text} ({fault.detail.raw})"
    console().print(text, soft_wrap=True, markup=False)


def _show_changes(changes: Sequence[Fault], at: datetime, *, json: bool) -> None:
    for one in changes:
        if json:
            print_json({"at": at, **_plain(one)})
        else:
            _show(one, at)


def _plain(fault: Fault) -> dict[str, Any]:
    return {
        "code": fault.code,
        "severity": fault.severity,
        "effect": fault.effect,
        "state": fault.state,
        "since": fault.since,
        "text": fault.detail.text,
        "raw": fault.detail.raw,
    }
