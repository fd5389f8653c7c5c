"""`python -m benchmarks [--quick] [--json [PATH]]`: the table, or the same as JSON."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

from benchmarks import broker, footprint, latency, snapshot
from benchmarks.report import Row, as_document, show

__all__ = ["main"]

ANSWER_S = 0.1
WIDTH = 140
"""Of a table that goes into a file."""
Part = tuple[str, Callable[[], list[Row]]]

FULL: Sequence[Part] = (
    ("set-points to an idle device", lambda: latency.idle(200)),
    ("set-points to a slow device with full polling", lambda: latency.slow(100)),
    ("a full snapshot", lambda: snapshot.measure(ANSWER_S)),
    ("the edge's footprint", lambda: footprint.running(30.0)),
    ("--help", lambda: footprint.helping(10)),
)
QUICK: Sequence[Part] = (
    ("set-points to an idle device", lambda: latency.idle(5)),
    ("set-points to a slow device with full polling", lambda: latency.slow(3)),
    ("a full snapshot", lambda: snapshot.measure(ANSWER_S / 10)),
    ("the edge's footprint", lambda: footprint.running(2.0)),
    ("--help", lambda: footprint.helping(1)),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure everything and show it; the exit code says that it could be measured, not that it was fast."""
    options = _options(arguments)
    rows: list[Row] = []
    for name, measure in QUICK if options.quick else FULL:
        print(f"measuring: {name}", file=sys.stderr, flush=True)
        rows += measure()
    console = Console() if sys.stdout.isatty() else Console(width=WIDTH)
    document = json.dumps(as_document(rows, broker.kind()), indent=2)
    if options.json == "-":
        print(document)
    else:
        show(rows, broker.kind(), console)
        if options.json:
            Path(options.json).write_text(document + "\n", encoding="utf-8")
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few samples, about a minute; figures mean little")
    parser.add_argument(
        "--json", nargs="?", const="-", metavar="PATH", help="JSON into a file, or instead of the table"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
