"""The battery's power over time as bars above and below zero, with the target as a mark in each column."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

from samspel_sim.demo.view import Sample

__all__ = ["draw_chart"]

LABEL_COLUMNS = 8
PLAY_S = 240.0
"""As much time as one width should show."""
LEAST_UP_W, LEAST_DOWN_W = 2000.0, 4000.0
"""Room for the whole play from its start, so that the scale stands still."""
STEP_W = 100.0
DISCHARGE, CHARGE, TARGET, AXIS = "yellow", "cyan", "bold white", "bright_black"


@dataclass(frozen=True, slots=True)
class _Scale:
    """Rows above and below zero, and the watts of one row, which is the same both ways."""

    up: int
    down: int
    row_w: float


def draw_chart(samples: Sequence[Sample], now_s: float, columns: int, rows: int) -> list[Text]:
    """`rows` lines of `columns` characters; time runs to the right and the newest column is now."""
    width = columns - LABEL_COLUMNS
    column_s = max(1, math.ceil(PLAY_S / width))
    shown = _by_column(samples, now_s, width, column_s)
    scale = _scale([one for one in shown if one is not None], rows)
    return [_row(shown, scale, row) for row in range(scale.up, -scale.down, -1)]


def _by_column(samples: Sequence[Sample], now_s: float, width: int, column_s: int) -> list[Sample | None]:
    """The last sample at the end of each column's time; nothing before the first."""
    last_slot = int(now_s // column_s)
    first_slot = max(0, last_slot - width + 1)
    found: list[Sample | None] = []
    remaining, current = list(samples), None
    for slot in range(first_slot, first_slot + width):
        while remaining and remaining[0].at_s < (slot + 1) * column_s:
            current = remaining.pop(0)
        found.append(current if slot <= last_slot else None)
    return found


def _scale(shown: Sequence[Sample], rows: int) -> _Scale:
    powers = [power for one in shown for power in (one.battery_w, one.target_w or 0.0)]
    high_w, low_w = max(LEAST_UP_W, *powers, 0.0), max(LEAST_DOWN_W, *(-power for power in powers), 0.0)
    up = min(rows - 1, max(1, round(rows * high_w / (high_w + low_w))))
    down = rows - up
    return _Scale(up, down, STEP_W * math.ceil(max(high_w / up, low_w / down) / STEP_W))


def _row(shown: Sequence[Sample | None], scale: _Scale, row: int) -> Text:
    """Row 1 stands on zero, row 0 hangs below it."""
    line = Text(_label(scale, row), style=AXIS, no_wrap=True)
    for one in shown:
        glyph, style = _cell(one, scale, row)
        line.append(glyph, style)
    return line


def _label(scale: _Scale, row: int) -> str:
    if row == scale.up:
        return f"{scale.up * scale.row_w:>6.0f} ┤"
    if row == 1 - scale.down:
        return f"{-scale.down * scale.row_w:>6.0f} ┤"
    return f"{0:>6} ┼" if row == 1 else f"{'':>6} │"


def _cell(one: Sample | None, scale: _Scale, row: int) -> tuple[str, str]:
    if one is None:
        return _empty(row)
    halves = _halves(one.battery_w, scale, row)
    if one.target_w is not None and _row_of(one.target_w, scale) == row:
        return "━", f"{TARGET} on {_colour(row)}" if halves == 2 else TARGET
    if halves == 0:
        return _empty(row)
    half = "▄" if row >= 1 else "▀"
    return ("█" if halves == 2 else half), _colour(row)


def _empty(row: int) -> tuple[str, str]:
    return ("▁", AXIS) if row == 1 else (" ", AXIS)


def _colour(row: int) -> str:
    return DISCHARGE if row >= 1 else CHARGE


def _halves(power_w: float, scale: _Scale, row: int) -> int:
    """How many halves of this row the bar fills, counted from zero."""
    below = row - 1 if row >= 1 else -row
    reach_w = power_w if row >= 1 else -power_w
    return min(2, max(0, round(2 * reach_w / scale.row_w) - 2 * below))


def _row_of(power_w: float, scale: _Scale) -> int:
    """The row in which this power lies; zero belongs to the row above it."""
    if power_w < 0:
        return 1 - max(1, math.ceil(-power_w / scale.row_w))
    return max(1, math.ceil(power_w / scale.row_w))
