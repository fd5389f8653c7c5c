"""Cells to numbers and times, a whole column at once.

A column arrives as the block's bytes and each cell's first and last position. Numbers come out as Python's `float`
would read them, to the last bit: digits gather in an integer, and one division by a power of ten rounds once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import isfinite
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from samspel_prequal.signals.signal import FloatArray

__all__ = ["Cells", "Numbers", "Times", "parse_numbers", "parse_times"]

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
DATE_TIME_WIDTH: Final = 19
EXACT_DIGITS: Final = 15  # an integer of so many digits, and its power of ten, are exact doubles
WIDEST: Final = 40
_POWER_OF_TEN: Final = np.array([float(10**n) for n in range(EXACT_DIGITS + 1)])
_ANY_NUMBER: Final = re.compile(rb"\s*[+-]?(?:\d+[.]?\d*|[.]\d+)(?:[eE][+-]?\d+)?\s*")
_DIGIT_AT: Final = np.array([0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 16, 17, 18])
_MAX_DAY: Final = np.array([31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])


@dataclass(frozen=True, slots=True)
class Cells:
    """One column of a block: its bytes, and where every cell begins and ends."""

    data: NDArray[np.uint8]
    start: IntArray
    end: IntArray

    def text(self, row: int) -> str:
        """One cell as it stands, for a message."""
        return bytes(self.data[self.start[row] : self.end[row]]).decode("ascii", "replace")

    def raw(self, row: int) -> bytes:
        """One cell's bytes."""
        return bytes(self.data[self.start[row] : self.end[row]])

    def matrix(self) -> NDArray[np.uint8]:
        """A row of bytes a cell, filled up with zeros; cells beyond 40 bytes are cut."""
        width = self.end - self.start
        widest = int(min(max(width.max(initial=1), 1), WIDEST))
        missing = int(self.start.max(initial=0)) + widest - len(self.data)
        data = np.pad(self.data, (0, missing)) if missing > 0 else self.data
        matrix = sliding_window_view(data, widest)[self.start]
        return np.asarray(matrix * (np.arange(widest) < width[:, None]), dtype=np.uint8)

    def texts(self) -> NDArray[np.str_]:
        """The cells as text; what is not ASCII, and reported elsewhere, is a question mark."""
        matrix = self.matrix()
        matrix = np.ascontiguousarray(np.where(matrix > 127, np.uint8(63), matrix))
        return matrix.view(f"S{matrix.shape[1]}").ravel().astype(np.str_)


@dataclass(frozen=True, slots=True)
class Numbers:
    """A column of numbers: NaN where blank or wrong."""

    value: FloatArray
    blank: BoolArray
    wrong: BoolArray
    plain: BoolArray  # an optional minus, digits, and a point with digits; nothing else
    decimals: IntArray


@dataclass(frozen=True, slots=True)
class Times:
    """A column of times: milliseconds since 1970 in the log's own timezone, 0 where wrong."""

    value_ms: IntArray
    wrong: BoolArray


def parse_numbers(cells: Cells) -> Numbers:
    """Read a column of decimal numbers."""
    width = cells.end - cells.start
    if not width.any():
        return _all_blank(len(width))
    matrix = cells.matrix()
    digit = (matrix - np.uint8(48)) < 10
    point = matrix == 46
    negative = matrix[:, 0] == 45
    digits, points = digit.sum(axis=1), point.sum(axis=1)
    plain = (digits + points + negative == width) & (points <= 1) & (digits > 0)
    decimals = np.where(points == 1, width - 1 - point.argmax(axis=1), 0)
    exact = plain & (digits <= EXACT_DIGITS)
    value = _scaled(matrix, digit, np.where(exact, decimals, 0))
    value = np.where(exact, np.where(negative, -value, value), np.nan)
    blank = width == 0
    wrong = ~exact & ~blank
    for row in np.flatnonzero(wrong):  # long, exponent, spaces: rare, and read one by one
        if _ANY_NUMBER.fullmatch(cells.raw(int(row))) and isfinite(number := float(cells.text(int(row)))):
            value[row], wrong[row] = number, False
    return Numbers(value, blank, wrong, plain, decimals)


def _all_blank(rows: int) -> Numbers:
    """What a column that does not apply looks like, at no cost."""
    no = np.zeros(rows, dtype=np.bool_)
    return Numbers(np.full(rows, np.nan), ~no, no, no, np.zeros(rows, dtype=np.int64))


def _scaled(matrix: NDArray[np.uint8], digit: BoolArray, decimals: IntArray) -> FloatArray:
    whole = np.zeros(len(matrix), dtype=np.int64)
    for column in range(matrix.shape[1]):
        here = digit[:, column]
        whole = np.where(here, whole * 10 + (matrix[:, column] - 48), whole)
    return np.asarray(whole / _POWER_OF_TEN[decimals], dtype=np.float64)


def parse_times(cells: Cells) -> Times:
    """Read a column of `YYYYMMDDThhmmss.nnn`."""
    fits = cells.end - cells.start == DATE_TIME_WIDTH
    matrix = cells.matrix()
    if matrix.shape[1] < DATE_TIME_WIDTH:
        matrix = np.pad(matrix, ((0, 0), (0, DATE_TIME_WIDTH - matrix.shape[1])))
    digits = matrix[:, _DIGIT_AT] - np.uint8(48)
    fits &= (digits < 10).all(axis=1) & (matrix[:, 8] == ord("T")) & (matrix[:, 15] == ord("."))
    number = digits.astype(np.int64)
    year, month, day = _join(number[:, 0:4]), _join(number[:, 4:6]), _join(number[:, 6:8])
    hour, minute, second = _join(number[:, 8:10]), _join(number[:, 10:12]), _join(number[:, 12:14])
    fits &= _exists(year, month, day) & (hour < 24) & (minute < 60) & (second < 60)
    seconds = _days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second
    return Times(np.where(fits, seconds * 1000 + _join(number[:, 14:17]), 0), ~fits)


def _join(digits: IntArray) -> IntArray:
    whole = digits[:, 0]
    for column in range(1, digits.shape[1]):
        whole = whole * 10 + digits[:, column]
    return whole


def _exists(year: IntArray, month: IntArray, day: IntArray) -> BoolArray:
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    longest = _MAX_DAY[np.clip(month, 1, 12) - 1] - ((month == 2) & ~leap)
    return np.asarray((month >= 1) & (month <= 12) & (day >= 1) & (day <= longest), dtype=np.bool_)


def _days(year: IntArray, month: IntArray, day: IntArray) -> IntArray:
    """Days since 1970-01-01, with the year begun in March so that the leap day comes last."""
    moved = year - (month <= 2)
    era, of_era = moved // 400, moved % 400
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468
