"""From physics to measuring registers, with the maker's signs.

Battery power counts discharging positive and grid power import positive, as the contract does; the flag of the
grid counts the other way round, and the counters called "FeedIn" count what is bought.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from samspel_saj.twin.batteries import fill_batteries
from samspel_saj.twin.clock import words_of
from samspel_saj.twin.faults import WORDS
from samspel_saj.twin.profile import facts

if TYPE_CHECKING:
    from samspel_saj.twin.device import H2

_NOISE_W = 10.0
_BUS_V = 700.0
_PHASES = "abc"
_SPANS = ("today", "month", "year", "total")
_HARDWARE = {"protocol_version": 1.003, "fw_slave": 1.012, "hw_display": 1.0, "hw_control": 1.0, "hw_power": 1.0}
_ISO_KOHM = 2000
_NO_ISO = 0xFFFF


def fill_fixed(device: H2) -> None:
    """What does not change while it runs: nameplate and, in raw numbers, the defaults of the settings."""
    bank, model, firmware = device.bank, device.profile.model, device.profile.firmware
    for name, raw in facts()["defaults"].items():
        if name in bank.table:
            bank.store(bank.table[name], bank.table[name].encode_raw(raw))
    traits = device.profile.traits
    nameplate = {
        "device_type": traits.device_type or model.type, "device_subtype": model.subtype,
        "fw_display": firmware.display, "fw_master": firmware.master, **_HARDWARE,
        "battery_count_h1": device.profile.packs, "rated_power": model.rated_w,
        "iso_1": _ISO_KOHM, "iso_2": _ISO_KOHM, "iso_3": _ISO_KOHM if model.trackers > 2 else _NO_ISO,
        "iso_4": _ISO_KOHM, "meter_mode": 2 if device.profile.family.phases > 1 else 1,
    }  # fmt: skip
    bank.measure(nameplate)


def fill(device: H2) -> None:
    """Everything that is measured, at one moment."""
    bank = device.bank
    bank.put("serial_number", device.shown_serial)
    bank.put("product_code", device.model)
    bank.store(bank.table["clock"], words_of(device.clock))
    bank.measure({word: device.faults.raw(word) for word in WORDS})
    bank.measure(_status(device))
    bank.measure(_powers(device))
    bank.measure(_flows(device))
    bank.measure(_panels(device))
    bank.measure(_phases(device))
    bank.measure(_meter(device))
    bank.measure(_energies(device))
    fill_batteries(device)


def _status(device: H2) -> dict[str, float]:
    bank, hours = device.bank, device.home.time_s / 3600
    return {
        "working_mode": device.working_mode, "error_count": device.faults.stored,
        "fault_log_serial": device.faults.log_serial, "settings_serial": device.settings_serial,
        "app_mode_active": bank.raw(device.profile.family.mode_register), "battery_status": device.battery_status,
        "battery_protocol": bank.raw("battery_protocol_set"), "soc_high_set": bank.raw("soc_max"),
        "soc_low_set": bank.raw("soc_min_ongrid"), "dod_set": 100 - bank.raw("soc_min_ongrid"),
        "soc_reserve_set": bank.raw("backup_soc_reserve"), "ambient_temperature": 25.0,
        "heatsink_temperature": 30.0 + abs(device.home.flows.ac_w) / 500, "hours_today": hours, "hours_total": hours,
    }  # fmt: skip


def _powers(device: H2) -> dict[str, float]:
    flows, traits = device.home.flows, device.profile.traits
    battery_w, grid_w = flows.battery_w, device.metered_w
    signed = not traits.magnitudes
    return {
        "pv_power": flows.pv_w, "load_power": flows.load_w, "battery_power_inverter": battery_w,
        "battery_power": battery_w if signed else abs(battery_w), "grid_power": grid_w if signed else abs(grid_w),
        "ct_grid_power": grid_w if traits.ct else 0.0, "ct_grid_apparent": abs(grid_w) if traits.ct else 0.0,
        "inverter_grid_power": flows.ac_w, "inverter_grid_apparent": abs(flows.ac_w),
        "inverter_power": flows.ac_w, "inverter_apparent": abs(flows.ac_w),
    }  # fmt: skip


def _direction(power_w: float) -> int:
    return 0 if abs(power_w) < _NOISE_W else 1 if power_w > 0 else -1


def _flows(device: H2) -> dict[str, float]:
    """The two signs beside the powers, and the arrows that one firmware shows."""
    flows, grid_w = device.home.flows, device.metered_w
    produces, battery, sells = flows.pv_w > _NOISE_W, _direction(flows.battery_w), -_direction(grid_w)
    return {
        "pv_direction": produces, "battery_direction": battery, "grid_direction": sells,
        "output_direction": flows.load_w > _NOISE_W, "flow_pv_to_load": produces, "flow_grid_to_load": sells < 0,
        "flow_pv_to_grid": produces and sells > 0, "flow_battery_to_grid": battery > 0 and sells > 0,
        "flow_battery_to_load": battery > 0, "flow_pv_to_battery": produces and battery < 0,
        "flow_grid_to_battery": sells < 0 and battery < 0,
    }  # fmt: skip


def _panels(device: H2) -> dict[str, float]:
    flows, trackers = device.home.flows, device.profile.model.trackers
    values: dict[str, float] = {}
    for number in range(1, trackers + 1):
        volts = 374.0 if flows.pv_available_w > 0 else 0.0
        power_w = flows.pv_w / trackers
        amperes = power_w / volts if volts else 0.0
        values |= {f"pv{number}_voltage": volts, f"pv{number}_current": amperes, f"pv{number}_power": power_w}
    return values


def _phases(device: H2) -> dict[str, float]:
    """Grid port, bridge and net side: equal shares. A machine that is off has no voltage at its bridge."""
    count, hertz = device.profile.family.phases, device.grid_frequency_hz
    volts, bridge_v = device.grid_voltage_v, device.bridge_voltage_v
    power_w = device.home.flows.ac_w / count
    amperes = power_w / max(1.0, volts)
    values: dict[str, float] = {"bus_voltage_master": _BUS_V, "bus_voltage_slave": _BUS_V}
    for phase, letter in zip(_PHASES[:count], "rst", strict=False):
        for port, port_v in (("grid", volts), ("inverter", bridge_v)):
            name = f"{port}_{phase}"
            values |= {
                f"{name}_voltage": port_v, f"{name}_current": amperes, f"{name}_frequency": hertz,
                f"{name}_active_power": power_w, f"{name}_apparent_power": abs(power_w), f"{name}_power_factor": 1.0,
            }  # fmt: skip
        values |= {f"netside_voltage_{letter}": volts, f"netside_power_{letter}": abs(power_w)}
    return {**values, "netside_current_r": abs(amperes), "netside_frequency_r": hertz}


def _meter(device: H2) -> dict[str, float]:
    count, online = device.profile.family.phases, device.meter_online
    volts = device.grid_voltage_v if online else 0.0
    power_w = device.metered_w / count
    values: dict[str, float] = {"meter_a_status": online}
    for phase in range(1, count + 1):
        name = f"meter_a_l{phase}"
        values |= {
            f"{name}_voltage": volts, f"{name}_current": power_w / volts if volts else 0.0,
            f"{name}_active_power": power_w, f"{name}_apparent_power": abs(power_w),
            f"{name}_power_factor": float(online), f"{name}_frequency": device.grid_frequency_hz if online else 0.0,
        }  # fmt: skip
    return values


def _energies(device: H2) -> dict[str, float]:
    """Since the start or since the counters were cleared, the same for every span."""
    energy_kwh = {name: (wh - device.energy_base_wh.get(name, 0.0)) / 1000 for name, wh in device.energies_wh.items()}
    phases, trackers = device.profile.family.phases, device.profile.model.trackers
    groups = {
        "pv": energy_kwh["pv"], "battery_charge": energy_kwh["charge"], "battery_discharge": energy_kwh["discharge"],
        "inverter": energy_kwh["ac_out"], "load": energy_kwh["load"],
        "import_sum": energy_kwh["import"], "export_sum": energy_kwh["export"],
    }  # fmt: skip
    for letter in "rst"[:phases]:
        groups[f"import_{letter}"] = energy_kwh["import"] / phases
        groups[f"export_{letter}"] = energy_kwh["export"] / phases
    groups |= {f"pv{number}": energy_kwh["pv"] / trackers for number in range(2, trackers + 1)}
    return {f"energy_{group}_{span}": kwh for group, kwh in groups.items() for span in _SPANS}
