"""A command that passed admission."""

from __future__ import annotations

from dataclasses import dataclass

from samspel.contract.command import Command, Rank

__all__ = ["Admitted"]


@dataclass(frozen=True, slots=True)
class Admitted:
    """A command that may act until `deadline` (monotonic seconds; infinite for stop and release).

    `age_s` is the upper bound of its age on receipt by which it was judged.
    """

    command: Command
    rank: Rank
    received_at: float
    admitted_at: float
    deadline: float
    age_s: float
