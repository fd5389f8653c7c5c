"""Which writes the inverter refuses, and with which exception."""

from __future__ import annotations

from collections.abc import Sequence

from samspel_sim.bank import Bank
from samspel_sim.behaviour import Login
from samspel_sim.pdu import DEVICE_FAILURE
from samspel_sim.registers import Register, Words

from samspel_huawei.twin.profile import Profile, facts

_LIMITED_BY = {
    "storage_max_charging_power": "storage_max_charge_power",
    "storage_max_discharging_power": "storage_max_discharge_power",
    "grid_charge_power": "grid_charge_power_max",
}


def logged_in(profile: Profile, login: Login, now_s: float) -> bool:
    """True where no login is needed, or while one is alive: its heartbeat may not be older than allowed."""
    if not profile.path.login:
        return True
    return login.user is not None and now_s - login.heartbeat_at_s <= profile.timing.heartbeat_s


def refusal(profile: Profile, bank: Bank, parts: Sequence[tuple[Register, Words]], login: Login, now_s: float) -> int:
    """0 or the exception code for a write of whole registers."""
    if not logged_in(profile, login, now_s):
        return profile.firmware.denied_code
    return next((code for register, words in parts if (code := _out_of_range(bank, register, words))), 0)


def _out_of_range(bank: Bank, register: Register, words: Words) -> int:
    if not register.numeric:
        return 0
    number = register.decode_raw(words) * register.scale
    low, high = facts()["ranges"].get(register.name, (float("-inf"), float("inf")))
    if register.name in _LIMITED_BY:
        high = bank.number(_LIMITED_BY[register.name])
    if register.name == "active_power_fixed_w":
        high = bank.number("max_active_power")
    return 0 if low <= round(number, 6) <= high else DEVICE_FAILURE
