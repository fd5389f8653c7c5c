"""Reading the TSOs' CSV: whole or in pieces, with every problem by line and column."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from samspel_prequal.errors import LogError, LogNameError
from samspel_prequal.logs import columns
from samspel_prequal.logs.blocks import BLOCK_BYTES, Block, blocks
from samspel_prequal.logs.columns import Column, Kind
from samspel_prequal.logs.findings import Findings, first_row
from samspel_prequal.logs.judge import Rows, judge
from samspel_prequal.logs.layout import Layout, read_layout
from samspel_prequal.logs.log import Log, TextArray
from samspel_prequal.logs.name import TIMEZONES, LogName
from samspel_prequal.logs.parse import Cells, Numbers, parse_numbers, parse_times
from samspel_prequal.logs.problem import Problem
from samspel_prequal.product import Product
from samspel_prequal.rules import MIN_DECIMALS
from samspel_prequal.signals.signal import FloatArray

__all__ = ["Checked", "check_log", "check_text", "read_log", "stream_log"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Checked:
    """A file's problems, and its log unless one of them is an error."""

    path: str
    name: LogName | None
    log: Log | None
    problems: tuple[Problem, ...]

    @property
    def clean(self) -> bool:
        """Whether there is nothing at all to say."""
        return not self.problems


def check_log(path: str | Path, *, product: Product | None = None, rated_w: float | None = None) -> Checked:
    """Read a file and say everything that is wrong with it; never raises for what is inside the file.

    Args:
        path: a CSV file with a name of the requirements' form.
        product: what the log is taken for; another service in the name is an error.
        rated_w: the entity's rated power, which makes the checks of unit and resolution sharp.
    """
    with Path(path).open("rb") as stream:
        return check_text(stream, Path(path).name, product=product, rated_w=rated_w)


def check_text(
    stream: BinaryIO | bytes, file_name: str, *, product: Product | None = None, rated_w: float | None = None
) -> Checked:
    """The same for a stream, or bytes, under a file name."""
    findings = Findings()
    pieces = list(_pieces(BytesIO(stream) if isinstance(stream, bytes) else stream, file_name, findings, product))
    name = pieces[0].name if pieces else None
    log = None
    if name is not None and not findings.fatal:
        log = _join(name, pieces)
        line = np.concatenate([piece.line for piece in pieces])
        judge(log, name, Rows(line, pieces[0].column), findings, rated_w)
    return Checked(file_name, name, None if findings.fatal else log, findings.problems)


def read_log(path: str | Path, *, product: Product | None = None, rated_w: float | None = None) -> Log:
    """The log of a file that can be trusted; defects are forgiven (ask `check_log` for them).

    Raises:
        LogError: with every problem by line and column.
        FileNotFoundError: there is no such file.
    """
    checked = check_log(path, product=product, rated_w=rated_w)
    if checked.log is None:
        raise LogError(str(path), checked.problems)
    return checked.log


def stream_log(path: str | Path, *, product: Product | None = None, block_bytes: int = BLOCK_BYTES) -> Iterator[Log]:
    """A large file as logs of consecutive rows, a few megabytes at a time; `time_s` counts from the file's first row.

    What needs the whole file (gaps' share, resolution, unit) is not judged here.

    Raises:
        LogError: at the first block with an error.
    """
    findings = Findings()
    first_ms: int | None = None
    with Path(path).open("rb") as stream:
        for piece in _pieces(stream, Path(path).name, findings, product, block_bytes):
            if findings.fatal:
                break
            first_ms = int(piece.time_ms[0]) if first_ms is None and len(piece.time_ms) else first_ms
            if len(piece.time_ms):
                yield _join(piece.name, [piece], first_ms)
    if findings.fatal:
        raise LogError(str(path), findings.problems)


@dataclass(frozen=True, slots=True)
class _Piece:
    name: LogName
    column: dict[str, int]  # numbers, from 1, by header
    line: NDArray[np.int64]
    time_ms: NDArray[np.int64]
    values: dict[str, FloatArray]
    texts: dict[str, TextArray]


def _pieces(
    stream: BinaryIO, file_name: str, findings: Findings, product: Product | None, block_bytes: int = BLOCK_BYTES
) -> Iterator[_Piece]:
    name = _read_name(file_name, findings, product)
    if name is None:
        return
    layout = read_layout(stream.readline(), name.label, name.product, findings)
    if layout is None:
        return
    clock = _Clock(name)
    rows = 0
    for block in blocks(stream, layout.fields, findings, block_bytes):
        rows += len(block.line)
        yield _piece(name, layout, block, clock, findings)
    if rows == 0 and not findings.fatal:
        findings.error("no-data", "there is no row below the header", line=2)


def _read_name(file_name: str, findings: Findings, product: Product | None) -> LogName | None:
    try:
        name = LogName.parse(file_name)
    except LogNameError as reason:
        findings.error("file-name", str(reason))
        return None
    if product is not None and name.product is not product:
        findings.error(
            "service", f"expected a log of {product} ({product.service}), found {name.product.service} in the file name"
        )
    return name


