"""Closed word lists and unit factors that a map is checked against."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["NAMEPLATE", "SEQUENCES", "STATE_WORDS", "TARGET", "UNIT_FACTORS", "product_unit"]

TARGET = "target_power_w"
"""The command's own power: a magnitude in W, known only while a direction's sequence runs."""

NAMEPLATE = "static"
"""The group of signals that never change, so that a site may state them for a device that does not."""

SEQUENCES = ("take", "wake", "charge", "discharge", "reverse", "feed", "release")
"""The plain sequences; `zero` and `stop` are ladders."""

STATE_WORDS: Mapping[str, tuple[str, ...]] = {
    "battery_state": ("offline", "standby", "running", "fault", "sleep"),
    "inverter_state": ("standby", "starting", "on_grid", "derated", "off_grid", "off", "fault", "other"),
}
"""The contract's words for each signal that is a word."""

UNIT_FACTORS: Mapping[tuple[str, str], float] = {
    ("kW", "W"): 1000,
    ("MW", "W"): 1_000_000,
    ("kWh", "Wh"): 1000,
    ("MWh", "Wh"): 1_000_000,
    ("mV", "V"): 0.001,
    ("mA", "A"): 0.001,
    ("kHz", "Hz"): 1000,
    ("mHz", "Hz"): 0.001,
}
"""What a row's scale must be multiplied by to say it in the signal's unit. The loader advises; it never converts."""

_UNIT_PRODUCTS: Mapping[frozenset[str], str] = {frozenset(("A", "V")): "W", frozenset(("Ah", "V")): "Wh"}


def product_unit(one: str, other: str) -> str | None:
    """The unit of a product, where it has one that is known here; a plain number changes no unit."""
    if not one or not other:
        return one or other
    return _UNIT_PRODUCTS.get(frozenset((one, other)))
