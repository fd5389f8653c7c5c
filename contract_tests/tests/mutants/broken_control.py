"""Control that is wrong in one place, around a sound driver: each callable breaks it, and gives the driver."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from samspel.contract.driver import ControlState
from samspel.control import journal, results, saving
from samspel.control.recovery import Decision, decide
from samspel.control.state import Phase, State
from samspel.device import Device
from samspel.driver.map_driver import MapDriver

LONGER_S = 3600.0


def _with(place: Any, name: str, broken: Callable[..., Any]) -> Callable[..., MapDriver]:
    def make(*arguments: Any, **options: Any) -> MapDriver:
        setattr(place, name, broken)
        return MapDriver(*arguments, **options)

    return make


def _load_and_trust_for_ever(documents: Mapping[str, Any], clock: Any, doubt: Any) -> State:
    state = journal.load(documents, clock, doubt)
    lease = state.lease
    return (
        state
        if lease is None
        else replace(state, lease=replace(lease, deadline=clock.monotonic() + LONGER_S, trusted=True))
    )


def _load_without_the_stop(documents: Mapping[str, Any], clock: Any, doubt: Any) -> State:
    state = journal.load(documents, clock, doubt)
    return state if state.stop is None else replace(state, stop=None, phase=Phase.RELEASED)


def _decide_to_take_over(found: ControlState, **known: Any) -> Decision:
    right = decide(found, **known)
    return Decision.RELEASE if right is Decision.FOREIGN else right


adopts_after_expiry = _with(saving, "load", _load_and_trust_for_ever)
forgets_stops = _with(saving, "load", _load_without_the_stop)
takes_over = _with(results, "decide", _decide_to_take_over)
changes_maps_at_once = _with(Device, "_is_released", lambda _device: True)
