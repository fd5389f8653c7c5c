"""How a guard begins: the process that was asked to run an edge becomes it, and starts the edge as its child."""

from __future__ import annotations

import logging
import os
import sys
from typing import NoReturn

from samspel.logs import JsonFormatter, LogFormat

__all__ = ["become_guard"]


def become_guard(silence_s: float) -> NoReturn:
    """Replace this process, and all that it has imported, by a small guard of its own command line.

    The process id stays, so that whoever started us still signals the right one.
    """
    command = [sys.executable, *sys.orig_argv[1:]]
    guard = [sys.executable, "-P", "-m", "samspel.guard", f"{silence_s:g}", _log_format().value]
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [*guard, *command])  # noqa: S606 - our own program, no shell


def _log_format() -> LogFormat:
    as_json = any(isinstance(handler.formatter, JsonFormatter) for handler in logging.getLogger().handlers)
    return LogFormat.JSON if as_json else LogFormat.TEXT
