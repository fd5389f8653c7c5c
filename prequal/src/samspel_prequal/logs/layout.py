"""The header line: which column is what."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import Final

from samspel_prequal.logs import columns
from samspel_prequal.logs.columns import COLUMNS, DATE_TIME, Column, Need
from samspel_prequal.logs.findings import Findings
from samspel_prequal.logs.label import TestLabel
from samspel_prequal.product import Product, TestType

__all__ = ["BOM", "Layout", "read_layout"]

BOM: Final = b"\xef\xbb\xbf"
_DATA: Final = re.compile(r"[-+]?\d.*")


@dataclass(frozen=True, slots=True)
class Layout:
    """Known columns by their number, from 0; column 0 is the time. `fields` counts unknown ones too."""

    fields: int
    columns: dict[int, Column]
    headers: tuple[str, ...]

    @property
    def numbers(self) -> dict[str, int]:
        """Where each known column stands, from 1, by its header without suffix."""
        return {DATE_TIME: 1, **{column.header: at + 1 for at, column in self.columns.items()}}


def read_layout(line: bytes, label: TestLabel, product: Product, findings: Findings) -> Layout | None:
    """Understand the header line; None when nothing below it can be read."""
    if line.startswith((b"PK\x03\x04", b"\xff\xfe", b"\xfe\xff")) or b"\x00" in line:
        findings.error("not-text", "this is a workbook or UTF-16 text, not a CSV file; export it as plain ASCII CSV")
        return None
    if line.startswith(BOM):
        findings.defect("bom", "a byte order mark before the header; save as plain ASCII", line=1, column=1)
        line = line.removeprefix(BOM)
    if b"\n" in line and not line.endswith(b"\r\n"):
        findings.defect("newline", "expected CRLF at the end of the line, found LF alone; write CRLF", line=1)
    text = line.rstrip(b"\r\n").decode("ascii", "replace")
    names = text.split(",")
    if not _has_header(text, names, findings):
        return None
    layout = Layout(len(names), _known(names, label, findings), tuple(names))
    _require(layout, label, product, findings)
    return layout


def _has_header(text: str, names: list[str], findings: Findings) -> bool:
    if not text.strip():
        findings.error("empty", "the file is empty; expected a header line", line=1)
    elif "\r" in text:
        findings.error("newline", "lines end in CR alone; write CRLF", line=1)
    elif _DATA.fullmatch(names[0].strip()):
        findings.error(
            "no-header", f"expected the header DateTime,InsAcPow,…, found data: {text[:40]!r}", line=1, column=1
        )
    elif len(names) == 1 and (other := next((mark for mark in ";\t|" if mark in text), "")):
        findings.error(
            "delimiter",
            f"expected fields separated by a comma, found {other!r}; write commas and decimal points",
            line=1,
        )
    elif not names[0].startswith(DATE_TIME):
        findings.error("no-time", f"expected DateTime as the first column, found {names[0]!r}", line=1, column=1)
    else:
        return True
    return False


def _known(names: list[str], label: TestLabel, findings: Findings) -> dict[int, Column]:
    found: dict[int, Column] = {}
    seen: dict[str, int] = {}
    for at, name in enumerate(names):
        stem = _without_suffix(name, at, label, findings)
        if stem in seen:
            findings.error(
                "duplicate-header",
                f"the column stands twice, first as column {seen[stem] + 1}",
                line=1,
                column=at + 1,
                header=name,
            )
        seen.setdefault(stem, at)
        if at and stem in COLUMNS:
            found[at] = COLUMNS[stem]
        elif at:
            _report_unknown(name, stem, at, findings)
    return found


def _without_suffix(name: str, at: int, label: TestLabel, findings: Findings) -> str:
    """The header without a sine's period; a wrong or missing period is reported once, at the first column."""
    match = re.fullmatch(r"(.*?)(\d+(?:[.]\d+)?)?", name)
    stem, suffix = (match[1], match[2] or "") if match else (name, "")
    if at == 0 and suffix != label.suffix:
        expected = f"DateTime{label.suffix}"
        message = f"expected {expected}, found {name!r}: a sine's period, and nothing else, ends every header"
        if suffix and label.suffix:
            findings.error(
                "header-suffix", f"{message}; the file name and the headers are of different sines", line=1, column=1
            )
        else:
            findings.defect("header-suffix", message, line=1, column=1)
    return stem


def _report_unknown(name: str, stem: str, at: int, findings: Findings) -> None:
    close = difflib.get_close_matches(
        stem.strip("[] ").casefold(), [header.casefold() for header in COLUMNS], n=1, cutoff=0.75
    )
    meant = next((header for header in COLUMNS if close and header.casefold() == close[0]), "")
    advice = f"did you mean {meant}?" if meant else "it is not in the table of columns"
    findings.defect(
        "unknown-header", f"unknown column {name!r}, left out; {advice}", line=1, column=at + 1, header=name
    )


def _require(layout: Layout, label: TestLabel, product: Product, findings: Findings) -> None:
    present = {column.header for column in layout.columns.values()}
    if columns.POWER not in present:
        findings.error("missing-column", "no InsAcPow column: expected active power in MW", line=1)
    if not present & {columns.APPLIED_FREQUENCY, columns.GRID_FREQUENCY}:
        findings.error(
            "missing-column", "neither ApplFreqSig nor GridFreq: expected a frequency in Hz", line=1, header="frequency"
        )
    absent = [name for name in _due(label, product) if name not in present and name != columns.POWER]
    if absent:
        findings.defect("absent-columns", f"columns that this kind of log must have: {', '.join(absent)}", line=1)


def _due(label: TestLabel, product: Product) -> list[str]:
    """What must be there; a limited reservoir's columns are known to be due in its own test alone."""
    operation = label.test_type is TestType.OPERATION
    needs = [(column, column.operation if operation else column.test) for column in COLUMNS.values()]
    return [
        column.header
        for column, need in needs
        if need is Need.MUST
        and column.product in {None, product}
        and (not column.limited_reservoir or label.test_type is TestType.ENERGY)
    ]
