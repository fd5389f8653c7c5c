"""The grid meter with the battery's own share taken out: what the house would draw if the battery stood still."""

from __future__ import annotations

from samspel.shaping.filter import ShapingContext

__all__ = ["battery_w", "house_power_w", "phase_current_a"]

TOGETHER_S = 5.0
"""Meter and battery are subtracted only where they were measured so close to each other."""


def battery_w(context: ShapingContext, meter_signal: str, stale_s: float) -> float | None:
    """The battery's own power (W, discharging positive), measured together with the meter's signal."""
    own, meter = context.readings.get("battery_power_w"), context.readings.get(meter_signal)
    if own is None or meter is None or abs(own.monotonic_s - meter.monotonic_s) > TOGETHER_S:
        return None
    return context.fresh("battery_power_w", stale_s)


def house_power_w(context: ShapingContext, stale_s: float) -> float | None:
    """Grid power (W, import positive) without the battery; nothing where the meter is stale or offline."""
    meter_w, own_w = _meter(context, "grid_power_w", stale_s), battery_w(context, "grid_power_w", stale_s)
    return None if meter_w is None or own_w is None else meter_w + own_w


def phase_current_a(
    context: ShapingContext, phase: str, voltage_v: float, stale_s: float
) -> tuple[float, float] | None:
    """Of one phase (`l1`): its current (A, import positive), and the battery's power measured with it (W).

    From the current, which knows reactive power too, else from the phase's active power.
    """
    for signal, unit_v in ((f"grid_current_{phase}_a", 1.0), (f"grid_power_{phase}_w", voltage_v)):
        meter, own_w = _meter(context, signal, stale_s), battery_w(context, signal, stale_s)
        if meter is not None and own_w is not None:
            return meter / unit_v, own_w
    return None


def _meter(context: ShapingContext, signal: str, stale_s: float) -> float | None:
    return None if context.fresh("meter_online", stale_s) == 0 else context.fresh(signal, stale_s)
