"""`samspel run SITE.toml`: the edge of one home."""

from __future__ import annotations

import asyncio
import logging
import random
import signal
from pathlib import Path
from typing import Annotated

import typer

from samspel.assembly import build_edge, check_site
from samspel.cli.output import ExitCode, print_json, print_rows
from samspel.cli.shell import typer_command
from samspel.clock import SystemClock
from samspel.config import SiteConfig, load_site
from samspel.contract.errors import ConfigError
from samspel.edge import Edge
from samspel.store.store import Store

__all__ = ["command"]

logger = logging.getLogger("samspel.edge")

app = typer.Typer(add_completion=False, rich_markup_mode=None)
command = typer_command(app, "samspel run")


@app.command(help="Run the edge of one home until told to stop.")
def run(
    site: Annotated[Path, typer.Argument(help="The site's configuration, for example site.toml.")],
    check: Annotated[bool, typer.Option("--check", help="Only read the file, the plugins and the maps.")] = False,
    json: Annotated[bool, typer.Option("--json", help="With --check: JSON instead of a table.")] = False,
) -> ExitCode:
    """Check or run."""
    config = load_site(site)
    if check:
        return _check(config, json=json)
    asyncio.run(_run(config))
    return ExitCode.OK


def _check(config: SiteConfig, *, json: bool) -> ExitCode:
    attached = check_site(config, SystemClock(), random.SystemRandom())
    rows = [
        (name, config.devices[name].driver, config.devices[name].url, connected.path.name)
        for name, connected in attached.items()
    ]
    if json:
        columns = ("device", "driver", "url", "path")
        print_json({"site": config.site.name, "devices": [dict(zip(columns, row, strict=True)) for row in rows]})
    else:
        print_rows(("device", "driver", "address", "path"), rows)
    return ExitCode.OK


async def _run(config: SiteConfig) -> None:
    directory = config.site.state_directory()
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"site.directory {directory}: {error.strerror}; name a folder that can be written") from error
    clock = SystemClock()
    store = Store.open(directory / "edge.sqlite", clock)
    try:
        edge = build_edge(config, store, clock, random.SystemRandom())
        await _until_told(edge)
    finally:
        await store.close()


async def _until_told(edge: Edge) -> None:
    """Run until SIGTERM or SIGINT; then hand over within five seconds."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for one in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(one, told.set)
    await edge.start()
    logger.info("running", extra={"devices": ", ".join(edge.devices)})
    try:
        await told.wait()
    finally:
        await edge.stop()
        logger.info("handed over")
