"""A fleet of different homes from a CSV: one row a kind, with how many there are and how they answer."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from samspel_prequal.design.loop import Fleet, Loop
from samspel_prequal.errors import DesignError

__all__ = ["COLUMNS", "read_fleet"]

COLUMNS: Final[Mapping[str, str]] = {
    "delay_s": "dead_time_s",
    "lag_s": "lag_s",
    "travel_s": "travel_s",
    "meter_s": "meter_s",
    "period_s": "control_period_s",
    "spread_s": "spread_s",
    "gain": "gain",
}


def read_fleet(path: Path, base: Loop) -> Fleet:
    """Rows of `homes` (a number or a capacity) and any of delay_s, lag_s, travel_s, meter_s, period_s, spread_s, gain.

    What a row leaves out, or blank, is that of `base`.

    Raises:
        DesignError: a column that is unknown or a cell that is no number, with its line.
    """
    with path.open(encoding="utf-8", newline="") as stream:
        rows = csv.DictReader(stream)
        known = {"homes", *COLUMNS}
        unknown = sorted(set(rows.fieldnames or ()) - known)
        if unknown or "homes" not in (rows.fieldnames or ()):
            raise DesignError(
                f"{path}: expected the columns homes and any of {', '.join(COLUMNS)}; found {rows.fieldnames}"
            )
        kinds = [
            (_number(path, line, "homes", row["homes"]), _loop(path, line, row, base))
            for line, row in enumerate(rows, 2)
        ]
    if not kinds:
        raise DesignError(f"{path} names no homes: one row a kind of home is due below the header")
    return Fleet([loop for _, loop in kinds], [homes for homes, _ in kinds])


def _loop(path: Path, line: int, row: Mapping[str, str | None], base: Loop) -> Loop:
    given = {COLUMNS[name]: _number(path, line, name, text) for name, text in row.items() if name in COLUMNS and text}
    try:
        return replace(base, **given)  # type: ignore[arg-type]  # only columns of numbers
    except DesignError as reason:
        raise DesignError(f"{path}, line {line}: {reason}") from None


def _number(path: Path, line: int, name: str, text: str | None) -> float:
    try:
        return float(text or "")
    except ValueError:
        raise DesignError(f"{path}, line {line}, {name}: expected a number, found {text!r}") from None
