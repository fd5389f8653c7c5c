"""The edge's own process: from a site's configuration until told to stop."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import signal
from collections.abc import Awaitable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

from samspel.assembly import build_edge
from samspel.cli.output import ExitCode
from samspel.clock import SystemClock
from samspel.config import SiteConfig, load_site
from samspel.control.shell import Controller
from samspel.edge import Edge
from samspel.guard.disk import doubt_the_old, readable_store
from samspel.guard.duty import HOLDS, Duty, Role, take_duty
from samspel.guard.lifeline import Lifeline
from samspel.guard.orphan import give_back_untimed
from samspel.guard.pulse import Progress, Pulse
from samspel.guard.rescue import Nobody, is_held, look_after
from samspel.store.owner import sole_owner
from samspel.store.store import Store

__all__ = ["command", "run_edge"]

logger = logging.getLogger("samspel.edge")

FILE = "edge.sqlite"

TELLS = (signal.SIGTERM, signal.SIGINT)

GUARD_PATIENCE = 2.0
"""A guard may be silent for twice as long as the edge that it watches: nothing else is waiting for it."""

GUARD_SILENT = "the guard does not answer, and the device has no timer of its own"


def command(argv: list[str]) -> int:
    """The edge of this file, as the guard that started us wants it; the exit code."""
    (site,) = argv
    return run_edge(load_site(Path(site)), take_duty(os.environ))


def run_edge(config: SiteConfig, duty: Duty | None) -> int:
    """Until told to stop; the exit code. `duty`: what a guard started us for. Raises SamspelError where the site cannot
    run like this.
    """
    with sole_owner(config.site.state_directory()):
        return asyncio.run(_run(config, duty))


async def _run(config: SiteConfig, duty: Duty | None) -> int:
    file, clock = config.site.state_directory() / FILE, SystemClock()
    if duty is None or duty.role is Role.EDGE:
        return await _run_on(Store.open(file, clock), config, clock, duty)
    with readable_store(file, clock) as store:
        return await _run_on(store, config, clock, duty)


async def _run_on(store: Store, config: SiteConfig, clock: SystemClock, duty: Duty | None) -> int:
    """The edge, or the rescuer that needs no broker."""
    build = partial(build_edge, config, store, clock, random.SystemRandom(), guarded=duty is not None)
    lifeline = None if duty is None else Lifeline(duty.line, clock, config.guard.silence_s * GUARD_PATIENCE)
    try:
        await doubt_the_old(store, config.site.state_directory() / FILE, config.devices, clock)
        if duty is not None and duty.role is Role.RESCUER:
            return await _rescue(build(transport=Nobody()), duty, lifeline)
        return await _until_told(build(), lifeline)
    finally:
        await store.close()


def _beat_with(edge: Edge, lifeline: Lifeline) -> None:
    """Each device's control loop has its share in a beat, while it gets on."""
    pulse, clock = Pulse(edge.devices, lifeline.beat), SystemClock()
    for name, device in edge.devices.items():
        device.controller.on_turn = partial(_turned, name, device.controller, pulse, Progress(clock))
    lifeline.on_change = lambda: _tell_guard(edge, is_silent=lifeline.is_silent)


def _tell_guard(edge: Edge, *, is_silent: bool) -> None:
    logger.log(logging.ERROR if is_silent else logging.WARNING, "guard", extra={"answers": not is_silent})
    edge.unguarded(GUARD_SILENT if is_silent else "")


def _turned(name: str, controller: Controller, pulse: Pulse, progress: Progress) -> None:
    if progress.gets_on(controller.state):
        pulse.turned(name)


async def _rescue(edge: Edge, duty: Duty, lifeline: Lifeline | None) -> int:
    """Look after what a dead edge left; where nothing is held, no bus is opened."""
    if not any(is_held(device.controller.state) for device in edge.devices.values()):
        return ExitCode.OK
    return await _until_told(edge, lifeline, look_after(edge, duty.stay_s))


async def _until_told(edge: Edge, lifeline: Lifeline | None, work: Coroutine[Any, Any, bool] | None = None) -> int:
    """Run until SIGTERM or SIGINT, until the guard is lost, or until `work` is done; then hand over within five
    seconds. The exit code; a `work` that says so leaves something held.
    """
    told, loop = asyncio.Event(), asyncio.get_running_loop()
    for one in TELLS:
        loop.add_signal_handler(one, told.set)
    if lifeline is not None:
        _beat_with(edge, lifeline)
    await edge.start()
    logger.info("running", extra={"devices": ", ".join(edge.devices)})
    try:
        working = None if work is None else asyncio.ensure_future(work)
        await _first_of(told.wait(), None if lifeline is None else lifeline.lost(), working)
        if lifeline is not None and lifeline.is_lost and not told.is_set():
            await give_back_untimed(edge.devices)
            return ExitCode.FAILED
        return HOLDS if working is not None and working.done() and working.result() else ExitCode.OK
    finally:
        await edge.stop()
        logger.info("handed over")
        _be_told_no_more(loop)


def _be_told_no_more(loop: asyncio.AbstractEventLoop) -> None:
    """We are about to go: another signal must not cut that short, as it would once the loop has closed."""
    for one in TELLS:
        loop.remove_signal_handler(one)
        signal.signal(one, signal.SIG_IGN)


async def _first_of(*waits: Awaitable[object] | None) -> None:
    """Until one of them is done; the others are cancelled."""
    tasks = [asyncio.ensure_future(one) for one in waits if one is not None]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
