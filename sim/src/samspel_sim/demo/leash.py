"""Runs a program that dies with its starter: ``python leash.py STARTER_PID PROGRAM ARGUMENTS…``.

The kernel keeps this wish through the change of program, so the process id is the program's own. It is a file run by
its path and imports nothing of ours: it must start in no time. Where the kernel knows no such wish (anything but
Linux), the program runs without a leash.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Become the program. Exits 1 when the starter has died before the wish was made."""
    starter, program = int(arguments[0]), arguments[1]
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != starter:
        sys.exit(1)
    os.execv(program, arguments[1:])  # noqa: S606 - the demo's own children, no shell


if __name__ == "__main__":
    main(sys.argv[1:])
