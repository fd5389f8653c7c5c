"""From physics to measuring registers, with the maker's signs.

Battery power counts discharging positive, 13010 counts export positive, the meter's own registers count
import positive: each is turned from the contract's sign here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from samspel_sim.bank import Bank
from samspel_sim.registers import Register, Space

from samspel_sungrow.twin.faults import word_values
from samspel_sungrow.twin.limits import UNSET, pack_volts
from samspel_sungrow.twin.profile import facts

if TYPE_CHECKING:
    from samspel_sungrow.twin.device import HybridInverter

_STRING_V = 600.0
_PROTOCOL = 0x01010700
_THREE_PHASE = 1
_GENERATING_W = 10.0
_CELL_TYPE, _CONTACTOR_CLOSED = 66, 2
_METER = (
    "load_power", "export_power", "meter_active_power", "meter_phase_a_power", "meter_phase_b_power",
    "meter_phase_c_power",
)  # fmt: skip


def put(device: HybridInverter, bank: Bank, values: dict[str, float]) -> None:
    """Store numbers into those registers that this device has and that have a value here."""
    bank.measure({name: value for name, value in values.items() if name not in device.without_value})


def put_texts(bank: Bank, texts: dict[str, str]) -> None:
    """Store texts into those registers that this device has."""
    for name, text in texts.items():
        if name in bank.table:
            bank.put(name, text)


def fill_fixed(device: HybridInverter) -> None:
    """What does not change while it runs: nameplate, defaults of the settings, rows without a value."""
    profile, bank = device.profile, device.bank
    for row in bank.table:
        if row.name in profile.not_available:
            bank.store(row, _without_value(row, dongle=profile.path.dongle))
    nominal_w, settings = profile.model.nominal_w, device.options.settings
    nameplate = {
        "protocol_version": _PROTOCOL, "device_type_code": profile.model.code, "nominal_power": nominal_w / 1000,
        "output_type": _THREE_PHASE, "feed_in_limit_min": 0, "feed_in_limit_max": nominal_w,
        "bdc_rated_power": profile.bdc_w, "battery_capacity": profile.pack.kwh,
        "battery_capacity_coarse": profile.pack.kwh,
        "max_charge_power": profile.model.ceiling_w, "max_discharge_power": profile.model.ceiling_w,
        "feed_in_limit": nominal_w, "feed_in_limit_wide": nominal_w,
        "external_ems_heartbeat": 0 if profile.path.dongle else profile.timing.heartbeat_s,
        "apl_shutdown_at_zero": 0xAA if profile.model.traits["shuts_down_at_zero"] else 0x55,
        "feed_in_limit_ratio": 100 if profile.model.traits["ratio_mirrors_limit"] else UNSET,
        "pv_power_limitation": 0x55,
    }  # fmt: skip
    put(device, bank, {**nameplate, **facts()["defaults"]})
    put(device, bank, {name: float(settings[name]) for name in ("min_soc", "max_soc") if name in settings})


def _without_value(row: Register, *, dongle: bool) -> tuple[int, ...]:
    """A cable gives the mark for "not available"; a dongle gives 0 in its place, but for holding registers."""
    return (0,) * row.count if dongle and row.space is Space.INPUT else row.not_available()


def fill(device: HybridInverter) -> None:
    """Everything that is measured, at one moment."""
    if device.bank.table["serial_number"].decode(device.bank.words("serial_number")) != device.shown_serial:
        _fill_texts(device)
    for values in (_state(device), _alternating(device), _panels(device), _meter(device), _battery(device)):
        put(device, device.bank, values)
    put(device, device.bank, _fault_words(device))
    device.bank.put("clock", clock_words(device.home.epoch_s + device.home.time_s))
    if not device.meter_online:
        for name in _METER:
            row = device.bank.table[name]
            device.bank.store(row, row.not_available())
    _fill_pack(device)


def clock_words(seconds: float) -> tuple[int, ...]:
    """5000 to 5005: year, month, day, hour, minute, second; ``seconds`` since 1970 in local time."""
    return tuple(datetime.fromtimestamp(seconds, UTC).timetuple()[:6])


def clock_seconds(words: Sequence[int]) -> float | None:
    """Seconds since 1970 in local time, or None where the words are no moment."""
    try:
        return datetime(*words, tzinfo=UTC).timestamp()  # type: ignore[arg-type,misc]
    except ValueError:
        return None


def _fill_texts(device: HybridInverter) -> None:
    put_texts(device.bank, _texts(device))
    serial = device.shown_serial[3:]
    put_texts(device.pack, {"pack_serial": f"PK{serial}", "pack_firmware": "SBRBCU-S_22011.01.19"})
    if device.profile.path.dongle:
        return
    for module in range(1, device.profile.pack.modules + 1):
        name = "module_serials" if module == 1 else f"module_serials_{module}"
        device.pack.put(name, f"M{module}{serial}")


def _texts(device: HybridInverter) -> dict[str, str]:
    serial, firmware = device.shown_serial, device.firmware
    texts = {
        "fw_package_main": firmware, "fw_package_second": f"{firmware.split('_')[0]}_B000.P001",
        "fw_sub_controller": "SUBCTL-S_04011.01.01", "fw_battery_legacy": "SBRBCU-S_22011.01.19",
        "arm_software_cert": f"ARM_{firmware}", "dsp_software_cert": f"DSP_{firmware}"[:30],
        "serial_number": serial, "fw_inverter": firmware, "fw_comm_module": "COMM_V31_V01_A",
        "fw_battery": "SBRBCU-S_22011.01.19",
    }  # fmt: skip
    blank = facts()["dongle"]["blank"] if device.profile.path.dongle else ()
    return {name: "" if name in blank else text[:30] for name, text in texts.items()}


def _fault_words(device: HybridInverter) -> dict[str, float]:
    """Those that differ from what the registers say."""
    values = word_values(device.standing_faults, dongle=device.profile.path.dongle)
    return {name: raw for name, raw in values.items() if raw != device.bank.raw(name)}


def _state(device: HybridInverter) -> dict[str, float]:
    return {"running_state": device.shown_state, "power_flow_bits": _flow_bits(device), "drm_state": 0}


def _flow_bits(device: HybridInverter) -> int:
    """Bits of 13001; some dongles serve 0."""
    if not device.profile.quirks.flow_bits:
        return 0
    flows = device.home.flows
    bits = {
        0: flows.pv_w > _GENERATING_W,
        1: flows.battery_w < -_GENERATING_W,
        2: flows.battery_w > _GENERATING_W,
        3: device.meter_online and flows.load_w > 0,
        4: device.meter_online and flows.grid_w < -_GENERATING_W,
        5: device.meter_online and flows.grid_w > _GENERATING_W,
    }
    return sum(1 << bit for bit, on in bits.items() if on)


def _alternating(device: HybridInverter) -> dict[str, float]:
    flows, home, volts = device.home.flows, device.home, device.grid_voltage_v
    values = {
        "daily_output_energy": home.counters.ac_out_wh / 1000, "total_output_energy": home.counters.ac_out_wh / 1000,
        "inside_temperature": 36.0, "reactive_power": 0, "power_factor": 1.0,
        "grid_frequency_coarse": device.grid_frequency_hz, "grid_frequency": device.grid_frequency_hz,
        "total_active_power": flows.ac_w, "backup_frequency": device.grid_frequency_hz,
    }  # fmt: skip
    for phase in "abc":
        values |= {
            f"phase_{phase}_voltage": volts, f"phase_{phase}_current": flows.ac_w / 3 / max(volts, 1.0),
            f"backup_phase_{phase}_voltage": volts, f"meter_phase_{phase}_voltage": volts,
        }  # fmt: skip
    return values


def _panels(device: HybridInverter) -> dict[str, float]:
    flows, counters, trackers = device.home.flows, device.home.counters, device.profile.model.traits["trackers"]
    volts = _STRING_V if flows.pv_w > _GENERATING_W else 0.0
    values = {"total_dc_power": flows.pv_w, "daily_pv_generation": counters.pv_wh / 1000,
              "total_pv_generation": counters.pv_wh / 1000}  # fmt: skip
    for tracker in range(1, trackers + 1):
        values |= {f"mppt{tracker}_voltage": volts, f"mppt{tracker}_current": flows.pv_w / trackers / _STRING_V}
    exported_kwh = min(counters.pv_wh, counters.export_wh) / 1000
    used_kwh = counters.pv_wh / 1000 - exported_kwh
    return values | {
        "daily_pv_export": exported_kwh, "total_pv_export": exported_kwh,
        "daily_direct_consumption": used_kwh, "total_direct_consumption": used_kwh, "history_block": 0,
    }  # fmt: skip


def _meter(device: HybridInverter) -> dict[str, float]:
    flows, counters = device.home.flows, device.home.counters
    values = {
        "load_power": flows.load_w, "export_power": -flows.grid_w, "meter_active_power": flows.grid_w,
        "daily_import_energy": counters.import_wh / 1000, "total_import_energy": counters.import_wh / 1000,
        "daily_export_energy": counters.export_wh / 1000, "total_export_energy": counters.export_wh / 1000,
    }  # fmt: skip
    for phase in "abc":
        amperes = abs(flows.grid_w) / 3 / max(device.grid_voltage_v, 1.0)
        values |= {f"meter_phase_{phase}_power": flows.grid_w / 3, f"meter_phase_{phase}_current": amperes}
    return values


def usable_pct(bank: Bank, soc_pct: float) -> float:
    """13023: the charge rescaled between 13059 and 13058."""
    low, high = bank.number("min_soc"), bank.number("max_soc")
    return max(0.0, min(100.0, 100 * (soc_pct - low) / (high - low)))


def _battery(device: HybridInverter) -> dict[str, float]:
    battery, power_w, volts = device.home.battery, device.home.flows.battery_w, _volts(device)
    charge_a, discharge_a = device.live_currents_a
    legacy_w = abs(power_w) if device.profile.quirks.unsigned else power_w
    charged_kwh, discharged_kwh = battery.charged_wh / 1000, battery.discharged_wh / 1000
    return {
        "battery_power": power_w, "battery_current": power_w / volts, "battery_voltage": volts,
        "battery_power_legacy": legacy_w, "battery_current_legacy": legacy_w / volts,
        "battery_soc_usable": usable_pct(device.bank, battery.soc_pct), "battery_soh": 99.0,
        "battery_temperature": battery.temperature_c,
        "bms_max_charge_current": charge_a, "bms_max_discharge_current": discharge_a,
        "daily_battery_charge": charged_kwh, "total_battery_charge": charged_kwh,
        "daily_battery_charge_pv": charged_kwh, "total_battery_charge_pv": charged_kwh,
        "daily_battery_discharge": discharged_kwh, "total_battery_discharge": discharged_kwh,
    }  # fmt: skip


def _volts(device: HybridInverter) -> float:
    return pack_volts(device.profile.pack, device.home.battery.soc_pct)


def _fill_pack(device: HybridInverter) -> None:
    bank, battery, volts = device.pack, device.home.battery, _volts(device)
    put(
        device,
        bank,
        {
            "pack_voltage": volts, "pack_current": device.home.flows.battery_w / volts,
            "pack_temperature": battery.temperature_c, "pack_soc": battery.soc_pct, "pack_soh": 99,
            "pack_total_charge": battery.charged_wh / 1000, "pack_total_discharge": battery.discharged_wh / 1000,
        },
    )  # fmt: skip
    if not device.profile.path.dongle:
        _fill_cells(device, volts / device.profile.pack.modules / device.profile.pack.cells)


def _fill_cells(device: HybridInverter, cell_v: float) -> None:
    """Cells, each module alike; modules that are not fitted are 0."""
    bank, pack, battery = device.pack, device.profile.pack, device.home.battery
    put(
        device,
        bank,
        {
            "max_cell_voltage": cell_v + 0.003, "max_cell_position": 0x0101, "min_cell_voltage": cell_v - 0.003,
            "min_cell_position": 0x0102, "max_module_temperature": battery.temperature_c + 0.5,
            "max_module_temperature_position": 0x0101, "min_module_temperature": battery.temperature_c - 0.5,
            "min_module_temperature_position": 0x0102, "dc_contactor_state": _CONTACTOR_CLOSED,
        },
    )  # fmt: skip
    high, low = round((cell_v + 0.003) * 1e4), round((cell_v - 0.003) * 1e4)
    for name, word in (
        ("module_max_cell_voltage", high), ("module_min_cell_voltage", low), ("module_cell_type", _CELL_TYPE),
    ):  # fmt: skip
        count = bank.table[name].count
        bank.put(name, [word] * pack.modules + [0] * (count - pack.modules))
