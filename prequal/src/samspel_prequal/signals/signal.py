"""What is played: a quantity over time, exact at every instant, sampled at any rate.

A signal is right-continuous: where it jumps at t, its value at t is the new one.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from samspel_prequal.errors import SignalError
from samspel_prequal.product import Confidence, Product, TestType

__all__ = ["FloatArray", "Hold", "Quantity", "RampSignal", "Segment", "Signal", "SignalHead", "SineSignal", "sample"]

FloatArray = NDArray[np.float64]


class Quantity(StrEnum):
    """What a signal's values are, which is also the column of a written signal."""

    FREQUENCY_HZ = "frequency_hz"
    SETPOINT_SHARE = "setpoint_share"  # of the capacity; +1 is all of it upwards


@dataclass(frozen=True, slots=True)
class SignalHead:
    """What is said about a signal, whatever its shape."""

    name: str
    product: Product
    test_type: TestType
    source: str  # clause, or where the figures come from
    confidence: Confidence = Confidence.HIGH
    quantity: Quantity = Quantity.FREQUENCY_HZ


class Signal(Protocol):
    """Anything that can be played."""

    @property
    def head(self) -> SignalHead:
        """What it is."""
        ...

    @property
    def duration_s(self) -> float:
        """From the first instant to the end of the last hold."""
        ...

    def at(self, time_s: FloatArray) -> FloatArray:
        """The values at these instants; before 0 the first value, after the end the last."""
        ...


@dataclass(frozen=True, slots=True)
class Segment:
    """One move: from `start_s` on towards `target` at `speed` units a second, and then a hold.

    Infinite speed is a step. The end of a ramp is never stored: printed ends disagree with the printed speeds.
    """

    start_s: float
    target: float
    speed: float = float("inf")
    label: str = ""

    def end_s(self, origin: float) -> float:
        """When the target is reached, coming from `origin`."""
        return self.start_s + abs(self.target - origin) / self.speed


@dataclass(frozen=True, slots=True)
class Hold:
    """One resting level of a ramp signal: what it is called, and from arrival to departure."""

    label: str
    value: float
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class RampSignal:
    """Steps and ramps with holds between them.

    A segment that begins before the one before it has arrived leaves from where the signal then is.
    """

    head: SignalHead
    initial: float
    segments: tuple[Segment, ...]
    duration_s: float

    def __post_init__(self) -> None:
        starts = [0.0, *(segment.start_s for segment in self.segments), self.duration_s]
        if any(after < before for before, after in itertools.pairwise(starts)):
            raise SignalError(f"{self.head.name}: segments must start in order, inside 0 to {self.duration_s} s")
        if any(segment.speed <= 0 for segment in self.segments):
            raise SignalError(f"{self.head.name}: a speed must be above 0; its sign follows from the target")

    def corners(self) -> tuple[FloatArray, FloatArray]:
        """Times and values between which the signal is straight; a step has two corners at one time."""
        times, values = [0.0], [self.initial]
        for segment, until in zip(self.segments, self._untils_s(), strict=True):
            origin = values[-1]
            times += [segment.start_s, segment.start_s]
            values += [origin, origin]
            arrival = segment.end_s(origin)
            reached = segment.target
            if arrival > until:  # cut off by the next segment
                reached = origin + np.sign(segment.target - origin) * segment.speed * (until - segment.start_s)
            times += [min(arrival, until), until]
            values += [reached, reached]
        return np.array([*times, self.duration_s]), np.array([*values, values[-1]])

    @property
    def starts_s(self) -> list[float]:
        """The start of every segment."""
        return [segment.start_s for segment in self.segments]

    def _untils_s(self) -> list[float]:
        """When each segment gives way to the next one, or to the end."""
        return [*self.starts_s, self.duration_s][1:]

    def at(self, time_s: FloatArray) -> FloatArray:
        """The values at these instants."""
        times, values = self.corners()
        after = np.clip(np.searchsorted(times, time_s, side="right"), 1, len(times) - 1)
        left, right = times[after - 1], times[after]
        width = np.where(right > left, right - left, 1.0)
        share = np.clip((time_s - left) / width, 0.0, 1.0)
        return np.asarray(values[after - 1] + share * (values[after] - values[after - 1]), dtype=np.float64)

    def holds(self) -> tuple[Hold, ...]:
        """Every resting level, the one before the first segment included."""
        levels = [Hold("start", self.initial, 0.0, self.starts_s[0] if self.segments else self.duration_s)]
        origin = self.initial
        for segment, until in zip(self.segments, self._untils_s(), strict=True):
            arrival = min(segment.end_s(origin), until)
            levels.append(Hold(segment.label, segment.target, arrival, until))
            origin = float(self.at(np.array([until - 1e-9]))[0])
        return tuple(levels)

    def segment(self, label: str) -> Segment:
        """The segment of that label; `SignalError` when there is none."""
        for segment in self.segments:
            if segment.label == label:
                return segment
        known = ", ".join(segment.label for segment in self.segments)
        raise SignalError(f"{self.head.name} has no segment {label!r}; it has {known}")


@dataclass(frozen=True, slots=True)
class SineSignal:
    """A sine round a centre, upwards first, after an optional rest at the centre."""

    head: SignalHead
    centre: float
    amplitude: float
    period_s: float
    periods: float
    lead_in_s: float = 0.0

    def __post_init__(self) -> None:
        if self.period_s <= 0 or self.periods <= 0 or self.lead_in_s < 0:
            raise SignalError(f"{self.head.name}: period and number of periods must be above 0, the rest at least 0")

    @property
    def duration_s(self) -> float:
        """The rest and all periods."""
        return self.lead_in_s + self.periods * self.period_s

    def at(self, time_s: FloatArray) -> FloatArray:
        """The values at these instants."""
        turning_s = np.clip(time_s - self.lead_in_s, 0.0, self.periods * self.period_s)
        return np.asarray(
            self.centre + self.amplitude * np.sin(2 * np.pi * turning_s / self.period_s), dtype=np.float64
        )


def sample(signal: Signal, rate_hz: float) -> tuple[FloatArray, FloatArray]:
    """Times and values at a fixed rate, from 0 to just before the end.

    Raises:
        SignalError: the rate is not above 0.
    """
    if not rate_hz > 0:
        raise SignalError(f"the sampling rate must be above 0 Hz, not {rate_hz:g}")
    time_s = np.arange(round(signal.duration_s * rate_hz)) / rate_hz
    return time_s, signal.at(time_s)


def sequence(
    head: SignalHead, initial: float, steps: Sequence[tuple[float, float, str]], duration_s: float
) -> RampSignal:
    """A pure step sequence from rows of start, value and label."""
    return RampSignal(
        head, initial, tuple(Segment(start, value, label=label) for start, value, label in steps), duration_s
    )
