"""Collects problems: one entry for each kind and column, with the first place and a count."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from samspel_prequal.logs.problem import Problem, Severity

__all__ = ["Findings"]


@dataclass(slots=True)
class Findings:
    """What is wrong with one file so far."""

    _found: dict[tuple[str, str], Problem] = field(default_factory=dict)

    def add(self, problem: Problem) -> None:
        """Take note; the same kind in the same column again only counts."""
        key = (problem.code, problem.header)
        before = self._found.get(key)
        self._found[key] = replace(before, count=before.count + problem.count) if before else problem

    def error(self, code: str, message: str, **place: int | str) -> None:
        """Something that makes the log unreadable."""
        self.add(Problem(code, Severity.ERROR, message, **place))  # type: ignore[arg-type]

    def defect(self, code: str, message: str, **place: int | str) -> None:
        """Something that the TSO may send the log back for."""
        self.add(Problem(code, Severity.DEFECT, message, **place))  # type: ignore[arg-type]

    def note(self, code: str, message: str, **place: int | str) -> None:
        """Something allowed and worth knowing."""
        self.add(Problem(code, Severity.NOTE, message, **place))  # type: ignore[arg-type]

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Errors first, then by place."""
        order = list(Severity)
        return tuple(
            sorted(self._found.values(), key=lambda item: (order.index(item.severity), item.line, item.column))
        )

    @property
    def fatal(self) -> bool:
        """Whether there is an error among them."""
        return any(item.severity is Severity.ERROR for item in self._found.values())


def first_row(mask: NDArray[np.bool_]) -> int:
    """The first row of a mask that is not empty."""
    return int(np.argmax(mask))
