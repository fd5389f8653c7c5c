"""R13: when and for how long an entity runs in its high-performance mode (TR 3.1.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from samspel_prequal import rules
from samspel_prequal.evaluate.requirement import Requirement, at_most
from samspel_prequal.signals import FloatArray

__all__ = ["ModeShift", "judge_mode_shifts", "mode_shifts"]

_FREQUENCY_HZ = 0.001  # what the deviation at the start may fall short, by rounding
_BUMP_S = 1.0


@dataclass(frozen=True, slots=True)
class ModeShift:
    """One stay in the high-performance mode."""

    start_s: float
    duration_s: float
    deviation_hz: float  # at the start; negative below 50 Hz
    bump_w: float  # change of power over the second round the shift back

    @property
    def started_late_enough(self) -> bool:
        """Whether the deviation was 0.2 Hz or more."""
        return abs(self.deviation_hz) >= rules.MODE_SHIFT_DEVIATION_HZ - _FREQUENCY_HZ


def mode_shifts(
    time_s: FloatArray, frequency_hz: FloatArray, power_w: FloatArray, performing: NDArray[np.bool_]
) -> list[ModeShift]:
    """Every stay in the high-performance mode, in order."""
    edges = np.diff(performing.astype(np.int8), prepend=0, append=0)
    starts, stops = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    found = []
    for start, stop in zip(starts, stops, strict=True):
        back_s = float(time_s[min(int(stop), len(time_s) - 1)])
        around = np.interp([back_s - _BUMP_S / 2, back_s + _BUMP_S / 2], time_s, power_w)
        deviation_hz = float(frequency_hz[start]) - rules.NOMINAL_HZ
        found.append(
            ModeShift(float(time_s[start]), back_s - float(time_s[start]), deviation_hz, abs(around[1] - around[0]))
        )
    return found


def judge_mode_shifts(shifts: Sequence[ModeShift], capacity_w: float, bump_tolerance: float) -> Requirement | None:
    """The longest stay, and whatever else is against the rules; None without any shift."""
    if not shifts:
        return None
    longest_s = max(shift.duration_s for shift in shifts)
    wrong = [
        f"{shift.start_s:.1f} s: began at {shift.deviation_hz:+.3f} Hz"
        for shift in shifts
        if not shift.started_late_enough
    ]
    wrong += [
        f"{shift.start_s:.1f} s: shifts back with a bump of {shift.bump_w / capacity_w:.1%} of C"
        for shift in shifts
        if shift.bump_w > bump_tolerance * capacity_w
    ]
    wrong += [
        f"{later_s:.1f} s: only {pause_s:.0f} s after the one before"
        for later_s, pause_s in _pauses(shifts)
        if pause_s < rules.MODE_SHIFT_BLOCK_S[0]
    ]
    text = f"{len(shifts)} shifts, the longest {longest_s:.1f} s" + "".join(f"; {item}" for item in wrong)
    found = at_most(longest_s, rules.MODE_SHIFT_MAX_S, "by ContMode", text)
    if not wrong:
        return found
    return Requirement(found.value, found.limit, found.margin, False, found.rule, text)


def _pauses(shifts: Sequence[ModeShift]) -> list[tuple[float, float]]:
    """Start of each shift and the time since the one before in the same direction."""
    pauses = []
    for number, shift in enumerate(shifts):
        before = [one for one in shifts[:number] if one.deviation_hz * shift.deviation_hz > 0]
        if before:
            pauses.append((shift.start_s, shift.start_s - before[-1].start_s - before[-1].duration_s))
    return pauses
