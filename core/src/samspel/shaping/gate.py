"""Whether a shaped target is worth a write now: an unchanged target is fed, not rewritten; a changed one may wait.

Protection (unsafe condition · limit · reaction · recovery · outranked by):
* a dispatcher's noise wears registers and crowds the bus · a change below `delta_w` within `time_s` of the last write ·
  the power in force stays, its deadline is the new one, the device's timer is fed · `time_s` after the last write, or
  a change of `delta_w` · first write, zero, change of sign, a hard limit, stop, release
* a device that swings when it is told again too soon · the route's `spacing_s` since the last write · the same · when
  it has passed · the same

The gate is the last of the chain's stations, wherever it stands in the list: only at the wire is it known what the hard
limits have made of a target, and what stands there now.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

__all__ = ["OPEN", "Action", "Gate", "decide"]


class Action(StrEnum):
    """What to do with a shaped target now."""

    WRITE = "write"
    FEED = "feed"
    SUPPRESS = "suppress"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """How much (W) and for how long (s) the wire may differ from the shaped target. Zero of either: not at all."""

    delta_w: float = 50.0
    time_s: float = 60.0
    name: ClassVar[str] = "gate"
    hard: ClassVar[bool] = False


OPEN = Gate(delta_w=0.0, time_s=0.0)
"""Every change that the device can tell is written: where the site names no gate."""


def decide(
    target_w: float,
    *,
    written_w: float | None,
    force: bool,
    granularity_w: float,
    feed_due: bool,
    spacing_left_s: float = 0.0,
    quiet_left_s: float = 0.0,
    delta_w: float = 0.0,
    limited: bool = False,
) -> Action:
    """Write what changed by at least `granularity_w`; zero and a change of sign are always changes.

    `force` is set for the first write after take or reconnect. Feeding keeps a device's own timer alive.
    A changed magnitude waits for what is left of the route's spacing, one of less than `delta_w` for `quiet_left_s`
    too, and is written by the first call afterwards; from zero it waits for the spacing alone. Zero, a change of sign,
    a forced write and less power because the power in force is beyond a limit (`limited`) never wait.
    """
    if force or written_w is None:
        return Action.WRITE
    if target_w == written_w:
        return Action.FEED if feed_due else Action.SUPPRESS
    if target_w == 0 or target_w < 0 < written_w or written_w < 0 < target_w:
        return Action.WRITE
    change_w = abs(target_w - written_w)
    wait_s = max(spacing_left_s, quiet_left_s) if written_w and change_w < delta_w else spacing_left_s
    at_once = wait_s <= 0 or (limited and abs(target_w) < abs(written_w))
    if at_once and (change_w >= granularity_w or limited):
        return Action.WRITE
    return Action.FEED if feed_due else Action.SUPPRESS
