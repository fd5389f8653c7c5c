"""How an error becomes a sentence and an exit code. Knows no parser: what runs for months needs none."""

from __future__ import annotations

import sys
from collections.abc import Callable

from samspel.cli.importing import importing
from samspel.cli.output import ExitCode, exit_code_of
from samspel.contract.errors import SamspelError

__all__ = ["Command", "complain", "guarded"]

Command = Callable[[list[str]], int]
"""What the entry-point group `samspel.commands` and our own commands are: arguments in, exit code out."""


def guarded(load: Callable[[], Command], argv: list[str], *, debug: bool = False) -> int:
    """Import a command and run it; an error that samspel raises on purpose becomes a sentence, Ctrl-C becomes 130.

    With `debug` the error is left as it is, traceback and all. Any other error is a defect and keeps its traceback.
    """
    try:
        with importing():
            command = load()
        return command(argv)
    except KeyboardInterrupt:
        return complain("samspel: interrupted", ExitCode.INTERRUPTED)
    except SamspelError as error:
        if debug:
            raise
        return complain(f"samspel: {error}", exit_code_of(error))


def complain(sentence: str, code: int) -> int:
    """Say on standard error why it went wrong; `code` comes back."""
    print(sentence, file=sys.stderr)
    return int(code)
