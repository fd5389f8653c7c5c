"""How long the other one has said nothing, as far as we were there to listen.

Both sides of the socket count with it. A clock alone would not do: whoever was himself stopped (SIGSTOP, a paused
container, Ctrl-Z), or was not let run by a busy machine, finds that time has passed in which he heard nothing, and
would take it for the other's silence.
"""

from __future__ import annotations

__all__ = ["LISTENING_S", "Silence"]

LISTENING_S = 1.0
"""How often we look whether something came; both sides beat about so often."""

COUNTED_S = 2.0
"""Of the time between two looks no more is counted."""


class Silence:
    """`lasted_s` since the last word, in time of our own. `now` is monotonic seconds everywhere."""

    def __init__(self, now: float) -> None:
        self._looked_at = now
        self.lasted_s = 0.0

    def broken(self, now: float) -> None:
        """Something was heard."""
        self._looked_at, self.lasted_s = now, 0.0

    def goes_on(self, now: float) -> None:
        """We have looked, and nothing was there."""
        self.lasted_s += min(max(now - self._looked_at, 0.0), COUNTED_S)
        self._looked_at = now
