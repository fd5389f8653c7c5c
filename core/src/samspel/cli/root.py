"""`samspel` itself: the list of commands, the options that all of them share, and the way to each."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Annotated, cast

import typer

from samspel import logs
from samspel.cli.ending import Command, guarded
from samspel.cli.shell import run_typer
from samspel.contract.errors import PluginError
from samspel.plugins import metadata

__all__ = ["root_command"]

OWN = {
    "run": "Run the edge of one home: broker on one side, inverters on the other.",
    "read": "Read a device: who it is and what it measures.",
    "faults": "What is wrong with a device now, and what that forbids.",
    "command": "Command a device by hand: set-power, zero, release, stop.",
    "plugins": "List, check and show what is installed; begin a driver.",
}
"""Modules of this package, each with its line in the help."""

ELSEWHERE = {
    "demo": ("Watch simulated homes follow commands for four minutes.", "samspel-sim"),
    "sim": ("Serve a simulated inverter.", "samspel-sim"),
    "simulate": ("Run days of a home in minutes and check what must always hold.", "samspel-contract-tests"),
}
"""Commands that another distribution brings, known here so that an absent one can be named."""

EXIT_CODES = "Exit codes: 0 ok, 1 failed, 2 usage or configuration, 3 unreachable, 4 refused or not followed."

_EVERYTHING_PASSES = {
    "ignore_unknown_options": True,
    "allow_extra_args": True,
    "allow_interspersed_args": False,
}


@dataclass(frozen=True, slots=True)
class _Entry:
    """One line of the help, and the way to its function."""

    name: str
    summary: str
    load: Callable[[], Command]


@dataclass(frozen=True, slots=True)
class _Shared:
    """The options before the command's name."""

    debug: bool
    log_format: logs.LogFormat


def root_command(argv: list[str]) -> int:
    """Parse the shared options, find the command, run it; the exit code."""
    app = typer.Typer(add_completion=False, rich_markup_mode=None, invoke_without_command=True)
    app.callback(epilog=EXIT_CODES)(_samspel)
    for entry in _entries():
        _add(app, entry)
    return run_typer(app, "samspel", argv)


def _samspel(
    ctx: typer.Context,
    debug: Annotated[bool, typer.Option("--debug", help="Log everything; show tracebacks.")] = False,
    log: Annotated[logs.LogFormat, typer.Option(help="Form of the log on standard error.")] = logs.LogFormat.TEXT,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """One command contract for every home-battery inverter."""
    ctx.obj = _Shared(debug, log)
    if version:
        typer.echo(f"samspel {metadata.installed_version('samspel')}")
        raise typer.Exit
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())
        raise typer.Exit


def _add(app: typer.Typer, entry: _Entry) -> None:
    """The command takes every word that follows as it stands, `--help` included; its own parser reads them."""

    def call(ctx: typer.Context) -> int:
        shared: _Shared = ctx.obj
        _configure_logs(shared, entry.name)
        return guarded(entry.load, list(ctx.args), debug=shared.debug)

    app.command(entry.name, help=entry.summary, add_help_option=False, context_settings=_EVERYTHING_PASSES)(call)


def _configure_logs(shared: _Shared, name: str) -> None:
    """The edge tells what it does; a command by hand speaks through its answer, and logs only trouble."""
    usual = logging.INFO if name == "run" else logging.WARNING
    logs.configure(shared.log_format, level=logging.DEBUG if shared.debug else usual)


def _entries() -> list[_Entry]:
    """Ours first; nobody can take the name of one of ours."""
    own = {name: _Entry(name, summary, partial(_own, name)) for name, summary in OWN.items()}
    known = {name: _Entry(name, text, partial(_missing, name, dist)) for name, (text, dist) in ELSEWHERE.items()}
    offered = {offer.name: _offered(offer) for offer in metadata.offers(metadata.COMMANDS) if _usable(offer)}
    return list((known | offered | own).values())


def _usable(offer: metadata.Offer) -> bool:
    return not (offer.disabled or offer.unreadable)


def _offered(offer: metadata.Offer) -> _Entry:
    summary, _ = ELSEWHERE.get(offer.name, (f"From {offer.dist} {offer.version}.", ""))
    return _Entry(offer.name, summary, partial(_foreign, offer))


def _own(name: str) -> Command:
    return cast("Command", import_module(f"samspel.cli.{name}").command)


def _missing(name: str, dist: str) -> Command:
    raise PluginError(
        f"`samspel {name}` comes with {dist}, which is not installed: pip install {dist}", stage="metadata"
    )


def _foreign(offer: metadata.Offer) -> Command:
    from samspel.plugins.loader import load_command  # noqa: PLC0415 - only a foreign command needs the loader

    return cast("Command", load_command(offer))
