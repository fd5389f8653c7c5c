"""How long this battery really takes, learned from the commands that it followed.

Learned is 1.25 times the second longest of the last 20 answers, so that one odd one moves nothing; it counts from the
8th on. Until then the route's declared latency stands, and 30 s where none is declared. A learned latency may be
shorter than the declared one, but never more than four times as long: a battery that gets slower and slower has to be
noticed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from samspel.contract.capability import Direction
from samspel.contract.driver import Json

__all__ = ["UNKNOWN_LATENCY_S", "Latencies", "Sample", "answered"]

UNKNOWN_LATENCY_S = 30.0
"""How long a battery may take to follow where no route says it."""

KEPT, ENOUGH = 20, 8
MARGIN = 1.25
FLOOR_S = 3.0
MOST_TIMES = 4.0
STEP_W = 500.0
"""A smaller step is in tolerance too soon to tell how fast the battery is."""


@dataclass(frozen=True, slots=True)
class Latencies:
    """The last answers of each direction, in seconds from the write to 90 % of the way, oldest first."""

    answers: Mapping[Direction, tuple[float, ...]] = field(default_factory=dict)

    def add(self, direction: Direction, seconds: float) -> Latencies:
        """With one more answer."""
        kept = (*self.answers.get(direction, ()), round(seconds, 2))[-KEPT:]
        return Latencies({**self.answers, direction: kept})

    def patience_s(self, direction: Direction, declared_s: float | None) -> float:
        """How long the battery may take: learned, else declared, else `UNKNOWN_LATENCY_S`."""
        stated_s = UNKNOWN_LATENCY_S if declared_s is None else declared_s
        learned_s = self.learned_s(direction)
        return stated_s if learned_s is None else min(learned_s, MOST_TIMES * stated_s)

    def learned_s(self, direction: Direction) -> float | None:
        """What was learned; nothing before there are enough answers."""
        answers = self.answers.get(direction, ())
        if len(answers) < ENOUGH:
            return None
        return round(max(FLOOR_S, MARGIN * sorted(answers)[-2]), 1)

    def learned(self) -> dict[str, float]:
        """Direction to seconds, for the birth message."""
        found = {direction.value: self.learned_s(direction) for direction in Direction}
        return {name: seconds for name, seconds in found.items() if seconds is not None}

    def to_json(self) -> dict[str, Json]:
        """For the journal."""
        return {direction.value: [*answers] for direction, answers in self.answers.items()}

    @classmethod
    def from_json(cls, document: Mapping[str, object]) -> Latencies:
        """What `to_json` gave; anything else in it is left out."""
        known = {direction.value: direction for direction in Direction}
        return cls({known[name]: _numbers(answers) for name, answers in document.items() if name in known})


def _numbers(answers: object) -> tuple[float, ...]:
    if not isinstance(answers, list):
        return ()
    return tuple(float(one) for one in answers if isinstance(one, int | float) and 0 <= one < 3600)[-KEPT:]


@dataclass(frozen=True, slots=True)
class Sample:
    """A step that the battery has not answered yet: since when, where from and where to, in W."""

    at: float
    from_w: float
    target_w: float
    answered: bool = False

    @property
    def tells(self) -> bool:
        """Whether it is large enough to learn from."""
        return abs(self.target_w - self.from_w) >= STEP_W and not self.answered


def answered(sample: Sample, at: float, battery_w: float) -> tuple[Sample, float | None]:
    """Whether the battery has come 90 % of the way with this reading; then also after how many seconds."""
    way_w = sample.target_w - sample.from_w
    if not sample.tells or at <= sample.at or abs(sample.target_w - battery_w) > 0.1 * abs(way_w):
        return sample, None
    return replace(sample, answered=True), at - sample.at
