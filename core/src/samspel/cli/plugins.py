"""`samspel plugins list|check|show|new`: what is installed, whether it is healthy, what it can do; a new driver."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
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
    """List, check and show what is installed, or begin a driver. Without a subcommand: list."""
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
    corrected: Annotated[
        Path | None, typer.Option("--map", help="Check this corrected register map against the driver NAME instead.")
    ] = None,
    json: Json = False,
) -> ExitCode:
    """Import and check everything, or one plugin, or a corrected map for it. Exits 1 if anything is unhealthy."""
    if corrected is not None:
        return _check_map(name, corrected)
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


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="The brand in small letters, as site.toml will say it.")],
    into: Annotated[Path, typer.Option(help="The folder in which the plugin's own folder is made.")] = Path(),
) -> ExitCode:
    """Write a complete driver package for a made-up inverter, to be filled in. Exits 2 and writes nothing if not."""
    from samspel.scaffold import PluginName, new_plugin  # noqa: PLC0415 - pulls in the map's model

    plugin = PluginName(name)
    folder, files = new_plugin(plugin, into)
    out = console()
    for file in files:
        out.print(f"{folder / file}", soft_wrap=True)
    out.print(f"\nNext: pip install -e '{folder}[test]'", soft_wrap=True)
    out.print(f"      samspel plugins check {name}")
    out.print(f"      samspel-contract run --driver {name}")
    return ExitCode.OK


def _check_map(name: str | None, file: Path) -> ExitCode:
    """As a site would judge it, but for the model and the version, which only a site knows."""
    from samspel.registers.loader import load_variants  # noqa: PLC0415 - pulls in the map loader

    if name is None:
        raise ConfigError("--map needs the driver's name: samspel plugins check NAME --map FILE")
    manifest = read_brand(name).manifest
    variants = load_variants(file, source_name=file.name)
    for variant in variants:
        manifest.faults.check(variant.registers, file.name)
    plain = variants[0]
    typer.echo(f"{file.name}: {plain.id} {plain.version} is a sound map for {name}; sha256 {plain.digest[:16]}")
    return ExitCode.OK


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
