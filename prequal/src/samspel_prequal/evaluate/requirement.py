"""What is said about one requirement, and about all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

__all__ = ["Detail", "Requirement", "at_least", "at_most", "within", "worst"]

ROUNDING = 1e-9  # a value that meets its limit exactly passes, whatever the last digit
Detail = float | str | bool | None | Mapping[str, "Detail"] | Sequence["Detail"]


@dataclass(frozen=True, slots=True)
class Requirement:
    """One line of the pass/fail table.

    `margin` is in the unit of the value and above 0 where there is room. None means: not shown by these logs.
    """

    value: float | None
    limit: float | None
    margin: float | None
    passed: bool | None
    rule: str  # how it was measured, by name
    text: str  # for people
    details: Mapping[str, Detail] = field(default_factory=dict)

    def explained(self, **details: Detail) -> Requirement:
        """The same with more details."""
        return replace(self, details={**self.details, **details})


def at_least(value: float, limit: float, rule: str, text: str) -> Requirement:
    """A value that must reach its limit."""
    return Requirement(value, limit, value - limit, value >= limit - ROUNDING, rule, text)


def at_most(value: float, limit: float, rule: str, text: str) -> Requirement:
    """A value that must not exceed its limit."""
    return Requirement(value, limit, limit - value, value <= limit + ROUNDING, rule, text)


def within(value: float, low: float, high: float, rule: str, text: str) -> Requirement:
    """A value between two limits; the nearer one is named."""
    nearer = low if value - low < high - value else high
    margin = min(value - low, high - value)
    return Requirement(value, nearer, margin, margin >= -ROUNDING, rule, text, {"limits": (low, high)})


def worst(found: Iterable[Requirement]) -> Requirement | None:
    """The one that decides when several logs speak of the same requirement; None of none."""
    return min(found, key=_urgency, default=None)


def _urgency(one: Requirement) -> tuple[int, float]:
    """Failed before open before passed, then by margin."""
    return (False, None, True).index(one.passed), 0.0 if one.margin is None else one.margin
