"""`samspel-contract`: prove a driver. Exit codes: 0 passed, 1 not passed, 2 the driver could not be loaded."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from samspel.contract.errors import SamspelError

from samspel_contract import differential
from samspel_contract.catalogue import catalogue
from samspel_contract.html import html_of
from samspel_contract.isolated import run_isolated
from samspel_contract.report import make_report, text_of
from samspel_contract.target import Target, installed, loose

__all__ = ["main"]

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)


@app.callback()
def _about() -> None:
    """Prove a samspel driver against its twin."""


@app.command()
def run(
    driver: Annotated[str | None, typer.Option(help="name of an installed driver")] = None,
    manifest: Annotated[Path | None, typer.Option(help="driver.toml of a driver that is not installed")] = None,
    twin: Annotated[str | None, typer.Option(help="its twin, MODULE:OBJECT")] = None,
    report: Annotated[Path | None, typer.Option(help="write the report here, as JSON")] = None,
    html: Annotated[Path | None, typer.Option(help="write the report here, as a page to read")] = None,
) -> None:
    """Run the whole suite, isolated from conftest files and pytest plugins of the author."""
    target, arguments = _chosen(driver, manifest, twin)
    done = run_isolated(arguments)
    found = make_report(target, done, catalogue())
    _write(report, json.dumps(asdict(found), indent=2) + "\n")
    _write(html, html_of(found, catalogue()))
    if not found.passed:
        typer.echo(done.output)
    typer.echo(text_of(found, catalogue()))
    raise typer.Exit(0 if found.passed else 1)


app.command("differential")(differential.main)


def _write(path: Path | None, text: str) -> None:
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _chosen(driver: str | None, manifest: Path | None, twin: str | None) -> tuple[Target, list[str]]:
    try:
        if driver is not None and manifest is None and twin is None:
            return installed(driver), [f"--samspel-driver={driver}"]
        if driver is None and manifest is not None and twin is not None:
            path = manifest.resolve()
            return loose(path, twin), [f"--samspel-manifest={path}", f"--samspel-twin={twin}"]
    except SamspelError as error:
        typer.echo(f"samspel-contract: {error}", err=True)
        raise typer.Exit(2) from error
    raise typer.BadParameter("name either --driver, or --manifest with --twin")


def main() -> None:
    """The program."""
    app()
