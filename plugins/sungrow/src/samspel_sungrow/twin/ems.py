"""The energy management modes: who decides the battery's power, and the heartbeat of the external ones.

Powers are in the contract's sign: positive discharges.
"""

from __future__ import annotations

from dataclasses import dataclass

from samspel_sim.bank import Bank

from samspel_sungrow.twin.profile import facts

SELF_CONSUMPTION, COMPULSORY, EXTERNAL, VPP = 0, 2, 3, 4
MODES = {SELF_CONSUMPTION: "self_consumption", COMPULSORY: "compulsory", EXTERNAL: "external_ems", VPP: "vpp"}
CHARGE, DISCHARGE, STOP = 0xAA, 0xBB, 0xCC
EMERGENCY = "emergency_charge"
MAINTENANCE = "maintenance"


@dataclass(frozen=True, slots=True)
class Sight:
    """What the device sees at the moment it decides."""

    pv_available_w: float
    load_w: float
    soc_pct: float
    meter_online: bool


@dataclass(frozen=True, slots=True)
class Wish:
    """What the mode in force wants, before any limit. ``forced``: a command, not the own regulation."""

    mode: str
    battery_w: float
    forced: bool = False


def own(sight: Sight, *, refilling: bool) -> Wish:
    """Self-consumption: the meter at zero, which takes a meter; a charge below 13059 is lifted from the grid."""
    if refilling:
        return Wish(MODES[SELF_CONSUMPTION], -facts()["refill"]["power_w"])
    balance_w = sight.load_w - sight.pv_available_w if sight.meter_online else 0.0
    return Wish(MODES[SELF_CONSUMPTION], balance_w)


def commanded(bank: Bank) -> Wish:
    """Modes 2, 3 and 4: 13052 is a magnitude, 13051 says which way."""
    power_w = bank.number("charge_discharge_power")
    signed_w = {CHARGE: -power_w, DISCHARGE: power_w}.get(bank.raw("charge_discharge_cmd"), 0.0)
    return Wish(MODES[bank.raw("ems_mode")], signed_w, forced=True)


@dataclass(slots=True)
class Refill:
    """Charging that lasts from half a percent below a state of charge until it is reached."""

    active: bool = False

    def look(self, soc_pct: float, wanted_pct: float) -> bool:
        """Take the present charge into account; True while it is to be lifted."""
        self.active = soc_pct < wanted_pct - (0.0 if self.active else 0.5)
        return self.active


@dataclass(slots=True)
class Heartbeat:
    """Register 13080: counts down in the external modes; at its end they are over.

    ``late``: the fallback comes a third later than what was written.
    """

    default_s: float
    late: bool = False
    left_s: float = 0.0
    written_s: float = 0.0
    running: bool = False

    def write(self, seconds: float) -> None:
        """A new value: it counts down from there."""
        self.left_s = self.written_s = seconds

    @property
    def shown(self) -> int:
        """What the register reads: whole seconds, rounded up."""
        return max(0, -int(-self.left_s // 1))

    def step(self, external: bool, dt_s: float) -> bool:
        """Advance; True when the external mode is over. Entering it without a value starts the default."""
        if external and not self.running and self.left_s <= 0:
            self.write(self.default_s)
        self.running = external
        if not external:
            return False
        self.left_s -= dt_s
        grace_s = self.written_s / 3 if self.late else 0.0
        if self.left_s > -grace_s + 1e-9:
            return False
        self.left_s, self.running = 0.0, False
        return True
