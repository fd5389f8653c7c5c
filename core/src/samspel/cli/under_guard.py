"""How a guard starts an edge: `python -m samspel.cli.under_guard SITE_FILE LOG_FORMAT LEVEL`.

Without the parser of `samspel run`, which has read the command line already and would stay in the edge's memory.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from samspel import logs
from samspel.cli.ending import Command, guarded

__all__ = ["command_line"]


def command_line(site: Path) -> list[str]:
    """Start an edge on this file, logging in the form and from the level of this process."""
    level = logging.getLogger("samspel").getEffectiveLevel()
    return [sys.executable, "-P", "-m", __name__, str(site), logs.log_format().value, str(level)]


def main(arguments: list[str]) -> int:
    """What `command_line` asks for; the exit code."""
    site, log_format, level = arguments
    logs.configure(logs.LogFormat(log_format), level=int(level))
    return guarded(_edge, [site], debug=int(level) <= logging.DEBUG)


def _edge() -> Command:
    from samspel.cli.edge_process import command  # noqa: PLC0415 - a second of imports, in which Ctrl-C may come

    return command


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
