"""Sines of every period (TR table 6): one signal, and later one file, a period."""

from __future__ import annotations

from samspel_prequal import rules
from samspel_prequal.errors import SignalError
from samspel_prequal.product import Product, TestType
from samspel_prequal.signals.signal import SignalHead, SineSignal

__all__ = ["sine", "sines"]


def sine(
    product: Product, period_s: float, *, required_only: bool = False, periods: float = 0.0, lead_in_s: float = 0.0
) -> SineSignal:
    """The sine of one period.

    It plays the recommended number of periods, the required number of stationary ones with `required_only`, or
    `periods` where that is above 0, which any period that is not in the table needs.
    """
    centre_hz = rules.SINE_CENTRE_HZ.get(product)
    if centre_hz is None:
        raise SignalError(f"{product} has no sine test; fcr-n, fcr-d-up and fcr-d-down have one")
    count = periods or _count(period_s, required_only=required_only)
    head = SignalHead(f"sine-{period_s:g}", product, TestType.SINE, "TR table 6, TP tables 4, 7 and 10")
    return SineSignal(head, centre_hz, rules.SINE_AMPLITUDE_HZ, period_s, count, lead_in_s)


def sines(
    product: Product, *, mode_shifting: bool = False, required_only: bool = False, lead_in_s: float = 0.0
) -> tuple[SineSignal, ...]:
    """The sines that a product needs, shortest first."""
    rows = rules.sine_periods(product, mode_shifting=mode_shifting)
    return tuple(sine(product, row.period_s, required_only=required_only, lead_in_s=lead_in_s) for row in rows)


def _count(period_s: float, *, required_only: bool) -> float:
    for row in rules.SINE_PERIODS:
        if row.period_s == period_s:
            return row.stationary if required_only else row.recommended
    known = ", ".join(f"{row.period_s:g}" for row in rules.SINE_PERIODS)
    raise SignalError(f"{period_s:g} s is not one of {known} s: say how many periods it shall have")
