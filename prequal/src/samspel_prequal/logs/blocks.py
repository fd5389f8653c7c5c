"""A file in blocks of whole lines, each block split into cells at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from samspel_prequal.logs.findings import Findings, first_row
from samspel_prequal.logs.parse import Cells

__all__ = ["BLOCK_BYTES", "Block", "blocks"]

BLOCK_BYTES: Final = 2 << 20
COMMA, RETURN, NEWLINE = 44, 13, 10
IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Block:
    """Rows with the right number of fields: cell bounds by row and column, and each row's line in the file."""

    data: NDArray[np.uint8]
    start: IntArray
    end: IntArray
    line: IntArray

    def column(self, number: int) -> Cells:
        """One column's cells."""
        return Cells(self.data, self.start[:, number], self.end[:, number])


def blocks(stream: BinaryIO, fields: int, findings: Findings, size: int = BLOCK_BYTES) -> Iterator[Block]:
    """Read the rows below the header; rows that cannot be split are reported and left out."""
    line = 2
    rest = b""
    while piece := stream.read(size):
        whole, newline, rest = (rest + piece).rpartition(b"\n")
        if newline:
            yield _split(whole + newline, line, fields, findings)
            line += whole.count(b"\n") + 1
    if rest and _whole(rest, line, fields, findings):
        yield _split(rest + b"\r\n", line, fields, findings)


def _split(text: bytes, first_line: int, fields: int, findings: Findings) -> Block:
    data = np.frombuffer(text, dtype=np.uint8)
    line_end = np.flatnonzero(data == NEWLINE)
    line_start = np.concatenate([[0], line_end[:-1] + 1])
    line = first_line + np.arange(len(line_end))
    returned = data[np.maximum(line_end - 1, 0)] == RETURN
    _report_bytes(data, line_end, line, returned, findings)
    line_end = line_end - returned
    commas = np.flatnonzero(data == COMMA)
    row_of_comma = np.searchsorted(line_end, commas, side="right")
    count = np.bincount(row_of_comma, minlength=len(line)) + 1
    good = count == fields
    _report_fields(data, line_start, line_end, line, count, fields, findings)
    inner = commas[good[row_of_comma]].reshape(int(good.sum()), fields - 1)
    start = np.column_stack([line_start[good], inner + 1])
    end = np.column_stack([inner, line_end[good]])
    return Block(data, start, end, line[good])


def _report_bytes(
    data: NDArray[np.uint8], line_end: IntArray, line: IntArray, returned: NDArray[np.bool_], findings: Findings
) -> None:
    if not returned.all():
        where = int(line[first_row(~returned)])
        count = int((~returned).sum())
        findings.defect(
            "newline", "expected CRLF at the end of the line, found LF alone; write CRLF", line=where, count=count
        )
    foreign = np.flatnonzero(data > 127)
    if len(foreign):
        row = int(np.searchsorted(line_end, foreign[0]))
        byte = int(data[foreign[0]])
        field = 1 + int((data[(line_end[row - 1] + 1 if row else 0) : foreign[0]] == COMMA).sum())
        findings.error(
            "not-ascii",
            f"expected ASCII, found byte 0x{byte:02x}; save the file as plain ASCII",
            line=int(line[row]),
            column=field,
        )


def _report_fields(
    data: NDArray[np.uint8],
    start: IntArray,
    end: IntArray,
    line: IntArray,
    count: IntArray,
    fields: int,
    findings: Findings,
) -> None:
    empty = end == start
    if empty.any():
        findings.defect(
            "blank-line", "a blank line; leave it out", line=int(line[first_row(empty)]), count=int(empty.sum())
        )
    wrong = (count != fields) & ~empty
    if not wrong.any():
        return
    row = first_row(wrong)
    text = bytes(data[start[row] : end[row]]).decode("ascii", "replace")
    message = (
        f"expected {fields} fields as in the header, found {int(count[row])}: {text[:60]!r}; {_hint(text, fields)}"
    )
    findings.error("fields", message, line=int(line[row]), count=int(wrong.sum()))


def _hint(text: str, fields: int) -> str:
    found = text.count(",") + 1
    if ";" in text or "\t" in text:
        return "the delimiter must be a comma"
    if '"' in text:
        return "do not quote fields"
    if found > fields + 1:
        return "this looks like decimal commas: write a point"
    return "a blank field keeps its comma"


def _whole(rest: bytes, line: int, fields: int, findings: Findings) -> bool:
    """Whether a last line without an end has all its fields; both cases are reported."""
    if rest.count(b",") + 1 == fields:
        message = "the last line has no CRLF, so its last number may be cut; copy the file again"
        findings.defect("truncated", message, line=line)
        return True
    shown = rest[-30:].decode("ascii", "replace")
    findings.error("truncated", f"the last line ends in the middle: {shown!r}; copy the file again", line=line)
    return False
