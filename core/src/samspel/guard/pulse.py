"""When to beat: once every control loop has turned since the last beat."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from samspel.contract.ports import Clock
from samspel.control.state import State

__all__ = ["Progress", "Pulse"]

ACTION_S = 600.0
"""No action of a driver takes so long, not even on a dongle that answers after thirteen seconds."""


class Pulse:
    """The last of the control loops to turn writes the beat.

    There is no task that beats: an event loop that hangs, or one device's control that does, is silence.
    """

    def __init__(self, devices: Iterable[str], beat: Callable[[], None]) -> None:
        self._devices = frozenset(devices)
        self._missing = set(self._devices)
        self._beat = beat

    def turned(self, device: str) -> None:
        """This device's control has handled a tick."""
        self._missing.discard(device)
        if not self._missing:
            self._missing = set(self._devices)
            self._beat()


class Progress:
    """Whether one device's control gets on: its loop may turn for ever around an action that never ends."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._action_id: int | None = None
        self._since = clock.monotonic()

    def gets_on(self, state: State) -> bool:
        """False while the same action has been under way for `ACTION_S`. Call it at each turn."""
        now = self._clock.monotonic()
        if state.action is None or state.action_id != self._action_id:
            self._action_id, self._since = state.action_id, now
        return now - self._since < ACTION_S
