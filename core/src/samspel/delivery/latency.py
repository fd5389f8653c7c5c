"""How long this battery really takes, learned from the commands that it followed.

Learned is 1.25 times the second longest of the last 20 answers, so that one odd one moves nothing; it counts from the
8th on. Until then the route's declared latency stands, and 30 s where none is declared. A learned latency may be
shorter than the declared one, but never more than four times as long: a battery that gets slower and slower has to be
noticed.

What was learned holds for ways up to 1.25 times the 8th longest that taught it; a longer one has at least the declared
latency, unless the route states that the power steps. A battery on a ramp needs the longer the farther it has to go.
Its time for a longer way could be scaled up from the shorter ones instead; but that is a guess where the shape of the
ramp is unknown, and the declared latency is already the promise for any step.

An answer teaches only if it tells of the battery alone: not across a lost link, a repetition of the write, a release,
the rest before a reversal, or a deviation other than being slow; and none is waited for longer than four times the
declared latency.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from samspel.contract.capability import Direction, Ramp
from samspel.contract.driver import Json
from samspel.delivery.verdict import REST_W

__all__ = ["NO_SAMPLE", "UNKNOWN_LATENCY_S", "Answer", "Latencies", "Patience", "Sample", "answered"]

UNKNOWN_LATENCY_S = 30.0
"""How long a battery may take to follow where no route says it."""

KEPT, ENOUGH = 20, 8
MARGIN = 1.25
FLOOR_S = 3.0
MOST_TIMES = 4.0
STEP_W = 500.0
"""A smaller step is in tolerance too soon to tell how fast the battery is."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A step that the battery followed: seconds from the write to 90 % of the way, and the way in W."""

    seconds: float
    way_w: float


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a battery may take: `learned_s` for a way up to `known_w` (W), for a longer one at least `stated_s`."""

    learned_s: float
    known_w: float = math.inf
    stated_s: float = 0.0

    def for_way(self, way_w: float) -> float:
        """Seconds for a step of so many W."""
        return self.learned_s if way_w <= self.known_w else max(self.learned_s, self.stated_s)


@dataclass(frozen=True, slots=True)
class Latencies:
    """The last answers of each direction, oldest first."""

    answers: Mapping[Direction, tuple[Answer, ...]] = field(default_factory=dict)

    def add(self, direction: Direction, answer: Answer) -> Latencies:
        """With one more answer."""
        rounded = Answer(round(answer.seconds, 2), round(answer.way_w, 1))
        return Latencies({**self.answers, direction: (*self.answers.get(direction, ()), rounded)[-KEPT:]})

    def patience(self, direction: Direction, declared_s: float | None = None, ramp: Ramp = Ramp.UNKNOWN) -> Patience:
        """How long the battery may take: learned, else declared, else `UNKNOWN_LATENCY_S`."""
        stated_s, learned_s = _stated_s(declared_s), self.learned_s(direction)
        if learned_s is None:
            return Patience(stated_s)
        known_w = math.inf if ramp is Ramp.STEP else self._known_w(direction)
        return Patience(min(learned_s, MOST_TIMES * stated_s), known_w, stated_s)

    def _known_w(self, direction: Direction) -> float:
        """The longest way that enough answers tell of; a margin in time is as much in way where the ramp is linear."""
        ways_w = sorted((answer.way_w for answer in self.answers.get(direction, ())), reverse=True)
        return MARGIN * ways_w[ENOUGH - 1]

    def learned_s(self, direction: Direction) -> float | None:
        """What was learned; nothing before there are enough answers."""
        answers = self.answers.get(direction, ())
        if len(answers) < ENOUGH:
            return None
        return round(max(FLOOR_S, MARGIN * sorted(answer.seconds for answer in answers)[-2]), 1)

    def learned(self) -> dict[str, float]:
        """Direction to seconds, for the birth message."""
        found = {direction.value: self.learned_s(direction) for direction in Direction}
        return {name: seconds for name, seconds in found.items() if seconds is not None}

    def to_json(self) -> dict[str, Json]:
        """For the journal."""
        return {way.value: [[one.seconds, one.way_w] for one in answers] for way, answers in self.answers.items()}

    @classmethod
    def from_json(cls, document: Mapping[str, object]) -> Latencies:
        """What `to_json` gave; anything else in it is left out."""
        known = {direction.value: direction for direction in Direction}
        return cls({known[name]: _answers(answers) for name, answers in document.items() if name in known})


def _answers(document: object) -> tuple[Answer, ...]:
    found = (_answer(one) for one in document) if isinstance(document, list) else ()
    return tuple(answer for answer in found if answer is not None)[-KEPT:]


def _answer(document: object) -> Answer | None:
    match document:
        case [int() | float() as seconds, int() | float() as way_w] if 0 <= seconds < 3600 and 0 <= way_w < math.inf:
            return Answer(float(seconds), float(way_w))
    return None


def _stated_s(declared_s: float | None) -> float:
    return UNKNOWN_LATENCY_S if declared_s is None else declared_s


@dataclass(frozen=True, slots=True)
class Sample:
    """A step that the battery has not answered yet: since when, where from and where to, in W.

    `over`: it was answered, or can teach nothing any more.
    """

    at: float
    from_w: float
    target_w: float
    over: bool = False

    @property
    def way_w(self) -> float:
        """How far the battery has to go."""
        return abs(self.target_w - self.from_w)

    @property
    def reverses(self) -> bool:
        """Whether the battery was at work the other way."""
        return self.from_w * self.target_w < 0 and abs(self.from_w) > REST_W

    def ended(self) -> Sample:
        """Nothing is learned from it (any more)."""
        return replace(self, over=True)


NO_SAMPLE = Sample(-math.inf, 0.0, math.nan, over=True)
"""While nothing is commanded: every target is a new one."""


def answered(sample: Sample, at: float, battery_w: float, declared_s: float | None) -> tuple[Sample, Answer | None]:
    """Whether the battery has come 90 % of the way with this reading; then the answer, if it teaches something."""
    if sample.over or at <= sample.at:
        return sample, None
    if sample.way_w < STEP_W or at - sample.at > MOST_TIMES * _stated_s(declared_s):
        return sample.ended(), None
    if abs(sample.target_w - battery_w) > 0.1 * sample.way_w:
        return sample, None
    return sample.ended(), Answer(at - sample.at, sample.way_w)
