"""How fast a device may be asked: gaps, busy back-off, and timeouts that follow its latency. Pure."""

from __future__ import annotations

from collections import deque

from samspel.bus.profile import BusProfile
from samspel.contract.ports import Priority

__all__ = ["Latency", "Pacer"]

_WIDEN_FACTOR = 2.0
_WIDEN_LEAST_S = 0.02
_EXCESS_KEPT = 0.9
"""Of the widened gap's excess, this share is kept after each good answer."""


class Pacer:
    """When the next request of a priority may be sent. All times are monotonic seconds.

    A more urgent request never waits for the back-off of a less urgent one, and everything above telemetry waits
    for the declared gap only, not for a widened one.
    """

    def __init__(self, profile: BusProfile) -> None:
        self._profile = profile
        self._free_at = float("-inf")
        self._wide_free_at = float("-inf")
        self._hold_until = float("-inf")
        self._hold_from = Priority.STOP
        self._wide_gap_s = profile.gap_s
        self._busy_in_a_row = 0

    def ready_at(self, priority: Priority) -> float:
        """From when on a request of this priority may go."""
        ready = self._free_at if priority < Priority.FAST_TELEMETRY else self._wide_free_at
        return max(ready, self._hold_until) if priority >= self._hold_from else ready

    def finished(self, now: float, *, wrote: bool) -> None:
        """A transaction ended, however it ended."""
        declared_s = max(self._profile.gap_s, self._profile.write_gap_s) if wrote else self._profile.gap_s
        self._free_at = now + declared_s
        self._wide_free_at = now + max(declared_s, self._wide_gap_s)

    def answered(self) -> None:
        """It was answered without complaint: ease."""
        self._busy_in_a_row = 0
        excess_s = self._wide_gap_s - self._profile.gap_s
        self._wide_gap_s = self._profile.gap_s + excess_s * _EXCESS_KEPT

    def busy(self, now: float, priority: Priority) -> None:
        """It asked for patience: hold this and less urgent priorities, and poll slower from now on."""
        first_s, longest_s = self._profile.backoff_s
        wait_s = first_s
        if priority >= Priority.FAST_TELEMETRY:
            wait_s = min(longest_s, first_s * 2.0 ** min(self._busy_in_a_row, 16))
        self._busy_in_a_row += 1
        self._hold_until, self._hold_from = now + wait_s, priority
        wider_s = max(self._wide_gap_s * _WIDEN_FACTOR, self._wide_gap_s + _WIDEN_LEAST_S)
        self._wide_gap_s = min(self._profile.gap_max_s, wider_s)


class Latency:
    """The device's recent answer times, and the timeout that follows from them."""

    _KEPT = 64
    _ENOUGH = 8

    def __init__(self, profile: BusProfile) -> None:
        self._profile = profile
        self._samples_s: deque[float] = deque(maxlen=self._KEPT)

    def add(self, latency_s: float) -> None:
        """An answer came after this time."""
        self._samples_s.append(latency_s)

    def forget(self) -> None:
        """No answer came: what was learned may be too short, so start again at the ceiling."""
        self._samples_s.clear()

    @property
    def median_s(self) -> float | None:
        """Typical answer time; None while nothing is known."""
        return self._sample_s(0.5) if self._samples_s else None

    @property
    def timeout_s(self) -> float:
        """Four times the 95th percentile within the profile's limits; the ceiling while little is known."""
        if len(self._samples_s) < self._ENOUGH:
            return self._profile.timeout_s
        return min(self._profile.timeout_s, max(self._profile.min_timeout_s, 4.0 * self._sample_s(0.95)))

    def _sample_s(self, share: float) -> float:
        """The sample that this share of the others does not exceed; the nearest one, since each request asks for it."""
        return sorted(self._samples_s)[round(share * (len(self._samples_s) - 1))]
