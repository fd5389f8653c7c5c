"""What a device would show as a text or number of its identity: the words of a row."""

from __future__ import annotations

from samspel.registers.model import DataType, Register
from samspel.registers.raw import from_raw

__all__ = ["shown_words"]


def shown_words(row: Register, value: int | str) -> tuple[int, ...]:
    """The words by which a row says this. A number is raw; a text is one, a label, or a number with its scale."""
    if isinstance(value, int):
        return from_raw(row, value)
    if row.type is DataType.STRING:
        data = value.encode("ascii")[: 2 * row.count].ljust(2 * row.count, b"\0")
        return tuple(int.from_bytes(data[place : place + 2], "big") for place in range(0, len(data), 2))
    labelled = next((raw for raw, label in row.labels.items() if label == value), None)
    return from_raw(row, round(float(value) / row.scale) if labelled is None else labelled)
