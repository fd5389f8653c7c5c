"""How a guard begins: the process that was asked to run an edge becomes it, and starts the edge as its child."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from samspel import logs

__all__ = ["become_guard"]


def become_guard(silence_s: float, command: Sequence[str]) -> NoReturn:
    """Replace this process, and all that it has imported, by a small guard of that command.

    The process id stays, so that whoever started us still signals the right one.
    """
    guard = [sys.executable, "-P", "-m", "samspel.guard", f"{silence_s:g}", logs.log_format().value]
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [*guard, *command])  # noqa: S606 - our own program, no shell
