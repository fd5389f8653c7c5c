"""`samspel plugins list|check|show`: what is installed, whether it is healthy, and what a driver can do."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Annotated

import typer

from samspel.cli.output import ExitCode, console, print_json, print_rows
from samspel.cli.shell import typer_command
from samspel.contract.errors import ConfigError
from samspel.plugins.host import STRICT
from samspel.plugins.loader import read_brand
from samspel.plugins.survey import Health, Row, survey

__all__ = ["app", "command"]

app = typer.Typer(add_completion=False, rich_markup_mode=None, invoke_without_command=True)
command = typer_command(app, "samspel plugins")

Json = Annotated[bool, typer.Option("--json", help="JSON on standard output, and nothing else there.")]


@app.callback()
def plugins(ctx: typer.Context) -> ExitCode:
    """List, check and show what is installed. Without a subcommand: list."""
    return ExitCode.OK if ctx.invoked_subcommand else list_()


@app.command("list")
def list_(json: Json = False) -> ExitCode:
    """Show everything installed, with what is wrong with it. Exits 0 all the same."""
    rows = survey()
    _print(rows, as_json=json)
    strict = os.environ.get(STRICT) == "1"
    return ExitCode.FAILED if strict and _any_failed(rows) else ExitCode.OK


@app.command()
def check(
    name: Annotated[str | None, typer.Argument(help="One plugin; without it, everything installed.")] = None,
    json: Json = False,
) -> ExitCode:
    """Import and check everything, or one plugin. Exits 1 if anything is unhealthy."""
    rows = survey()
    if name is not None:
        rows = _named(rows, name)
    _print(rows, as_json=json)
    return ExitCode.FAILED if _any_failed(rows) else ExitCode.OK


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A driver's name, as in `samspel plugins list`.")], json: Json = False
) -> ExitCode:
    """Show a driver's capabilities and what they rest on, its maps, and what is off. Exits 1 if it is unhealthy."""
    from samspel.cli.show import print_brand, shown  # noqa: PLC0415 - pulls in the map loader

    (row, *_) = _named([row for row in survey() if row.kind == "driver"], name)
    facts = shown(row, read_brand(name))
    if json:
        print_json(facts, indent=2)
    else:
        print_brand(facts)
    return ExitCode.FAILED if row.health is Health.FAILED else ExitCode.OK


def _named(rows: Sequence[Row], name: str) -> list[Row]:
    found = [row for row in rows if row.name == name]
    if found:
        return found
    known = ", ".join(sorted({row.name for row in rows})) or "none"
    raise ConfigError(f"no plugin {name!r} is installed; there are: {known}")


def _any_failed(rows: Sequence[Row]) -> bool:
    return any(row.health is Health.FAILED for row in rows)


def _print(rows: Sequence[Row], *, as_json: bool) -> None:
    if as_json:
        print_json({"plugins": rows}, indent=2)
    elif rows:
        columns = ["kind", "name", "distribution", "version", "health", "stage", "error"]
        print_rows(
            columns,
            [[row.kind, row.name, row.dist, row.version, row.health, row.stage, row.error] for row in rows],
        )
    else:
        console().print("Nothing is installed. A driver comes as a package, usually called samspel-BRAND.")
