"""Rows, their verdicts, and how they are shown."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

__all__ = ["Row", "as_document", "show"]


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. `aim` is the most that it may be, where there is an aim."""

    part: str
    name: str
    value: float
    unit: str
    aim: float | None = None
    note: str = ""

    @property
    def verdict(self) -> str:
        """`meets`, `falls short`, or nothing where there is no aim."""
        if self.aim is None:
            return ""
        return "meets" if self.value <= self.aim else "falls short"


def as_document(rows: Sequence[Row], broker: str) -> dict[str, Any]:
    """For machines."""
    return {
        "schema": "benchmarks/0.1",
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load_1min": round(os.getloadavg()[0], 2),
        "broker": broker,
        "rows": [asdict(row) | {"verdict": row.verdict} for row in rows],
    }


def show(rows: Sequence[Row], broker: str, console: Console) -> None:
    """For people."""
    table = Table(title=f"samspel benchmarks, broker {broker}, Python {platform.python_version()}")
    for title, justify in (("", "left"), ("what", "left"), ("value", "right"), ("aim", "right")):
        table.add_column(title, justify=justify)  # type: ignore[arg-type]  # rich's own literal type
    for title in ("verdict", "note"):
        table.add_column(title)
    for row in rows:
        aim = "" if row.aim is None else f"<= {_shown(row.aim)}"
        table.add_row(f"({row.part})", row.name, f"{_shown(row.value)} {row.unit}", aim, row.verdict, row.note)
    console.print(table)


def _shown(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
