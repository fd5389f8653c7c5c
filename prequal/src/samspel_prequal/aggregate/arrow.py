"""Fast reading of logs by pyarrow: only the columns that a sum needs. Without pyarrow, CSV is read the slow way.

What this reader cannot take as it stands (a time in another form, a cell that is no number) goes to `logs.read_log`,
which says what is wrong by line and column.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np

from samspel_prequal.aggregate.trace import HomeTrace, trace_of
from samspel_prequal.errors import AggregateError
from samspel_prequal.logs import COLUMNS, LogName, header_for, read_log
from samspel_prequal.logs import columns as headers
from samspel_prequal.logs.name import TIMEZONES
from samspel_prequal.logs.parse import DATE_TIME_WIDTH, Cells, parse_times
from samspel_prequal.signals import FloatArray

__all__ = ["HOME", "batches", "is_long", "read_trace"]

Arrow: TypeAlias = Any  # pyarrow is optional and has no types
HOME: Final = "Resource"  # the column of a long file that names the home
_BATCH_ROWS: Final = 1_000_000


def is_long(path: Path) -> bool:
    """Whether a file holds many homes: it has a column that names them."""
    if path.suffix == ".parquet":
        return HOME in _parquet().ParquetFile(path).schema_arrow.names
    return HOME in _header(path)


def read_trace(path: Path, name: LogName) -> HomeTrace:
    """One home's file, CSV or Parquet."""
    if path.suffix == ".parquet":
        table = _parquet().read_table(path, columns=_wanted(_parquet().ParquetFile(path).schema_arrow.names, ""))
        return _rising(path, _trace(name.resource, _stamps_ms(table), table, name))
    if not find_spec("pyarrow"):
        return trace_of(read_log(path))
    table = _csv(path, name)
    time_ms = None if table is None else _times_ms(table, name)
    if table is None or time_ms is None or np.any(np.diff(time_ms) <= 0):
        return trace_of(read_log(path))
    return _trace(name.resource, time_ms, table, name)


def _rising(path: Path, trace: HomeTrace) -> HomeTrace:
    if np.any(np.diff(trace.time_ms) <= 0):
        raise AggregateError(f"{path}: expected times that rise from row to row; sort the rows, and keep one of equals")
    return trace


def batches(path: Path, name: LogName) -> Iterator[tuple[Arrow, HomeTrace]]:
    """A long file piece by piece: the homes of the rows, and their samples as if they were one home's."""
    for table in _long_parquet(path) if path.suffix == ".parquet" else _long_csv(path, name):
        plain = table.rename_columns([_without(column, name.label.suffix) for column in table.column_names])
        csv = path.suffix != ".parquet"
        time_ms = _times_ms(plain, name) if csv else _stamps_ms(plain)
        if time_ms is None:
            raise AggregateError(f"{path}: expected DateTime as YYYYMMDDThhmmss.nnn in every row")
        homes = plain.column(HOME).combine_chunks().dictionary_encode()
        yield homes, _trace("", time_ms, plain, name)


def _long_parquet(path: Path) -> Iterator[Arrow]:
    file = _parquet().ParquetFile(path)
    wanted = [HOME, *_wanted(file.schema_arrow.names, "")]
    for batch in file.iter_batches(_BATCH_ROWS, columns=wanted):
        yield import_module("pyarrow").Table.from_batches([batch])


def _long_csv(path: Path, name: LogName) -> Iterator[Arrow]:
    arrow, csv = import_module("pyarrow"), _needed("pyarrow.csv")
    options = _convert(path, name, extra={HOME: arrow.string()})
    blocks = csv.ReadOptions(block_size=32 << 20)
    try:
        for batch in csv.open_csv(path, read_options=blocks, convert_options=options):
            yield arrow.Table.from_batches([batch])
    except arrow.ArrowInvalid as reason:
        raise AggregateError(f"{path}: {reason}") from None


def _csv(path: Path, name: LogName) -> Arrow | None:
    """The columns of a home's CSV without their suffix; nothing where a cell is not what it should be."""
    arrow, csv = import_module("pyarrow"), import_module("pyarrow.csv")
    try:
        table = csv.read_csv(path, convert_options=_convert(path, name))
    except (arrow.ArrowInvalid, KeyError):
        return None
    return table.rename_columns([_without(column, name.label.suffix) for column in table.column_names])


