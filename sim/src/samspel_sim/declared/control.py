"""What a declared device wants of its battery now: a pure look at its registers."""

from __future__ import annotations

from dataclasses import dataclass

from samspel_sim.bank import Bank
from samspel_sim.declared.declaration import Control, Model

__all__ = ["Wish", "power_w", "wish"]

_PER_UNIT = {"W": 1.0, "kW": 1000.0}
_PER_RATED = {"%": 0.01, "‰": 0.001}


@dataclass(frozen=True, slots=True)
class Wish:
    """Battery power before any limit, positive discharging. `forced`: a command, not the device's own logic."""

    mode: str
    battery_w: float
    forced: bool


def power_w(bank: Bank, register: str, model: Model) -> float:
    """The watts in a register of power: its unit says whether it is a share of the rated power."""
    unit, number = bank.table[register].unit, bank.number(register)
    share = _PER_RATED.get(unit)
    return number * (_PER_UNIT[unit] if share is None else share * model.rated_w)


def wish(control: Control, bank: Bank, model: Model, own_w: float, *, alive: bool) -> Wish:
    """What the registers ask for; `alive` is false once the heartbeat has been missed."""
    mode = _mode(control, bank)
    if mode != "own" and not alive:
        mode = control.heartbeat.fallback if control.heartbeat else mode
    if mode == "own":
        return Wish(mode, own_w, forced=False)
    return Wish(mode, _commanded_w(control, bank, model, mode), forced=True)


def _mode(control: Control, bank: Bank) -> str:
    if control.enable and bank.raw(control.enable[0]) != control.enable[1]:
        return "own"
    return control.modes.get(bank.raw(control.mode), "own") if control.mode else "follow"


def _commanded_w(control: Control, bank: Bank, model: Model, mode: str) -> float:
    powers = control.powers
    if mode == "follow":
        return powers.sign * power_w(bank, powers.signed, model)
    if mode == "charge":
        return -abs(power_w(bank, powers.charge, model))
    return abs(power_w(bank, powers.discharge, model)) if mode == "discharge" else 0.0
