"""What a write sets off beyond being stored: commands, and words set from outside that stay."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from samspel_sim.registers import Register, Words

from samspel_saj.twin.clock import moment_of
from samspel_saj.twin.equipment import is_setting
from samspel_saj.twin.faults import WORDS, bits_of

if TYPE_CHECKING:
    from samspel_saj.twin.device import H2

_CURRENT_HISTORY, _CURRENT_FAULTS = 1, 2


def act(device: H2, register: Register, words: Words) -> None:
    """Carry out what one written register means."""
    name = register.name
    if name in _COMMANDS:
        _COMMANDS[name](device, words)
    elif name in WORDS:
        device.faults.set(name, bits_of(register.decode_raw(words)))
    elif name == "battery_charge_current_limit":
        device.bms.charge_a = register.decode_raw(words) * register.scale
    elif name == "battery_discharge_current_limit":
        device.bms.discharge_a = register.decode_raw(words) * register.scale
    elif "_slot" in name:
        device.swing_until_s = device.home.time_s + device.profile.traits.slot_swing_s


def _clear_faults(device: H2, words: Words) -> None:
    if words[0] == _CURRENT_HISTORY:
        device.faults.stored = 0
    if words[0] == _CURRENT_FAULTS:
        device.faults.clear()


def _reset(device: H2, _words: Words) -> None:
    """A restart of the software: what only a power cycle ends goes on."""
    protection = device.protection
    device.restart(None)
    device.protection = protection


def _clear_energy(device: H2, _words: Words) -> None:
    device.energy_base_wh = device.energies_wh


def _factory_reset(device: H2, _words: Words) -> None:
    """Every setting is the maker's again."""
    before = {row.name: device.bank.words(row.name) for row in device.bank.table if is_setting(row)}
    device.build({}, changes=device.bank.changes)
    device.bank.changes += sum(device.bank.words(name) != words for name, words in before.items())
    device.factory_resets += 1


def _set_clock(device: H2, words: Words) -> None:
    device.clock_offset_s += (moment_of(words) - device.clock).total_seconds()


_COMMANDS: Mapping[str, Callable[[H2, Words], None]] = {
    "clear_faults": _clear_faults,
    "reset": _reset,
    "clear_energy": _clear_energy,
    "factory_reset": _factory_reset,
    "set_clock": _set_clock,
}
