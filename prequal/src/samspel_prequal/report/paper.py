"""The report as a PDF of A4 pages, for printing and for sending along with an application."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from matplotlib.backends.backend_pdf import PdfPages

from samspel_prequal.plots.style import BLACK, GREEN, GREY, VERMILLION, looking
from samspel_prequal.report.content import Report, Row, Section
from samspel_prequal.report.sheet import Cell, Sheet

__all__ = ["write_pdf"]

_COLORS: Final = {"pass": "#00694c", "fail": "#a83d00", "reduced": "#7a5500", "open": GREY}
_HEADLINE_COLORS: Final = {"pass": "#00694c", "pass-reduced": "#7a5500", "fail": "#a83d00", "incomplete": GREY}
_MARKS: Final = {True: ("pass", GREEN), False: ("FAIL", VERMILLION)}


def write_pdf(report: Report, path: str | Path) -> None:
    """Write the document; its date is the report's, so the same report gives the same pages."""
    about = {"Title": report.title, "Creator": "samspel-prequal", "CreationDate": report.created}
    with looking(), PdfPages(path, metadata=about) as pdf:
        sheet = Sheet(pdf, report.title)
        _front(sheet, report)
        for number, section in enumerate(report.sections):
            if number:
                sheet.turn()
            _section(sheet, section)
        sheet.heading("Made with")
        sheet.text(" · ".join(f"{name} {what}" for name, what in report.versions))
        sheet.text("A TSO alone prequalifies. This report says what the requirements' figures say about these logs.")
        sheet.close()


def _front(sheet: Sheet, report: Report) -> None:
    sheet.text(report.title, size=15, bold=True)
    sheet.text(f"{report.created:%Y-%m-%d %H:%M %Z} · figures of {report.versions[0][1]}", color=GREY)
    for section in report.sections:
        sheet.text(f"{section.name} {section.headline}", bold=True, color=_HEADLINE_COLORS[section.look])


def _section(sheet: Sheet, section: Section) -> None:
    sheet.heading(f"{section.name}: {section.headline}", 12.5)
    _list(sheet, "What to change to pass", section.advice)
    sheet.heading("Requirements")
    _requirement_table(sheet, section)
    _list(sheet, "Warnings", section.verdict.warnings)
    if section.rule_rows:
        _rule_table(sheet, section)
    if section.verdict.sine:
        _sine_table(sheet, section)
    _assumption_table(sheet, section)
    _data_table(sheet, section)
    if section.plates:
        sheet.turn()
    for plate in section.plates:
        sheet.picture(plate.picture, f"{section.name}, {plate.title}. {plate.caption}")


def _list(sheet: Sheet, heading: str, lines: tuple[str, ...]) -> None:
    if lines:
        sheet.heading(heading)
    for line in lines:
        sheet.text(f"· {line}", indent_mm=2)


def _requirement_table(sheet: Sheet, section: Section) -> None:
    _head(sheet, ("No.", 23), ("Requirement", 64), ("Value", 25), ("Limit", 27), ("Margin", 21), ("Result", 14))
    for row in section.rows:
        sheet.row(_cells(row))
    sheet.text(f"Neither due nor shown for these logs: {section.not_applicable or 'none'}.", size=7.5, color=GREY)


def _cells(row: Row) -> list[Cell]:
    what = f"{row.title} ({row.clause}): {row.text}" if row.clause else f"{row.title}: {row.text}"
    what += f". {row.room[0].upper()}{row.room[1:]}" if row.room else ""
    what += f". Rule: {row.rule}" if row.rule else ""
    return [
        Cell(row.name, 23, bold=True),
        Cell(what, 64),
        Cell(row.value, 25),
        Cell(row.limit, 27),
        Cell(row.margin, 21),
        Cell(row.word, 14, bold=True, color=_COLORS[row.state]),
    ]


def _rule_table(sheet: Sheet, section: Section) -> None:
    sheet.heading("R8 under every reading of the text")
    _head(sheet, ("Rule", 52), ("Distance to -1", 30), ("Encirclements", 30), ("R8", 20), ("Role", 42))
    for row in section.rule_rows:
        word, color = _MARKS[row.passed]
        sheet.row(
            [
                Cell(row.rule, 52),
                Cell(row.distance, 30),
                Cell(str(row.turns), 30),
                Cell(word, 20, bold=True, color=color),
                Cell(row.role, 42),
            ]
        )


def _sine_table(sheet: Sheet, section: Section) -> None:
    sheet.heading("F at the tested periods")
    _head(
        sheet,
        ("T [s]", 16),
        ("Gain", 20),
        ("95 % interval", 40),
        ("Phase [°]", 22),
        ("95 % interval", 40),
        ("Residual", 22),
    )
    for point in section.verdict.sine:
        texts = (
            (f"{point.period_s:g}", 16),
            (f"{point.gain:.4f}", 20),
            (f"{point.gain_ci[0]:.4f} to {point.gain_ci[1]:.4f}", 40),
            (f"{point.phase_deg:.2f}", 22),
            (f"{point.phase_ci[0]:.2f} to {point.phase_ci[1]:.2f}", 40),
            (f"{point.residual:.4f}", 22),
        )
        sheet.row([Cell(text, width) for text, width in texts])


def _assumption_table(sheet: Sheet, section: Section) -> None:
    sheet.heading("What is assumption")
    _head(sheet, ("About", 48), ("Taken", 48), ("Ground", 18), ("Why", 60))
    for one in section.assumptions:
        sheet.row([Cell(one.about, 48), Cell(one.taken, 48), Cell(one.ground.value, 18), Cell(one.why, 60)])


def _data_table(sheet: Sheet, section: Section) -> None:
    sheet.heading("Data")
    _head(sheet, ("File and SHA-256", 142), ("Samples", 16), ("Bytes", 16))
    for source in section.sources:
        said = " ".join((source.name, source.sha256, *source.remarks))
        sheet.row([Cell(said, 142, size=6.8), Cell(str(source.samples), 16), Cell(str(source.size_bytes), 16)])
    if not section.sources:
        sheet.text("no files: the logs came from memory", size=7.5, color=BLACK)


def _head(sheet: Sheet, *columns: tuple[str, float]) -> None:
    sheet.row([Cell(text, width, bold=True) for text, width in columns], line=1.0)
