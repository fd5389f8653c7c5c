"""Running one command: its typer app, and negative numbers.

A command is a module with a function `command(argv) -> int`. With typer that is two lines:

    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    command = typer_command(app, "samspel read")

Functions under `app` return an `ExitCode` (or nothing, for 0) and raise `SamspelError` as it comes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import typer
import typer.main

from samspel.cli.ending import Command, complain

__all__ = ["run_typer", "typer_command"]

_NEGATIVE_NUMBER = re.compile(r"-\.?\d.*", re.DOTALL)


def typer_command(app: typer.Typer, name: str) -> Command:
    """The command that runs `app`; `name` is what its usage line shows ("samspel read").

    Negative numbers are arguments: `set-power -1500` and `--for -5` reach the app as numbers.
    """
    return lambda argv: run_typer(app, name, _shielded(argv))


def run_typer(app: typer.Typer, name: str, argv: Sequence[str]) -> int:
    """Run `app` with these arguments; a wrong one becomes a sentence and exit code 2. Raises KeyboardInterrupt."""
    try:
        code = typer.main.get_command(app).main(args=list(argv), prog_name=name, standalone_mode=False)
    except typer.Abort as error:  # What typer makes of Ctrl-C.
        raise KeyboardInterrupt from error
    except typer.TyperException as error:
        sentence = error.format_message().rstrip(".")
        return complain(f"{name}: {sentence}. See `{name} --help`.", error.exit_code)
    return int(code or 0)


def _shielded(argv: Sequence[str]) -> list[str]:
    """`-1500` would be taken for an option; behind a space it is an argument, and still the same number."""
    return [f" {word}" if _NEGATIVE_NUMBER.fullmatch(word) else word for word in argv]
