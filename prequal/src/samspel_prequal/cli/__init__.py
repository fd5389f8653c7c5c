"""The `samspel-prequal` program.

Exit codes: 0 all well, 1 something is wrong with what was asked or read, 2 wrong usage. Every command takes `--json`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program with these arguments (default: the process's own) and return its exit code."""
    import typer  # noqa: PLC0415 - importing this package must cost nothing

    from samspel_prequal.cli.app import app  # noqa: PLC0415
    from samspel_prequal.errors import PrequalError  # noqa: PLC0415

    try:
        typer.main.get_command(app).main(list(sys.argv[1:] if argv is None else argv), prog_name="samspel-prequal")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 0
    except (PrequalError, OSError) as reason:
        print(f"samspel-prequal: {reason}", file=sys.stderr)
        return 1
    return 0
