"""The `samspel` program. Commands are imported when they are called, so that `--help` is at once there.

Our own commands are modules of this package; others come from the entry-point group `samspel.commands`. Both are
a function `command(argv) -> int`. Exit codes: `samspel.cli.output.ExitCode`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program with these arguments (default: the process's own) and return its exit code."""
    from samspel.cli.importing import importing  # noqa: PLC0415 - importing this package must cost nothing

    with importing():
        from samspel.cli.root import root_command  # noqa: PLC0415 - the same

    return root_command(list(sys.argv[1:] if argv is None else argv))
