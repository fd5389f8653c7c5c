"""The invariants. Each looks at one stream of events, keeps only what it needs, and does no I/O.

`see` returns nothing where an event gives it nothing to judge, an empty text where what it holds is true, and else a
sentence about what is not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Protocol

from samspel_contract.simulation.checks_of_authority import (
    HigherRankKept,
    NothingWrittenAfterItsEnd,
    OlderEpochSilent,
    StopEndedByWhoMay,
)
from samspel_contract.simulation.checks_of_commands import (
    OneEndForEveryCommand,
    ReleasedWhenNobodyCommands,
    StopWithinItsBound,
)
from samspel_contract.simulation.checks_of_truth import (
    ChargeWindowKept,
    NoLimitPassedByTheBattery,
    RestsBeforeItReverses,
)
from samspel_contract.simulation.checks_of_writes import (
    NoLimitPassedOnTheWire,
    NothingStaleWritten,
    OnlyDeclaredRegisters,
    OnlyWhoMayCommand,
)
from samspel_contract.simulation.events import Event, Terms

__all__ = ["CHECKS", "Check", "all_checks", "name_of"]


class Check(Protocol):
    """One invariant over one run."""

    def see(self, event: Event) -> str | None:
        """The next event, in order."""
        ...


CHECKS: Sequence[Callable[[Terms], Check]] = (
    OnlyDeclaredRegisters,
    NoLimitPassedOnTheWire,
    NoLimitPassedByTheBattery,
    ChargeWindowKept,
    RestsBeforeItReverses,
    NothingStaleWritten,
    OnlyWhoMayCommand,
    HigherRankKept,
    OlderEpochSilent,
    NothingWrittenAfterItsEnd,
    StopWithinItsBound,
    StopEndedByWhoMay,
    ReleasedWhenNobodyCommands,
    OneEndForEveryCommand,
)


def all_checks(terms: Terms) -> list[Check]:
    """A fresh one of each."""
    return [make(terms) for make in CHECKS]


def name_of(check: Check) -> str:
    """`OnlyDeclaredRegisters` is `only_declared_registers`."""
    return _snake(type(check).__name__)


@cache
def _snake(name: str) -> str:
    """Asked for at every judgement of a long run."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
