"""The inverter's own clock: four words of plain binary bytes, at 0x4000 to read and at 0x8020 to set."""

from __future__ import annotations

from datetime import UTC, datetime

from samspel_sim.registers import Words


def words_of(moment: datetime) -> Words:
    """Year; month and day; hour and minute; second and a reserved byte."""
    return (
        moment.year,
        moment.month << 8 | moment.day,
        moment.hour << 8 | moment.minute,
        moment.second << 8,
    )


def moment_of(words: Words) -> datetime:
    """The moment that four words mean. ValueError when there is no such moment."""
    year, day, minute, second = words
    return datetime(year, day >> 8, day & 0xFF, minute >> 8, minute & 0xFF, second >> 8, tzinfo=UTC)
