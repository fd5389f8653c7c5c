"""Running one command: its typer app, negative numbers, and how an error becomes an exit code.

A command is a module with a function `command(argv) -> int`. With typer that is two lines:

    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    command = typer_command(app, "samspel read")

Functions under `app` return an `ExitCode` (or nothing, for 0) and raise `SamspelError` as it comes.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence

import typer
import typer.main

from samspel.cli.output import ExitCode, exit_code_of
from samspel.contract.errors import SamspelError

__all__ = ["Command", "guarded", "run_typer", "typer_command"]

Command = Callable[[list[str]], int]
"""What the entry-point group `samspel.commands` and our own commands are: arguments in, exit code out."""

_NEGATIVE_NUMBER = re.compile(r"-\.?\d.*", re.DOTALL)


def typer_command(app: typer.Typer, name: str) -> Command:
    """The command that runs `app`; `name` is what its usage line shows ("samspel read").

    Negative numbers are arguments: `set-power -1500` and `--for -5` reach the app as numbers.
    """
    return lambda argv: run_typer(app, name, _shielded(argv))


def run_typer(app: typer.Typer, name: str, argv: Sequence[str]) -> int:
    """Run `app` with these arguments; a wrong one becomes a sentence and exit code 2."""
    try:
        code = typer.main.get_command(app).main(args=list(argv), prog_name=name, standalone_mode=False)
    except typer.TyperException as error:
        sentence = error.format_message().rstrip(".")
        return _complain(f"{name}: {sentence}. See `{name} --help`.", error.exit_code)
    return int(code or 0)


def guarded(load: Callable[[], Command], argv: list[str], *, debug: bool = False) -> int:
    """Import a command and run it; an error that samspel raises on purpose becomes a sentence, Ctrl-C becomes 130.

    With `debug` the error is left as it is, traceback and all. Any other error is a defect and keeps its traceback.
    """
    try:
        return load()(argv)
    except (KeyboardInterrupt, typer.Abort):
        return _complain("samspel: interrupted", ExitCode.INTERRUPTED)
    except SamspelError as error:
        if debug:
            raise
        return _complain(f"samspel: {error}", exit_code_of(error))


def _shielded(argv: Sequence[str]) -> list[str]:
    """`-1500` would be taken for an option; behind a space it is an argument, and still the same number."""
    return [f" {word}" if _NEGATIVE_NUMBER.fullmatch(word) else word for word in argv]


def _complain(sentence: str, code: int) -> int:
    print(sentence, file=sys.stderr)
    return int(code)
