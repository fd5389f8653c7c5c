"""What can go wrong, as one tree.

PrequalError
├── SignalError     a signal, a period or a product that does not exist, or a number out of its range
├── PlantError      a plant setting that is unknown or out of its range
├── SequenceStalled a flag-driven sequence waited too long for its flag
├── EvaluationError a log that is no answer to the test it is judged by
├── DesignError     an entity on paper, a size or a capability record that makes no sense
├── AggregateError  a folder of homes that cannot be put together
├── LogNameError    a file name that does not follow the grammar
└── LogError        a log that cannot be trusted; carries every problem with line and column
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from samspel_prequal.logs.problem import Problem

__all__ = [
    "AggregateError",
    "DesignError",
    "EvaluationError",
    "LogError",
    "LogNameError",
    "PlantError",
    "PrequalError",
    "SequenceStalled",
    "SignalError",
]


class PrequalError(Exception):
    """The root: whatever this distribution raises on purpose."""


class SignalError(PrequalError):
    """A signal was asked for that does not exist or cannot be made."""


class PlantError(PrequalError):
    """A plant was described in a way that makes no sense."""


class SequenceStalled(PrequalError):
    """A flag-driven test sequence waited for a flag that never came."""


class EvaluationError(PrequalError):
    """A log cannot be judged: it is no answer to the test that it is said to show."""


class DesignError(PrequalError):
    """An entity on paper, a fleet's size or a capability record makes no sense."""


class AggregateError(PrequalError):
    """A folder of homes cannot be put together to one entity."""


class LogNameError(PrequalError):
    """A log's file name does not follow the grammar of the requirements."""


class LogError(PrequalError):
    """A log cannot be trusted.

    `problems` holds every problem that was found, errors and defects, in the order of the file.
    """

    def __init__(self, path: str, problems: Sequence[Problem]) -> None:
        self.path = path
        self.problems = tuple(problems)
        super().__init__("\n".join([f"{path}: this log cannot be used:", *(f"  {item}" for item in problems)]))
