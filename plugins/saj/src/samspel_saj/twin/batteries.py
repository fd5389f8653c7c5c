"""The registers of the battery: what the inverter sees of it, its BMS and its packs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from samspel_sim.bank import Bank

from samspel_saj.twin.limits import pack_voltage_v
from samspel_saj.twin.profile import facts

if TYPE_CHECKING:
    from samspel_saj.twin.device import H2

_CELL_100_AH = 3


def fill_batteries(device: H2) -> None:
    """Everything about the battery, at one moment."""
    bank = device.bank
    packs = {} if device.profile.traits.battery == "B3" else _packs(device)
    for name, value in {**_seen_by_the_inverter(device), **_bms(device), **_group(device), **packs}.items():
        if name in bank.table:
            bank.put_clamped(name, value)
    for number in range(1, device.profile.packs + 1):
        _put_text(bank, f"bms{number}_serial", f"BMS{number}{device.shown_serial[3:]}")
        _put_text(bank, f"pack{number}_serial", f"PACK{number}{device.shown_serial[3:]}")


def _put_text(bank: Bank, name: str, text: str) -> None:
    if name in bank.table:
        bank.put(name, text[:16])


def _seen_by_the_inverter(device: H2) -> dict[str, float]:
    battery, volts = device.home.battery, pack_voltage_v(device.home.battery.soc_pct)
    amperes = device.home.flows.battery_w / volts
    return {
        "battery_voltage": volts, "battery_current": amperes, "battery_current_1": amperes,
        "battery_temperature": battery.temperature_c, "battery_soc": battery.soc_pct,
    }  # fmt: skip


def _bms(device: H2) -> dict[str, float]:
    battery, profile = facts()["battery"], device.profile
    charge_a, discharge_a = device.limits_a
    values: dict[str, float] = {
        "pack_count": profile.packs, "pack_capacity": battery["pack_ah"] * profile.packs,
        "usable_capacity": battery["pack_ah"] * profile.packs, "packs_online": (1 << profile.packs) - 1,
        "battery_over_voltage": battery["full_v"] + 20, "battery_low_voltage_warn": battery["empty_v"] - 10,
        "battery_charge_cutoff": battery["full_v"] + 10, "battery_discharge_cutoff": battery["empty_v"] - 20,
        "battery_charge_current_limit": charge_a, "battery_discharge_current_limit": discharge_a,
    }  # fmt: skip
    for number in range(1, profile.packs + 1):
        values |= {
            f"bms{number}_type": battery["types"][profile.traits.battery], f"bms{number}_fw": 1.005,
            f"bms{number}_hw": 1.001, f"bms{number}_cell_type": _CELL_100_AH,
        }  # fmt: skip
    return values


def _packs(device: H2) -> dict[str, float]:
    """All packs alike. A newer battery leaves them at zero."""
    battery, facts_of, count = device.home.battery, facts()["battery"], device.profile.packs
    volts = pack_voltage_v(battery.soc_pct)
    values: dict[str, float] = {}
    for number in range(1, count + 1):
        name = f"pack{number}"
        values |= {
            f"{name}_soc": battery.soc_pct, f"{name}_soh": facts_of["soh_pct"], f"{name}_voltage": volts,
            f"{name}_current": device.home.flows.battery_w / count / volts, f"{name}_cycles": facts_of["cycles"],
            f"{name}_temperature": battery.temperature_c,
            f"{name}_discharge_energy": battery.discharged_wh / count / 1000,
        }  # fmt: skip
    return values


def _group(device: H2) -> dict[str, float]:
    """The block of a group of machines, here of one."""
    flows, pv_kwh = device.home.flows, device.energies_wh["pv"] / 1000
    return {
        "parallel_group_mode": 0, "parallel_id": 0, "parallel_count_set": 1, "parallel_count_real": 1,
        "parallel_pv_power": flows.pv_w, "parallel_battery_power": flows.battery_w,
        "parallel_grid_power": device.metered_w, "parallel_load_power": flows.load_w,
        "parallel_soc": device.home.battery.soc_pct, "parallel_ongrid_load": flows.load_w,
        "parallel_capacity": facts()["battery"]["pack_ah"] * device.profile.packs,
        "parallel_pv_energy_today": pv_kwh, "parallel_pv_energy_month": pv_kwh,
    }  # fmt: skip
