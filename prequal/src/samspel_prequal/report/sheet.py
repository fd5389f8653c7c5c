"""Text, tables and pictures on A4 pages, from the top down: the little typesetting that a report needs.

Positions and widths are in millimetres from the upper left corner, sizes of type in points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.textpath import text_to_path

from samspel_prequal.plots import Picture
from samspel_prequal.plots.style import BLACK, GREY, WIDTH_IN, looking

__all__ = ["LEFT_MM", "WIDTH_MM", "Cell", "Sheet", "wrapped"]

INCH_MM: Final = 25.4
POINT_MM: Final = INCH_MM / 72
PAGE_MM: Final = (210.0, 297.0)
WIDTH_MM: Final = WIDTH_IN * INCH_MM
LEFT_MM: Final = (PAGE_MM[0] - WIDTH_MM) / 2
TOP_MM: Final = 16.0
BOTTOM_MM: Final = 281.0
LEADING: Final = 1.32  # line height, of the size of type
CELL_GAP_MM: Final = 2.0
SIZE: Final = 8.5


@dataclass(frozen=True, slots=True)
class Cell:
    """Text in one column of a table row."""

    text: str
    width_mm: float
    bold: bool = False
    color: str = BLACK
    size: float = 7.5


class Sheet:
    """Writes downwards and turns the page when one is full.

    Args:
        pdf: where finished pages go.
        footer: what stands at the foot of every page, beside its number.
    """

    def __init__(self, pdf: PdfPages, footer: str) -> None:
        self._pdf = pdf
        self._footer = footer
        self._number = 0
        self._page = self._blank()
        self._y_mm = TOP_MM

    def text(
        self, text: str, *, size: float = SIZE, bold: bool = False, color: str = BLACK, indent_mm: float = 0
    ) -> None:
        """A paragraph."""
        for line in wrapped(text, WIDTH_MM - indent_mm, size, bold):
            self._need(_line_mm(size))
            self._put(line, LEFT_MM + indent_mm, self._y_mm, size, bold, color)
            self._y_mm += _line_mm(size)
        self.skip(0.8)

    def heading(self, text: str, size: float = 11.0) -> None:
        """A heading, which does not stay alone at the foot of a page."""
        self.skip(2.5)
        self._need(_line_mm(size) * 4)
        self.text(text, size=size, bold=True)

    def row(self, cells: Sequence[Cell], *, line: float = 0.4) -> None:
        """One row of a table, with a line of that width in points below it."""
        columns = [wrapped(cell.text, cell.width_mm - CELL_GAP_MM, cell.size, cell.bold) for cell in cells]
        height_mm = max(len(lines) * _line_mm(cell.size) for lines, cell in zip(columns, cells, strict=True)) + 1.4
        self._need(height_mm)
        x_mm = LEFT_MM
        for lines, cell in zip(columns, cells, strict=True):
            for number, text in enumerate(lines):
                self._put(text, x_mm, self._y_mm + number * _line_mm(cell.size), cell.size, cell.bold, cell.color)
            x_mm += cell.width_mm
        self._y_mm += height_mm
        self._line(self._y_mm - 0.7, line)

    def skip(self, height_mm: float) -> None:
        """Some white."""
        self._y_mm += height_mm

    def turn(self) -> None:
        """Go on with a new page."""
        self._end_page()
        self._page = self._blank()
        self._y_mm = TOP_MM

    def picture(self, picture: Picture, caption: str) -> None:
        """A picture at the width of the text, with its caption below, both on one page."""
        height_mm = picture.height_in * INCH_MM
        caption_mm = len(wrapped(caption, WIDTH_MM, 7.5, False)) * _line_mm(7.5)
        self._need(height_mm + caption_mm + 2.0)
        grid = self._page.add_gridspec(
            3,
            3,
            width_ratios=(LEFT_MM, WIDTH_MM, LEFT_MM),
            height_ratios=(self._y_mm, height_mm, PAGE_MM[1] - self._y_mm - height_mm),
        )
        picture.on(self._page.add_subfigure(grid[1, 1]))
        self.skip(height_mm + 0.5)
        self.text(caption, size=7.5, color="#444444")
        self.skip(3.0)

    def close(self) -> None:
        """Write the last page."""
        self._end_page()

    def _blank(self) -> Figure:
        engine = ConstrainedLayoutEngine(h_pad=0.03, w_pad=0.03, hspace=0, wspace=0)
        return Figure(figsize=(PAGE_MM[0] / INCH_MM, PAGE_MM[1] / INCH_MM), layout=engine)

    def _end_page(self) -> None:
        self._number += 1
        self._put(self._footer, LEFT_MM, PAGE_MM[1] - 11, 7, False, GREY)
        self._put(f"page {self._number}", LEFT_MM + WIDTH_MM - 12, PAGE_MM[1] - 11, 7, False, GREY)
        with looking():
            self._pdf.savefig(self._page)  # type: ignore[no-untyped-call]

    def _need(self, height_mm: float) -> None:
        if self._y_mm + height_mm > BOTTOM_MM and self._y_mm > TOP_MM:
            self.turn()

    def _put(self, text: str, x_mm: float, y_mm: float, size: float, bold: bool, color: str) -> None:
        self._page.text(
            x_mm / PAGE_MM[0], 1 - y_mm / PAGE_MM[1], text, va="top", color=color, parse_math=False,
            fontproperties=_font(size, bold),
        )  # fmt: skip

    def _line(self, y_mm: float, width: float) -> None:
        if width:
            ends, y = (LEFT_MM / PAGE_MM[0], (LEFT_MM + WIDTH_MM) / PAGE_MM[0]), 1 - y_mm / PAGE_MM[1]
            self._page.add_artist(Line2D(ends, (y, y), linewidth=width, color=GREY))


def wrapped(text: str, width_mm: float, size: float, bold: bool) -> list[str]:
    """The lines of a paragraph; a word that is too long for a line is broken, at hyphens where that is enough."""
    lines = [""]
    for word in text.split():
        whole = _width_mm(word, size, bold) <= width_mm
        for number, piece in enumerate([word] if whole else _pieces(word, width_mm, size, bold)):
            longer = lines[-1] + ("" if number or not lines[-1] else " ") + piece
            if _width_mm(longer, size, bold) <= width_mm:
                lines[-1] = longer
            else:
                lines.append(piece)
    return lines


def _pieces(word: str, width_mm: float, size: float, bold: bool) -> list[str]:
    parts = word.replace("-", "-\n").split("\n")
    if all(_width_mm(part, size, bold) <= width_mm for part in parts):
        return parts
    fitting = max(int(len(word) * width_mm / _width_mm(word, size, bold) * 0.95), 1)
    return [word[start : start + fitting] for start in range(0, len(word), fitting)]


@lru_cache(maxsize=4096)
def _width_mm(text: str, size: float, bold: bool) -> float:
    width, _, _ = text_to_path.get_text_width_height_descent(text, _font(size, bold), ismath=False)
    return float(width) * POINT_MM


@lru_cache(maxsize=32)
def _font(size: float, bold: bool) -> FontProperties:
    return FontProperties(family="DejaVu Sans", size=size, weight="bold" if bold else "normal")


def _line_mm(size: float) -> float:
    return size * LEADING * POINT_MM
