"""What a command did besides: the panels throttled, the AC terminal not carrying what it is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from samspel.contract.outcome import Deviation
from samspel.contract.telemetry import Reading
from samspel.delivery.verdict import Verdict, number

__all__ = ["Before", "ac_verdict", "before_step", "pv_verdict"]

PV_LEAST_W = 500.0
"""Below this a fall says little: dawn and dusk."""

PV_LEFT_SHARE = 0.6
"""What is left of the panels' power after a throttle at most; a cloud that falls within one latency is as steep."""

AC_LEAST_W, AC_SHARE = 500.0, 0.3
"""Losses of conversion, and readings some seconds apart, stay below the larger of the two."""

_ASLEEP = {"battery_state": ("sleep", "offline"), "inverter_state": ("standby", "starting", "off")}


@dataclass(frozen=True, slots=True)
class Before:
    """How things were when a step began: the panels in W, and whether the battery slept."""

    pv_power_w: float = 0.0
    slept: bool = False


def before_step(readings: Mapping[str, Reading]) -> Before:
    """What these readings say for a step that begins after them."""
    asleep = any(signal in readings and readings[signal].value in states for signal, states in _ASLEEP.items())
    return Before(number(readings, "pv_power_w") or 0.0, asleep)


def pv_verdict(before: Before, readings: Mapping[str, Reading]) -> Verdict | None:
    """The panels have lost most of their power as the command took hold."""
    pv_w = number(readings, "pv_power_w")
    if pv_w is None or before.pv_power_w < PV_LEAST_W or pv_w > PV_LEFT_SHARE * before.pv_power_w:
        return None
    text = f"the panels went from {before.pv_power_w:.0f} W to {pv_w:.0f} W as the command took hold"
    return Verdict(Deviation.SIDE_EFFECT, "pv", text)


def ac_verdict(readings: Mapping[str, Reading]) -> Verdict | None:
    """The AC terminal carries something else than panels and battery give."""
    pv_w, battery_w = number(readings, "pv_power_w"), number(readings, "battery_power_w")
    ac_w = number(readings, "ac_power_w")
    if pv_w is None or battery_w is None or ac_w is None:
        return None
    if abs(ac_w - pv_w - battery_w) <= max(AC_LEAST_W, AC_SHARE * max(abs(pv_w), abs(battery_w))):
        return None
    text = f"the AC terminal carries {ac_w:.0f} W, panels and battery together give {pv_w + battery_w:.0f} W"
    return Verdict(Deviation.SIDE_EFFECT, "ac", text)
