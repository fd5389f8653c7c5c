"""Faults in words that name no brand, and what they do to control."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from samspel.contract.units import Identifier

__all__ = ["FAULT_SCHEMA", "Effect", "Fault", "FaultCode", "FaultDetail", "FaultState", "Severity"]

FAULT_SCHEMA = "fault/1.0"


class Severity(StrEnum):
    """How bad it is for the device."""

    INFO = "info"
    WARNING = "warning"
    MINOR = "minor"
    MAJOR = "major"
    CRITICAL = "critical"


class Effect(StrEnum):
    """What the fault does to what the battery may be asked for, mildest first."""

    NONE = "none"
    DERATED = "derated"
    NO_CHARGE = "no_charge"
    NO_DISCHARGE = "no_discharge"
    OFFLINE = "offline"


class FaultState(StrEnum):
    """Whether the condition stands now."""

    RAISED = "raised"
    CLEARED = "cleared"


class FaultCode(StrEnum):
    """The closed, brand-independent list. A device's bit without a mapping is `vendor.unmapped`."""

    GRID_LOST = "grid.lost"
    GRID_OVERVOLTAGE = "grid.overvoltage"
    GRID_UNDERVOLTAGE = "grid.undervoltage"
    GRID_OVERFREQUENCY = "grid.overfrequency"
    GRID_UNDERFREQUENCY = "grid.underfrequency"
    GRID_UNSTABLE_FREQUENCY = "grid.unstable_frequency"
    GRID_IMBALANCE = "grid.imbalance"
    GRID_TRANSIENT = "grid.transient"
    GRID_PHASE_FAULT = "grid.phase_fault"
    GRID_ISLANDING = "grid.islanding"
    AC_OVERCURRENT = "ac.overcurrent"
    AC_OVERLOAD = "ac.overload"
    AC_DC_COMPONENT = "ac.dc_component"
    AC_RESIDUAL_CURRENT = "ac.residual_current"
    AC_GROUNDING = "ac.grounding"
    DC_INSULATION = "dc.insulation"
    DC_ARC = "dc.arc"
    DC_OVERVOLTAGE = "dc.overvoltage"
    DC_REVERSED = "dc.reversed"
    DC_BACKFEED = "dc.backfeed"
    DC_SWITCH = "dc.switch"
    DC_PROTECTION = "dc.protection"
    PV_STRING = "pv.string"
    PV_OPTIMIZER = "pv.optimizer"
    PV_CONFIGURATION = "pv.configuration"
    PV_DEGRADATION_GUARD = "pv.degradation_guard"
    BATTERY_FAULT = "battery.fault"
    BATTERY_REVERSED = "battery.reversed"
    BATTERY_OVERTEMPERATURE = "battery.overtemperature"
    BATTERY_UNDERTEMPERATURE = "battery.undertemperature"
    BATTERY_OVERVOLTAGE = "battery.overvoltage"
    BATTERY_UNDERVOLTAGE = "battery.undervoltage"
    BATTERY_OVERCURRENT = "battery.overcurrent"
    BATTERY_IMBALANCE = "battery.imbalance"
    BATTERY_COMMS_LOST = "battery.comms_lost"
    BATTERY_OFFLINE = "battery.offline"
    BATTERY_DISCHARGE_WEAK = "battery.discharge_weak"
    BATTERY_CONVERTER = "battery.converter"
    INVERTER_FAULT = "inverter.fault"
    INVERTER_OVERTEMPERATURE = "inverter.overtemperature"
    INVERTER_FAN = "inverter.fan"
    INVERTER_SELF_TEST = "inverter.self_test"
    INVERTER_FIRMWARE = "inverter.firmware"
    INVERTER_LICENCE = "inverter.licence"
    INVERTER_MONITORING = "inverter.monitoring"
    INVERTER_PORT = "inverter.port"
    INVERTER_BACKUP = "inverter.backup"
    INVERTER_EXTERNAL_UNIT = "inverter.external_unit"
    CONTROL_ACTIVE_POWER_SOURCE = "control.active_power_source"
    CONTROL_REACTIVE_POWER_SOURCE = "control.reactive_power_source"
    CONTROL_FOREIGN_MASTER = "control.foreign_master"
    CONTROL_RELEASE_FAILED = "control.release_failed"
    CONTROL_STOP_FAILED = "control.stop_failed"
    CONTROL_STOP_HELD_TOO_LONG = "control.stop_held_too_long"
    CONTROL_UNVERIFIED = "control.unverified"
    CONTROL_WRITE_BUDGET = "control.write_budget"
    CONTROL_MAP_SUSPECT = "control.map_suspect"
    METER_WIRING = "meter.wiring"
    COMMS_METER_LOST = "comms.meter_lost"
    COMMS_DEVICE_LOST = "comms.device_lost"
    COMMS_WRONG_DEVICE = "comms.wrong_device"
    COMMS_WRITE_REFUSED = "comms.write_refused"
    SITE_CLOCK = "site.clock"
    SITE_STORE = "site.store"
    SITE_TRANSPORT = "site.transport"
    VENDOR_UNMAPPED = "vendor.unmapped"


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultDetail:
    """`text` is for people and brand-free; `raw` is the device's own word and may name anything."""

    text: str = ""
    raw: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One condition, raised or cleared. `since` is UTC of its first sighting and survives replay; `duplicate`: this
    very message may have arrived before.
    """

    schema: str = FAULT_SCHEMA
    code: FaultCode
    severity: Severity
    effect: Effect
    state: FaultState
    since: datetime
    device: Identifier
    detail: FaultDetail = field(default_factory=FaultDetail)
    duplicate: bool = False
