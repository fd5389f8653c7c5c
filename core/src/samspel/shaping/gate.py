"""Whether a shaped target is worth a write now: an unchanged target is fed, not rewritten; a changed one may wait."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Action", "decide"]


class Action(StrEnum):
    """What to do with a shaped target now."""

    WRITE = "write"
    FEED = "feed"
    SUPPRESS = "suppress"


def decide(
    target_w: float,
    *,
    written_w: float | None,
    force: bool,
    granularity_w: float,
    feed_due: bool,
    spacing_left_s: float = 0.0,
    limited: bool = False,
) -> Action:
    """Write what changed by at least `granularity_w`; zero and a change of sign are always changes.

    `force` is set for the first write after take or reconnect. Feeding keeps a device's own timer alive.
    `spacing_left_s` is what remains of the route's spacing since the last write: a changed magnitude waits for it and
    is written by the first call afterwards. Zero, a change of sign, a forced write and less power because of a limit
    (`limited`) never wait.
    """
    if force or written_w is None:
        return Action.WRITE
    if target_w != written_w and _turns(target_w, written_w):
        return Action.WRITE
    at_once = spacing_left_s <= 0 or (limited and abs(target_w) < abs(written_w))
    if at_once and abs(target_w - written_w) >= granularity_w:
        return Action.WRITE
    return Action.FEED if feed_due else Action.SUPPRESS


def _turns(target_w: float, written_w: float) -> bool:
    """Whether it goes to zero, from zero or through it."""
    return target_w * written_w <= 0
