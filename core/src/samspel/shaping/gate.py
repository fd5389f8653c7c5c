"""Whether a shaped target is worth a write: an unchanged target is fed, not rewritten."""

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
) -> Action:
    """Write what changed by at least `granularity_w`; zero and a change of sign are always changes.

    `force` is set for the first write after take or reconnect. Feeding keeps a device's own timer alive.
    """
    if force or written_w is None:
        return Action.WRITE
    if target_w != written_w and (target_w * written_w <= 0 or abs(target_w - written_w) >= granularity_w):
        return Action.WRITE
    return Action.FEED if feed_due else Action.SUPPRESS
