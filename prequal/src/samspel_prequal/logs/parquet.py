"""The same logs as Parquet, for large sets: same file name but `.parquet`, same headers, same units.

Needs pyarrow: `samspel-prequal[parquet]`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from samspel_prequal.errors import LogNameError
from samspel_prequal.logs.columns import COLUMNS, DATE_TIME, Kind
from samspel_prequal.logs.log import Log
from samspel_prequal.logs.name import LogName

__all__ = ["read_parquet", "stream_parquet", "write_parquet"]


def write_parquet(log: Log, folder: str | Path) -> Path:
    """Write one file and return its path. Times are UTC, to the millisecond; a blank is NaN."""
    arrow, parquet = _pyarrow()
    start_us = round((log.start.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1e6)
    stamps = (start_us + np.rint(log.time_s * 1e6).astype(np.int64)) // 1000
    columns: dict[str, Any] = {DATE_TIME: arrow.array(stamps, type=arrow.timestamp("ms", tz="UTC"))}
    for header, column in COLUMNS.items():
        if header in log.values:
            columns[header] = log.values[header] / column.scale
        elif header in log.texts:
            columns[header] = arrow.array(log.texts[header].tolist(), type=arrow.string())
    path = Path(folder) / Path(str(log.name)).with_suffix(".parquet").name
    parquet.write_table(arrow.table(columns), path)
    return path


def read_parquet(path: str | Path) -> Log:
    """The whole log.

    Raises:
        LogNameError: the file name does not say what it is, or a column is unknown.
    """
    _, parquet = _pyarrow()
    return _log(parquet.read_table(path), LogName.parse(path), None)


def stream_parquet(path: str | Path, rows: int = 100_000) -> Iterator[Log]:
    """The log in pieces of so many rows; `time_s` counts from the first row of the file."""
    arrow, parquet = _pyarrow()
    name, start = LogName.parse(path), None
    for batch in parquet.ParquetFile(path).iter_batches(rows):
        log = _log(arrow.Table.from_batches([batch]), name, start)
        start = log.start
        yield log


def _log(table: Any, name: LogName, start: datetime | None) -> Log:  # noqa: ANN401 - pyarrow has no types
    stamps_ms = table.column(DATE_TIME).cast("int64").to_numpy()
    begin = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(stamps_ms[0])) if start is None else start
    begin_ms = round((begin - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)
    headers = [header for header in table.column_names if header != DATE_TIME]
    if unknown := sorted(set(headers) - COLUMNS.keys()):
        raise LogNameError(f"{name}: unknown columns {unknown}; expected the headers of the TSOs' table")
    texts = [header for header in headers if COLUMNS[header].kind is Kind.TEXT]
    values = {
        header: table.column(header).to_numpy() * COLUMNS[header].scale for header in headers if header not in texts
    }
    modes = {header: np.array(table.column(header).to_pylist(), dtype=np.str_) for header in texts}
    time_s = (stamps_ms - begin_ms) / 1000.0
    return Log(name.resource, name.product, name.label, begin, time_s, values, modes, name.area, name.zone)


def _pyarrow() -> tuple[Any, Any]:
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ModuleNotFoundError as reason:
        raise ModuleNotFoundError("Parquet needs pyarrow: install samspel-prequal[parquet]") from reason