class _Clock:
    """Turns the time column into milliseconds and sees that it only rises, from block to block."""

    def __init__(self, name: LogName) -> None:
        self._start_ms = round((name.start.replace(tzinfo=UTC) - EPOCH).total_seconds() * 1000)
        self._last_ms: int | None = None
        self._running: bool | None = None

    def read(self, cells: Cells, line: NDArray[np.int64], header: str, findings: Findings) -> NDArray[np.int64]:
        times = parse_times(cells)
        if times.wrong.all() and self._running is None and len(line):
            seconds = parse_numbers(cells)
            self._running = bool(seconds.plain.all()) and cells.end[0] - cells.start[0] < 12
        if self._running:
            return self._running_seconds(cells, line, header, findings)
        if times.wrong.any():
            row = first_row(times.wrong)
            found = cells.text(row)
            findings.error(
                "date",
                f"expected a time as YYYYMMDDThhmmss.nnn, found {found!r}",
                line=int(line[row]),
                column=1,
                header=header,
                count=int(times.wrong.sum()),
            )
            return times.value_ms
        self._ordered(times.value_ms, cells, line, header, findings)
        return times.value_ms

    def _running_seconds(
        self, cells: Cells, line: NDArray[np.int64], header: str, findings: Findings
    ) -> NDArray[np.int64]:
        findings.note(
            "running-seconds",
            "a running number of seconds, counted from the interval in the file name (TR 5.3)",
            line=2,
            column=1,
            count=0,
        )
        time_ms = self._start_ms + np.rint(parse_numbers(cells).value * 1000).astype(np.int64)
        self._ordered(time_ms, cells, line, header, findings)
        return time_ms

    def _ordered(
        self, time_ms: NDArray[np.int64], cells: Cells, line: NDArray[np.int64], header: str, findings: Findings
    ) -> None:
        if len(time_ms) == 0:
            return
        before = np.concatenate([[time_ms[0] - 1 if self._last_ms is None else self._last_ms], time_ms[:-1]])
        self._last_ms = int(time_ms[-1])
        for code, mask, what in (
            ("duplicate-time", time_ms == before, "expected each time once, found {!r} again; keep one of the rows"),
            (
                "time-order",
                time_ms < before,
                "expected rising times, found {!r} after a later one; sort the rows, or set the clock right",
            ),
        ):
            if mask.any():
                row = first_row(mask)
                findings.error(
                    code,
                    what.format(cells.text(row)),
                    line=int(line[row]),
                    column=1,
                    header=header,
                    count=int(mask.sum()),
                )


def _piece(name: LogName, layout: Layout, block: Block, clock: _Clock, findings: Findings) -> _Piece:
    time_ms = clock.read(block.column(0), block.line, layout.headers[0], findings)
    values: dict[str, FloatArray] = {}
    texts: dict[str, TextArray] = {}
    for at, column in layout.columns.items():
        cells = block.column(at)
        if column.kind is Kind.TEXT:
            texts[column.header] = cells.texts()
            continue
        numbers = parse_numbers(cells)
        _report_numbers(numbers, cells, block.line, at, layout.headers[at], column, findings)
        values[column.header] = numbers.value * column.scale
    return _Piece(name, layout.numbers, block.line, time_ms, values, texts)


def _report_numbers(
    numbers: Numbers, cells: Cells, line: NDArray[np.int64], at: int, header: str, column: Column, findings: Findings
) -> None:
    def place(mask: NDArray[np.bool_]) -> dict[str, int | str]:
        return {"line": int(line[first_row(mask)]), "column": at + 1, "header": header, "count": int(mask.sum())}

    if numbers.wrong.any():
        found = cells.text(first_row(numbers.wrong))
        findings.error("number", f"expected a number, found {found!r}; {_number_hint(found)}", **place(numbers.wrong))
    if column.kind is Kind.BINARY:
        odd = ~numbers.wrong & ~numbers.blank & (numbers.value != 0) & (numbers.value != 1)
        if odd.any():
            findings.error("binary", f"expected 0 or 1, found {cells.text(first_row(odd))!r}", **place(odd))
        return
    shaped = ~numbers.wrong & ~numbers.blank & ~numbers.plain
    if shaped.any():
        found = cells.text(first_row(shaped))
        findings.defect(
            "number-form", f"expected digits and a point, found {found!r}; no exponent, plus or space", **place(shaped)
        )
    few = numbers.plain & (numbers.decimals < MIN_DECIMALS)
    if few.any():
        found = cells.text(first_row(few))
        findings.defect("decimals", f"expected at least three decimals, found {found!r}", **place(few))


def _number_hint(found: str) -> str:
    if found.strip().casefold() in {"nan", "na", "n/a", "null", "none", "-", "inf", "-inf"}:
        return "what is not applicable stays blank, and a missing sample stays out"
    return (
        "write digits with a decimal point"
        if any(mark.isdigit() for mark in found)
        else "leave it blank or write a number"
    )


def _join(name: LogName, pieces: list[_Piece], first_ms: int | None = None) -> Log:
    time_ms = np.concatenate([piece.time_ms for piece in pieces])
    origin_ms = int(time_ms[0]) if first_ms is None else first_ms
    local = EPOCH + timedelta(milliseconds=origin_ms)
    start = local.replace(tzinfo=TIMEZONES[name.zone]).astimezone(UTC)
    values = {key: np.concatenate([piece.values[key] for piece in pieces]) for key in pieces[0].values}
    texts = {key: np.concatenate([piece.texts[key] for piece in pieces]) for key in pieces[0].texts}
    kept = {key: data for key, data in values.items() if key == columns.POWER or not np.isnan(data).all()}
    written = {key: data for key, data in texts.items() if (data != "").any()}
    return Log(
        name.resource,
        name.product,
        name.label,
        start,
        (time_ms - origin_ms) / 1000.0,
        kept,
        written,
        name.area,
        name.zone,
    )
