"""The decision table for every rough moment: start, lost link, update, guard. One place, one function."""

from __future__ import annotations

from enum import StrEnum

from samspel.contract.driver import ControlState
from samspel.control.state import GiveBackOrder, Lease, StopLatch

__all__ = ["Decision", "decide"]


class Decision(StrEnum):
    """What to do with the control block that was found."""

    REASSERT_STOP = "reassert_stop"
    FINISH_RELEASE = "finish_release"
    ADOPT = "adopt"
    RELEASE = "release"
    FOREIGN = "foreign"
    TAKE = "take"
    IDLE = "idle"


def decide(
    found: ControlState,
    *,
    stop: StopLatch | None,
    give_back: GiveBackOrder | None,
    lease: Lease | None,
    held: bool,
    now: float,
) -> Decision:
    """Read from top to bottom; the first line that fits decides. `held`: an open snapshot has not been given back.

    The serial number is no column here: the bus confirms it before anything reaches this table.
    """
    valid = lease is not None and lease.trusted and now < lease.deadline
    if stop is not None:
        return Decision.REASSERT_STOP
    if give_back is not None:
        return Decision.FINISH_RELEASE
    if found is ControlState.FOREIGN:
        return Decision.FOREIGN
    if found is ControlState.OURS:
        return Decision.ADOPT if valid else Decision.RELEASE
    if valid:
        return Decision.TAKE
    # At default by itself (its own timer): what we left beside the control block is still tidied.
    return Decision.RELEASE if held else Decision.IDLE
