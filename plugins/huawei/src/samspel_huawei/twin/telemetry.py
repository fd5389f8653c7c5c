"""From physics to measuring registers, with the maker's signs.

Battery power counts charging positive, the meter counts export positive, the dongle counts import
positive: each is turned from the contract's sign here and nowhere else.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from samspel_huawei.twin.limits import SCHEDULES
from samspel_huawei.twin.profile import facts

if TYPE_CHECKING:
    from samspel_huawei.twin.device import Sun2000

DONGLE_SOFTWARE = "V200R022C10SPC312"
_STRING_V = 374.0
_BUS_V = 700.0
_NO_TIME = 0xFFFFFFFF
_ON_GRID, _LIMITED, _OFF_BY_COMMAND, _OFF_GRID_LOST = 0x0200, 0x0201, 0x0301, 0x0002


def fill_fixed(device: Sun2000) -> None:
    """What does not change while it runs: texts, nameplate and defaults of the settings."""
    _texts(device)
    model, bank = device.profile.model, device.bank
    charge_w, discharge_w = device.profile.charge_w, device.profile.discharge_w
    units = len(device.profile.packs)
    nameplate = {
        "modbus_protocol_version": 0x00010203, "model_id": model.id, "pv_string_count": model.strings,
        "mppt_count": model.trackers, "rated_power": model.rated_w, "max_active_power": model.pmax_w,
        "max_apparent_power": model.pmax_w,
        "max_reactive_out": 0.6 * model.pmax_w, "max_reactive_in": -0.6 * model.pmax_w,
        "real_max_active_capability": model.pmax_w, "real_max_apparent_capability": model.pmax_w,
        "realtime_max_active_capability": model.pmax_w, "maximum_active_power_setting": model.pmax_w,
        "shutdown_time": _NO_TIME, "startup_time": device.home.epoch_s, "meter_type": 1, "meter_type_check": 1,
        "insulation_resistance": 3.0, "storage_rated_capacity": device.profile.capacity_wh,
        "bat1_rated_charge_power": device.profile.unit_w(0), "bat1_rated_discharge_power": device.profile.unit_w(0),
        "bat1_product_model": 2, "bat2_product_model": 2 if units > 1 else 0, "storage_product_model": 2,
        "bat1_number": 1, "bat2_number": 2 if units > 1 else 0, "optimizer_count": 0, "optimizer_online": 0,
        "storage_max_charge_power": charge_w, "storage_max_discharge_power": discharge_w,
        "storage_max_charging_power": charge_w, "storage_max_discharging_power": discharge_w,
        "active_power_fixed_w": model.pmax_w, "fixed_active_power_kw": model.pmax_w / 1000,
        "max_feed_grid_power_w": 0, "default_max_feed_in": model.pmax_w,
    }  # fmt: skip
    bank.measure({**nameplate, **facts()["defaults"]})


def _texts(device: Sun2000) -> None:
    bank, serial = device.bank, device.shown_serial
    rubbish = "\0XYZ" if device.profile.firmware.rubbish_after_text else ""
    texts = {
        "model_name": device.model + rubbish, "serial_number": serial, "part_number": "01074811-003",
        "firmware_version": device.firmware, "software_version": device.firmware,
        "hardware_version": "A", "monitoring_board_sn": serial, "monitoring_software": device.firmware,
        "master_dsp_version": device.firmware, "bat1_serial": f"LUN1{serial[4:]}", "bat2_serial": f"LUN2{serial[4:]}",
        "bat1_software": "V100R002C00SPC213", "bat2_software": "V100R002C00SPC213",
        "bat1_dcdc_version": "DCDC V1", "bat1_bms_version": "BMS V1",
    }  # fmt: skip
    for unit, packs in enumerate(device.profile.packs, start=1):
        for pack in range(1, packs + 1):
            texts[f"bat{unit}_pack{pack}_serial"] = f"PK{unit}{pack}{serial[4:]}"
            texts[f"bat{unit}_pack{pack}_firmware"] = "V100R002C00"
    for name, text in texts.items():
        if name in bank.table:
            bank.put(name, text)


def fill(device: Sun2000) -> None:
    """Everything that is measured, at one moment."""
    bank = device.bank
    _texts(device)
    bank.measure(_states(device))
    bank.measure(_inverter(device))
    bank.measure(_meter(device) if device.meter_online else {"meter_status": 0})
    bank.measure(_storage(device))
    for number in range(len(device.profile.packs)):
        bank.measure(_unit(device, number))
    _fill_dongle(device)


def _states(device: Sun2000) -> dict[str, float]:
    alarms = device.active_alarms
    words = {
        f"alarm_{number}": sum(1 << bit for bit, alarm in enumerate(row) if alarm in alarms)
        for number, row in facts()["alarms"].items()
    }
    on_grid = device.running and 2032 not in alarms
    status = (
        (_LIMITED if device.curtailed else _ON_GRID)
        if on_grid
        else (_OFF_GRID_LOST if device.running else _OFF_BY_COMMAND)
    )
    bits = 0b110 | (0b1000 if device.curtailed else 0) if on_grid else (0b1 if device.running else 0b100000)
    percent = device.schedule.source == "active_power_percent"
    return {
        **words, "device_status": status, "state_1": bits, "state_2": 0b111, "state_3": 0, "fault_code": 0,
        "active_adjust_mode": 0 if percent else 1,
        "active_adjust_value": max(0, device.bank.raw(device.schedule.source)),
        "active_adjust_command": SCHEDULES[device.schedule.source],
    }  # fmt: skip


def _inverter(device: Sun2000) -> dict[str, float]:
    home, flows, volts = device.home, device.home.flows, device.grid_voltage_v
    strings = device.profile.model.strings
    values = {
        "pv_power": flows.pv_w, "active_power": flows.ac_w, "active_power_fast": flows.ac_w, "reactive_power": 0.0,
        "power_factor": 1.0, "grid_frequency": device.grid_frequency_hz, "efficiency": 98.0,
        "internal_temperature": 30.0 + abs(flows.ac_w) / 500, "inverter_bus_voltage": _BUS_V,
        "peak_active_power_today": device.peak_ac_w,
        "energy_total": home.counters.ac_out_wh / 1000, "energy_today": home.counters.ac_out_wh / 1000,
        "dc_energy_total": home.counters.pv_wh / 1000, "system_time": home.epoch_s + home.time_s,
    }  # fmt: skip
    values |= {f"line_voltage_{pair}": volts * math.sqrt(3) for pair in ("ab", "bc", "ca")}
    for phase in "abc":
        values[f"phase_{phase}_voltage"] = volts
        values[f"phase_{phase}_current"] = flows.ac_w / 3 / max(1.0, volts)
    for number in range(1, strings + 1):
        values[f"pv{number}_voltage"] = _STRING_V if flows.pv_available_w > 0 else 0.0
        values[f"pv{number}_current"] = flows.pv_w / strings / _STRING_V
    return values


def _meter(device: Sun2000) -> dict[str, float]:
    export_w, volts, counters = -device.home.flows.grid_w, device.grid_voltage_v, device.home.counters
    values = {
        "meter_status": 1, "meter_active_power": export_w, "meter_reactive_power": 0.0, "meter_power_factor": 1.0,
        "meter_frequency": device.grid_frequency_hz, "meter_export_energy": counters.export_wh / 1000,
        "meter_import_energy": counters.import_wh / 1000,
    }  # fmt: skip
    values |= {f"meter_voltage_{pair}": volts * math.sqrt(3) for pair in ("ab", "bc", "ca")}
    for phase in "abc":
        values[f"meter_voltage_{phase}"] = volts
        values[f"meter_power_{phase}"] = export_w / 3
        values[f"meter_current_{phase}"] = export_w / 3 / max(1.0, volts)
    return values


def _storage(device: Sun2000) -> dict[str, float]:
    battery, charging_w = device.home.battery, -device.home.flows.battery_w
    charge_w, discharge_w = device.ceilings_w
    return {
        "storage_power": charging_w, "storage_soc": battery.soc_pct, "storage_status": device.status,
        "storage_bus_voltage": _BUS_V, "storage_bus_current": charging_w / _BUS_V,
        "storage_max_charge_power": charge_w, "storage_max_discharge_power": discharge_w,
        "storage_total_charge": battery.charged_wh / 1000, "storage_total_discharge": battery.discharged_wh / 1000,
        "storage_charge_today": battery.charged_wh / 1000, "storage_discharge_today": battery.discharged_wh / 1000,
        "bat1_working_mode": device.wish.code, "bat1_remaining_time": device.forcible.remaining_min,
        "bat1_fault_id": 0, "soh_calibration_status": 1 if "calibration" in device.misbehaviours else 0,
    }  # fmt: skip


def _unit(device: Sun2000, number: int) -> dict[str, float]:
    """One of the storage units, which share the power by their packs."""
    battery, packs, unit = device.home.battery, device.profile.packs[number], number + 1
    share = packs / sum(device.profile.packs)
    charging_w = -device.home.flows.battery_w * share
    charged_kwh, discharged_kwh = battery.charged_wh * share / 1000, battery.discharged_wh * share / 1000
    values = {
        f"bat{unit}_power": charging_w, f"bat{unit}_soc": battery.soc_pct, f"bat{unit}_status": device.status,
        f"bat{unit}_bus_voltage": _BUS_V, f"bat{unit}_bus_current": charging_w / _BUS_V,
        f"bat{unit}_temperature": battery.temperature_c, f"bat{unit}_total_charge": charged_kwh,
        f"bat{unit}_total_discharge": discharged_kwh, f"bat{unit}_charge_today": charged_kwh,
        f"bat{unit}_discharge_today": discharged_kwh,
    }  # fmt: skip
    for pack in range(1, packs + 1):
        name, pack_w = f"bat{unit}_pack{pack}", charging_w / packs
        values |= {
            f"{name}_status": device.status, f"{name}_soc": battery.soc_pct, f"{name}_power": pack_w,
            f"{name}_voltage": _BUS_V, f"{name}_current": pack_w / _BUS_V,
            f"{name}_total_charge": charged_kwh / packs, f"{name}_total_discharge": discharged_kwh / packs,
            f"{name}_temp_max": battery.temperature_c + 0.5, f"{name}_temp_min": battery.temperature_c - 0.5,
        }  # fmt: skip
    return values


def _fill_dongle(device: Sun2000) -> None:
    unit, flows = device.profile.path.dongle_unit, device.home.flows
    if unit is None:
        return
    bank = device.banks[unit]
    bank.put("model_name", "SDongleA-05")
    bank.put("sdongle_serial", device.dongle_serial)
    bank.put("sdongle_os_version", DONGLE_SOFTWARE)
    bank.measure({
        "sdongle_type": 4, "sdongle_search_status": 0, "sdongle_max_devices": 10,
        "sdongle_total_input_power": flows.pv_w, "sdongle_load_power": flows.load_w,
        "sdongle_grid_power": flows.grid_w, "sdongle_battery_power": -flows.battery_w,
        "sdongle_total_active_power": flows.ac_w,
    })  # fmt: skip
