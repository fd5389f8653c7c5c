"""When to beat: once every control loop has turned since the last beat."""

from __future__ import annotations

from collections.abc import Callable, Iterable

__all__ = ["Pulse"]


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
