"""`samspel run SITE.toml`: the edge of one home, under its guard.

The edge itself is imported where this process is it. Under a guard it is another one, and would have to wait for both.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Annotated

import typer

from samspel.cli.output import ExitCode, print_json, print_rows
from samspel.cli.shell import typer_command
from samspel.cli.under_guard import command_line
from samspel.clock import SystemClock
from samspel.config import SiteConfig, load_site
from samspel.contract.errors import ConfigError
from samspel.guard.become import become_guard

__all__ = ["command"]

app = typer.Typer(add_completion=False, rich_markup_mode=None)
command = typer_command(app, "samspel run")


@app.command(help="Run the edge of one home until told to stop.")
def run(
    site: Annotated[Path, typer.Argument(help="The site's configuration, for example site.toml.")],
    check: Annotated[bool, typer.Option("--check", help="Only read the file, the plugins and the maps.")] = False,
    json: Annotated[bool, typer.Option("--json", help="With --check: JSON instead of a table.")] = False,
    no_guard: Annotated[
        bool, typer.Option("--no-guard", help="One process that nothing watches: for development.")
    ] = False,
) -> int:
    """Check or run."""
    config = load_site(site)
    if check:
        return _check(config, json=json)
    _make_directory(config)
    if config.guard.enabled and not no_guard:
        become_guard(config.guard.silence_s, command_line(site))
    from samspel.cli.edge_process import run_edge  # noqa: PLC0415 - see above

    return run_edge(config, duty=None)


def _check(config: SiteConfig, *, json: bool) -> ExitCode:
    from samspel.assembly import check_site  # noqa: PLC0415 - see above

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


def _make_directory(config: SiteConfig) -> None:
    directory = config.site.state_directory()
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"site.directory {directory}: {error.strerror}; name a folder that can be written") from error
