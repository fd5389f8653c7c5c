"""Margins in the words of an engineer: seconds of delay, and factors of gain, until a requirement turns."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["delay_margin_s", "gain_margins", "turning_point"]

MAX_DELAY_S = 10.0
MAX_GAIN = 10.0
_PRECISION = 1e-4
_STEPS = 200


def delay_margin_s(passes_with: Callable[[float], bool], *, most_s: float = MAX_DELAY_S) -> float | None:
    """How many seconds of extra delay remain; negative: how many must go. None: `most_s` changes nothing.

    `passes_with(extra_delay_s)` says whether the requirement holds.
    """
    direction = 1.0 if passes_with(0.0) else -1.0
    found = turning_point(lambda size: passes_with(direction * size), 0.0, most_s)
    return None if found is None else direction * found


def gain_margins(passes_with: Callable[[float], bool]) -> tuple[float | None, float | None]:
    """The factors of gain, below and above 1, at which the requirement turns; None: none up to a factor of 10."""
    lower = turning_point(lambda size: passes_with(1 / (1 + size)), 0.0, MAX_GAIN - 1)
    upper = turning_point(lambda size: passes_with(1 + size), 0.0, MAX_GAIN - 1)
    return (None if lower is None else 1 / (1 + lower)), (None if upper is None else 1 + upper)


def turning_point(holds_at: Callable[[float], bool], start: float, end: float) -> float | None:
    """The first place from start to end at which a condition differs from that at the start, to 1e-4.

    The way is walked in 200 steps before it is halved: a condition that differs over less than that is not seen.
    """
    at_start = holds_at(start)
    step = (end - start) / _STEPS
    for number in range(1, _STEPS + 1):
        same, other = start + (number - 1) * step, start + number * step
        if holds_at(other) != at_start:
            return _halved(holds_at, same, other)
    return None


def _halved(holds_at: Callable[[float], bool], same: float, other: float) -> float:
    at_same = holds_at(same)
    while abs(other - same) > _PRECISION:
        middle = (same + other) / 2
        if holds_at(middle) == at_same:
            same = middle
        else:
            other = middle
    return (same + other) / 2