def _convert(path: Path, name: LogName, extra: dict[str, Arrow] | None = None) -> Arrow:
    arrow, csv = import_module("pyarrow"), _needed("pyarrow.csv")
    found = _header(path)
    suffix = name.label.suffix
    wanted = [*_wanted(found, suffix), *(extra or {})]
    types = {column: arrow.float64() for column in wanted} | {f"{headers.DATE_TIME}{suffix}": arrow.string()}
    return csv.ConvertOptions(include_columns=wanted, column_types=types | (extra or {}), null_values=[""])


def _header(path: Path) -> list[str]:
    with path.open("rb") as stream:
        cells = stream.readline().decode("ascii", "replace").strip().split(",")
    return [cell.strip('"') for cell in cells]


def _wanted(found: list[str], suffix: str) -> list[str]:
    """The columns of a file that a sum needs, under the names that the file gives them."""
    capacities = [header for header in COLUMNS if header.startswith("Cap_")]
    plain = [headers.DATE_TIME, headers.POWER, headers.APPLIED_FREQUENCY, headers.GRID_FREQUENCY, headers.BASELINE]
    return [f"{header}{suffix}" for header in (*plain, *capacities) if f"{header}{suffix}" in found]


def _without(column: str, suffix: str) -> str:
    return column.removesuffix(suffix) if suffix and column != HOME else column


def _trace(home: str, time_ms: FloatArray, table: Arrow, name: LogName) -> HomeTrace:
    found = {column: table.column(column) for column in table.column_names}
    if headers.POWER not in found:
        raise AggregateError(f"{name}: expected a column {headers.POWER}, found {', '.join(found)}")
    applied = headers.APPLIED_FREQUENCY if headers.APPLIED_FREQUENCY in found else headers.GRID_FREQUENCY
    power_w = _numbers(found[headers.POWER]) * headers.MEGA
    if headers.BASELINE in found:
        power_w = power_w - np.nan_to_num(_numbers(found[headers.BASELINE])) * headers.MEGA
    frequency_hz = _numbers(found[applied]) if applied in found else None
    capacity = found.get(header_for("Cap", name.product))
    noted = None if capacity is None or capacity.null_count == len(capacity) else float(_numbers(capacity)[0])
    capacity_w = noted * headers.MEGA if noted is not None and np.isfinite(noted) else None
    return HomeTrace(home, time_ms, power_w, frequency_hz, capacity_w)


def _numbers(column: Arrow) -> FloatArray:
    """Doubles, NaN where blank."""
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.float64)


def _stamps_ms(table: Arrow) -> FloatArray:
    """Parquet keeps times as such, in UTC."""
    arrow = import_module("pyarrow")
    stamps = table.column(headers.DATE_TIME).cast(arrow.timestamp("ms", tz="UTC"), safe=False)
    return np.asarray(stamps.cast(arrow.int64()).to_numpy(), dtype=np.float64)


def _times_ms(table: Arrow, name: LogName) -> FloatArray | None:
    """Times of the TSOs' form in UTC; nothing where one of them has another form, or none is there."""
    if headers.DATE_TIME not in table.column_names or table.num_rows == 0:
        return None
    texts = table.column(headers.DATE_TIME).combine_chunks()
    if texts.null_count:
        return None
    _, offsets, data = texts.buffers()
    ends = np.frombuffer(offsets, dtype=np.int32)[texts.offset : texts.offset + len(texts) + 1].astype(np.int64)
    raw = np.frombuffer(data, dtype=np.uint8)
    if np.any(np.diff(ends) != DATE_TIME_WIDTH):
        return None
    known = bytes(raw[ends[0] : ends[-1]])
    if _LAST.get("raw") == known:
        local_ms: FloatArray = _LAST["ms"]
    else:
        times = parse_times(Cells(raw, ends[:-1], ends[1:]))
        if times.wrong.any():
            return None
        local_ms = times.value_ms.astype(np.float64)
        _LAST.update(raw=known, ms=local_ms)
    offset_s = TIMEZONES[name.zone].utcoffset(None)
    return local_ms - (offset_s.total_seconds() * 1000 if offset_s else 0.0)


# Homes that log well have the same times, byte for byte: the last column that was parsed is kept.
_LAST: Final[dict[str, Arrow]] = {}


def _parquet() -> Arrow:
    return _needed("pyarrow.parquet")


def _needed(module: str) -> Arrow:
    try:
        return import_module(module)
    except ModuleNotFoundError as reason:
        raise AggregateError(
            "Parquet, and files with many homes, need pyarrow: install samspel-prequal[parquet]"
        ) from reason
