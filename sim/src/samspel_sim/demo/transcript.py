"""What each home said to the same commands, in words that can be compared: nothing above the driver is to know a brand.

Times, watts and ids are left out. What differs must be explained by the capability records, or it is a fault of ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Difference", "Line", "differences", "transcript"]

NOT_COMPARED = frozenset({"received", "write_suppressed"})
"""How often something is said, and what only repeats, depends on when a home is asked."""

EXPLAINED: dict[str, tuple[str, ...]] = {
    "written": ("spacing_s",),
    "verified by read_back": ("verify", "spacing_s"),
    "verified by effect": ("verify", "spacing_s"),
    "verified by skipped": ("verify", "spacing_s"),
    "dwell": ("reversal_dwell_s",),
    "delivered": ("latency_s", "spacing_s"),
}
"""The closed table: which word may be there at one home and not at another, and what of the record explains it.

A command that had to wait for a device's spacing may be superseded before it is written.
"""


@dataclass(frozen=True, slots=True)
class Line:
    """One command, as a person would name it, and the words it was answered with, each once, in order."""

    command: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """A command to which not all homes said the same. `because` is empty when nothing explains it."""

    command: str
    said: Mapping[str, tuple[str, ...]]
    because: str


def transcript(commands: Sequence[Mapping[str, Any]], outcomes: Sequence[Mapping[str, Any]]) -> list[Line]:
    """One line for each command that was sent, in their order."""
    return [Line(_named(command), _words(command, outcomes)) for command in commands]


def differences(
    said: Mapping[str, Sequence[Line]], routes: Mapping[str, Sequence[Mapping[str, Any]]]
) -> list[Difference]:
    """Where the homes (by name) do not say the same. `routes` are their capability records."""
    count = max((len(lines) for lines in said.values()), default=0)
    found = []
    for number in range(count):
        words = {home: lines[number].words if number < len(lines) else () for home, lines in said.items()}
        if len(set(words.values())) > 1:
            name = next(lines[number].command for lines in said.values() if number < len(lines))
            found.append(Difference(name, words, _explanation(words, routes)))
    return found


def _named(command: Mapping[str, Any]) -> str:
    """Which way is left out: a home whose inverter has to rest before it turns goes on the same way."""
    if command["kind"] != "set_power":
        return str(command["kind"])
    return f"{abs(float(command['power_w'])):.0f} W"


def _words(command: Mapping[str, Any], outcomes: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    words = [_word(one) for one in outcomes if one["command_id"] == command["id"]]
    kept = [word for word in words if word not in NOT_COMPARED]
    if any(word.startswith("superseded") for word in kept):
        kept = [word for word in kept if word != "delivered"]
    return tuple(dict.fromkeys(kept))


def _word(one: Mapping[str, Any]) -> str:
    word = str(one.get("stage") or one.get("deviation") or one.get("end"))
    if word == "verified":
        return f"verified by {one.get('verification')}"
    reason = one.get("reason") or ""
    return f"{word} ({reason})" if reason else word


def _explanation(words: Mapping[str, tuple[str, ...]], routes: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Every word that not all have must be in the table, and the records must differ there."""
    common = set.intersection(*(set(one) for one in words.values()))
    odd = {word for one in words.values() for word in one} - common
    reasons = [_reason(word.partition(" (")[0], routes) for word in sorted(odd)]
    return ", ".join(dict.fromkeys(reasons)) if odd and all(reasons) else ""


def _reason(word: str, routes: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """The first part of the record that may explain this word and is not the same everywhere."""
    return next((f"{key} differs" for key in EXPLAINED.get(word, ()) if _differ(key, routes)), "")


def _differ(key: str, routes: Mapping[str, Sequence[Mapping[str, Any]]]) -> bool:
    """Whether the homes' records say different things under this key."""
    return len({tuple(sorted({str(route.get(key)) for route in one})) for one in routes.values()}) > 1
