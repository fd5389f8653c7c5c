"""Time-of-use slots: seven for charging, seven for discharging, each with days and percent of rated power.

A slot starts with its first minute and is over when the inverter's clock shows its end; one whose end is not
after its start is never active, so that none runs across midnight.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from samspel_sim.bank import Bank

_SLOTS = range(1, 8)


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot in force."""

    charge: bool
    number: int
    percent: int


def active(bank: Bank, now: datetime) -> Slot | None:
    """The slot in force; charging comes first (assumed), then the lower number."""
    return _first(bank, "charge", now) or _first(bank, "discharge", now)


def _first(bank: Bank, side: str, now: datetime) -> Slot | None:
    enabled = bank.raw(f"{side}_slots_enable")
    minute = now.hour * 60 + now.minute
    for number in (one for one in _SLOTS if enabled >> one - 1 & 1):
        days, percent = divmod(bank.raw(f"{side}_slot{number}_days_power"), 256)
        start, end = (_minute(bank.raw(f"{side}_slot{number}_{edge}")) for edge in ("start", "end"))
        if days >> now.weekday() & 1 and start <= minute < end:
            return Slot(side == "charge", number, percent)
    return None


def _minute(packed: int) -> int:
    hour, minute = divmod(packed, 256)
    return hour * 60 + minute
