"""What a device would keep for ever if nobody watched: values on a route without a timer of its own."""

from __future__ import annotations

from samspel.contract.capability import Capabilities, Deadman, Direction
from samspel.control.state import Phase, State

__all__ = ["lacks_timer", "stands_without_timer"]


def lacks_timer(capabilities: Capabilities | None, power_w: float) -> bool:
    """Whether this power would stand without a timer; a device that is not known counts as one that has none."""
    route = None if capabilities is None else capabilities.route(Direction.of(power_w))
    return route is None or route.deadman is Deadman.NONE


def stands_without_timer(state: State) -> bool:
    """Whether the device would keep what we wrote for ever."""
    if state.phase not in (Phase.TAKING, Phase.CONTROLLING, Phase.LOST):
        return False
    wanted_w = 0.0 if state.lease is None else state.lease.power_w
    return lacks_timer(state.capabilities, wanted_w if state.written_w is None else state.written_w)
