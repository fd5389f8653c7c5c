"""Headroom of one device from its live limits, its window of charge and the faults that stand."""

from __future__ import annotations

from collections.abc import Mapping

from samspel.contract.capability import Direction
from samspel.contract.fault import Effect
from samspel.contract.site import DeviceHeadroom
from samspel.contract.telemetry import Reading

__all__ = ["device_headroom"]

_BLOCKS_CHARGE = {Effect.NO_CHARGE, Effect.OFFLINE}
_BLOCKS_DISCHARGE = {Effect.NO_DISCHARGE, Effect.OFFLINE}


def device_headroom(
    readings: Mapping[str, Reading],
    *,
    charge_w: float,
    discharge_w: float,
    soc_min_pct: float,
    soc_max_pct: float,
    effect: Effect,
    available: bool,
    refused: Mapping[Direction, str],
) -> DeviceHeadroom:
    """Sustainable W each way now, with the reason for every clip. `charge_w`, `discharge_w`: the contract's limits.

    `refused`: the ways in which every set-point would be refused now, with the word that says why.
    """
    if not available:
        return DeviceHeadroom(charge_w=0.0, discharge_w=0.0, why=("unavailable",))
    soc = _value(readings, "soc_pct")
    if soc is None:
        return DeviceHeadroom(charge_w=0.0, discharge_w=0.0, why=("soc_unknown",))
    why: list[str] = []
    up = _bounded(charge_w, _value(readings, "charge_limit_w"), "charge_live_limit", why)
    down = _bounded(discharge_w, _value(readings, "discharge_limit_w"), "discharge_live_limit", why)
    if soc >= soc_max_pct:
        up = _closed("charge_soc", why)
    if soc <= soc_min_pct:
        down = _closed("discharge_soc", why)
    if effect in _BLOCKS_CHARGE:
        up = _closed("charge_fault", why)
    if effect in _BLOCKS_DISCHARGE:
        down = _closed("discharge_fault", why)
    if word := refused.get(Direction.CHARGE):
        up = _closed(f"charge_{word}", why)
    if word := refused.get(Direction.DISCHARGE):
        down = _closed(f"discharge_{word}", why)
    return DeviceHeadroom(charge_w=up, discharge_w=down, why=tuple(dict.fromkeys(why)))


def _bounded(contract_w: float, live_w: float | None, word: str, why: list[str]) -> float:
    if live_w is None or live_w >= contract_w:
        return contract_w
    why.append(word)
    return max(live_w, 0.0)


def _closed(word: str, why: list[str]) -> float:
    why.append(word)
    return 0.0


def _value(readings: Mapping[str, Reading], signal: str) -> float | None:
    reading = readings.get(signal)
    return None if reading is None else reading.usable()
