"""Writing the TSOs' CSV: ASCII, comma, decimal point, CRLF, at least three decimals."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import numpy as np

from samspel_prequal.logs import columns
from samspel_prequal.logs.columns import COLUMNS, DATE_TIME, Column, Kind, must_headers
from samspel_prequal.logs.log import Log
from samspel_prequal.logs.name import TIMEZONES
from samspel_prequal.product import TestType
from samspel_prequal.rules import MIN_DECIMALS

__all__ = ["power_decimals", "write_log"]

FREQUENCY_DECIMALS: Final = 5
POWER_SHARE: Final = 1e-6  # of the largest power: what the last decimal is worth, at most
MAX_DECIMALS: Final = 9
ROWS: Final = 50_000


def power_decimals(largest_w: float) -> int:
    """Decimals of a megawatt that show so much power to a millionth: at least 3, at most 9.

    Three decimals of a megawatt are kilowatts, which is all that the requirements ask for, and useless for a home
    battery: 5 kW get nine decimals.
    """
    if largest_w <= 0:
        return MIN_DECIMALS
    return min(max(MIN_DECIMALS, math.ceil(-math.log10(largest_w / columns.MEGA * POWER_SHARE))), MAX_DECIMALS)


def write_log(
    log: Log,
    folder: str | Path,
    *,
    compact: bool = False,
    append_date: bool = False,
    mw_decimals: int | None = None,
    frequency_decimals: int = FREQUENCY_DECIMALS,
) -> Path:
    """Write one file under the name that belongs to it, and return its path.

    Args:
        log: what to write; blank where a value is NaN.
        folder: where; it must exist.
        compact: leave out the columns that the log does not have, instead of writing them blank.
        append_date: end the name with the first day, as TR 6.2.1 has it and TP 11.1 has not.
        mw_decimals: of every power; by default enough for this log's power (see `power_decimals`).
        frequency_decimals: of every frequency.
    """
    day: date | None = log.start.astimezone(TIMEZONES[log.zone]).date() if append_date else None
    path = Path(folder) / str(replace(log.name, date=day))
    chosen = power_decimals(float(np.nanmax(np.abs(log.power_w), initial=0.0))) if mw_decimals is None else mw_decimals
    decimals = {True: max(MIN_DECIMALS, chosen), False: max(MIN_DECIMALS, frequency_decimals)}
    shown = _shown(log, compact=compact)
    with path.open("w", encoding="ascii", newline="") as out:
        out.write(
            ",".join(f"{header}{log.label.suffix}" for header in (DATE_TIME, *(one.header for one in shown))) + "\r\n"
        )
        for start in range(0, len(log.time_s), ROWS):
            out.writelines(_rows(log.rows(slice(start, start + ROWS)), shown, decimals))
    return path


def _shown(log: Log, *, compact: bool) -> list[Column]:
    have = {*log.values, *log.texts}
    due = set() if compact else set(must_headers(operation=log.label.test_type is TestType.OPERATION))
    return [column for column in COLUMNS.values() if column.header in have | due]


def _rows(log: Log, shown: list[Column], decimals: dict[bool, int]) -> Iterator[str]:
    texts = [_stamps(log), *(_cells(log, column, decimals) for column in shown)]
    return (",".join(row) + "\r\n" for row in zip(*texts, strict=True))


def _stamps(log: Log) -> list[str]:
    local = log.start.astimezone(TIMEZONES[log.zone]).replace(tzinfo=UTC)
    start_ms = round((local - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)
    stamps = np.datetime_as_string((start_ms + np.rint(log.time_s * 1000).astype(np.int64)).astype("datetime64[ms]"))
    return [stamp.replace("-", "").replace(":", "") for stamp in stamps.tolist()]


def _cells(log: Log, column: Column, decimals: dict[bool, int]) -> list[str]:
    if column.header in log.texts:
        return [str(cell) for cell in log.texts[column.header].tolist()]
    data = log.values.get(column.header)
    if data is None:
        return [""] * len(log.time_s)
    if column.kind is Kind.BINARY:
        return ["" if math.isnan(value) else f"{value:.0f}" for value in data.tolist()]
    form = f".{decimals[column.scale == columns.MEGA]}f"
    return ["" if math.isnan(value) else _no_minus_zero(f"{value:{form}}") for value in (data / column.scale).tolist()]


def _no_minus_zero(text: str) -> str:
    return text[1:] if text[0] == "-" and not text.strip("-0.") else text
