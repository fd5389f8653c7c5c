"""A three-phase H2 or HS2 with its battery: registers, modes and physics put together."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from samspel_sim.bank import Bank
from samspel_sim.behaviour import LinkTraits, Login, Silence, TwinOptions
from samspel_sim.limits import EndStops, Target
from samspel_sim.misbehave import Misbehaviours
from samspel_sim.pdu import ILLEGAL_FUNCTION, exception
from samspel_sim.physics import Lag
from samspel_sim.registers import Register, Words

from samspel_saj.twin import outside, rules, telemetry
from samspel_saj.twin.commands import act
from samspel_saj.twin.equipment import EveryUnit, SettingsBank, inverter_bank, is_setting, make_home
from samspel_saj.twin.faults import Faults
from samspel_saj.twin.limits import HYSTERESIS_PCT, Bms, battery_bounds_w, fit, pack_voltage_v
from samspel_saj.twin.modes import SELF_USE, Sight, Wish, decide, self_use
from samspel_saj.twin.profile import Profile
from samspel_saj.twin.protection import Protection

KNOWN_MISBEHAVIOURS = (
    "ignore_setpoint", "clamp", "reverse", "meter_offline", "sleep", "night", "battery_fault",
    "calibration", "other_serial", "reboot", "firmware",
)  # fmt: skip
WAITING, RUNNING, BYPASS = 1, 2, 4
_PASSIVE_VALUES = (
    "passive_enable", "passive_grid_charge_power", "passive_grid_discharge_power",
    "passive_battery_charge_power", "passive_battery_discharge_power",
)  # fmt: skip
_STARTING = "starting"
_RESTING_W = 50.0
_IDLE_TURN_S = 90.0
_SERIAL_WRAP = 60_000


class H2:
    """The behaviour that the twin's engine runs."""

    brand = "saj"

    def __init__(self, profile: Profile, options: TwinOptions) -> None:
        self.profile = profile
        self.serial = f"SIM{options.seed % 10**9:09d}"
        self.misbehaviours = Misbehaviours(KNOWN_MISBEHAVIOURS)
        self.home = make_home(profile, options)
        self.faults = Faults()
        self.bms = Bms()
        self.stops = EndStops(HYSTERESIS_PCT)
        self.protection = Protection()
        self.clock_offset_s = profile.traits.clock_offset_s
        self.energy_base_wh: dict[str, float] = {}
        self.factory_resets = 0
        self.set_working_mode: int | None = None
        self.swing_until_s = 0.0
        self.grid_frequency_hz = 50.0
        self.grid_voltage_v = 230.0
        self.wish = Wish(_STARTING, SELF_USE, 0.0)
        self._battery = Lag()
        self._pv = Lag(tau_s=profile.timing.pv_tau_s)
        self.build({}, changes=0)

    # -- what the engine asks ------------------------------------------------------------------

    @property
    def model(self) -> str:
        """Model name."""
        return self.profile.model.name

    @property
    def firmware(self) -> str:
        """Firmware version."""
        return self.profile.firmware.version

    @property
    def unit(self) -> int:
        """Unit id to use, be it looked at or not."""
        return self.profile.unit

    @property
    def banks(self) -> Mapping[int, Bank]:
        """The inverter, at every unit id or at its own."""
        return self._banks

    @property
    def link(self) -> LinkTraits:
        """How it treats connections."""
        return self.profile.link

    def before_read(self, unit: int, addresses: range) -> None:
        """A sleeping inverter says nothing; some blocks get exception 0."""
        del unit  # every unit id is the same machine
        self._sleep_at_night()
        rules.check_read(self.profile, self.bank, addresses)

    def _sleep_at_night(self) -> None:
        if self.misbehaviours.silent:
            raise Silence

    def check_write(self, unit: int, parts: Sequence[tuple[Register, Words]], login: Login, now_s: float) -> int:
        """Refusals of `rules`."""
        del unit, login, now_s  # who asks and when makes no difference
        self._sleep_at_night()
        return rules.refusal(self.profile, parts)

    def written(self, unit: int, parts: Sequence[tuple[Register, Words]], login: Login, now_s: float) -> None:
        """Act on stored words, in the order of their addresses."""
        del unit, login, now_s
        for register, words in parts:
            act(self, register, words)

    def other_function(self, unit: int, pdu: bytes, session: Login, now_s: float, rng: random.Random) -> bytes:
        """Only the register functions are known."""
        del session, now_s, rng
        if unit not in self._banks:
            raise Silence
        self._sleep_at_night()
        return exception(pdu[0], ILLEGAL_FUNCTION)

    def refresh(self) -> None:
        """Measurements into registers."""
        telemetry.fill(self)

    def restart(self, firmware: str | None) -> None:
        """A power cycle: ends a lock-out and a trip; settings survive, those of passive mode by trait."""
        if firmware is not None:
            self.profile = self.profile.with_firmware(firmware)
        lost = _PASSIVE_VALUES if self.profile.traits.volatile_passive else ()
        table = self.bank.table
        kept = {row.name: self.bank.words(row.name) for row in table if is_setting(row) and row.name not in lost}
        kept.pop("inverter_stop", None)
        self.protection = Protection()
        self.build(kept, changes=self.bank.changes)
        self.refresh()

    def build(self, kept: Mapping[str, Words], *, changes: int) -> None:
        """Make the bank, with defaults and with what is kept; ``changes`` of settings have been counted so far."""
        self.bank: SettingsBank = inverter_bank(self.profile)
        self._banks: Mapping[int, Bank] = EveryUnit(self.bank) if self.profile.every_unit else {self.unit: self.bank}
        telemetry.fill_fixed(self)
        self.bank.restore(kept)
        self.bank.changes, self.bank.recording = changes, True

    # -- a step --------------------------------------------------------------------------------

    def step(self, dt_s: float) -> None:
        """Decide, limit, follow with lag, settle, protect."""
        self.bank.tick(dt_s)
        self.home.panels.dark = "night" in self.misbehaviours
        seen = self.home.look(dt_s)
        sight = Sight(*seen, self.home.battery.soc_pct, self.clock, self.meter_online)
        wish = self._decide(sight)
        target = self._target(wish, sight)
        self._aim(wish, target)
        battery_w = self._battery.step(dt_s) if self.battery_awake else 0.0
        self._battery.value_w = battery_w
        self.home.settle(seen, self._pv.step(dt_s) if self.powered else 0.0, battery_w, dt_s)
        self._protect(wish, target)

    def _decide(self, sight: Sight) -> Wish:
        calibration_w = self.misbehaviours.calibration_w
        if calibration_w is not None:
            return Wish("calibration", SELF_USE, calibration_w, ("calibration", calibration_w))
        if "ignore_setpoint" in self.misbehaviours:
            return self_use(SELF_USE, sight)
        wish = decide(self.bank, self.profile, sight)
        if wish.forced and self.home.time_s < self.swing_until_s:
            wish = replace(wish, battery_w=0.0)
        return replace(wish, battery_w=self.misbehaviours.followed_w(wish.battery_w)) if wish.forced else wish

    def _target(self, wish: Wish, sight: Sight) -> Target:
        if not self.powered:
            return Target(0.0, 0.0)
        self.stops.look(sight.soc_pct, self.bank.number("soc_max"), self.bank.number("soc_min_ongrid"))
        bounds_w = battery_bounds_w(self.bank, self.profile, wish, self.ceilings_w, self.stops)
        return fit(self.bank, self.profile, wish, sight, bounds_w)

    def _aim(self, wish: Wish, target: Target) -> None:
        """A new command waits and lags; what the machine regulates only lags."""
        timing, lag = self.profile.timing, self._battery
        if self.wish.mode == _STARTING:
            lag.value_w, self._pv.value_w = target.battery_w, target.pv_w
        settled = abs(lag.value_w - lag.target_w) < _RESTING_W
        fresh = wish.forced and wish.order != self.wish.order and settled
        wait_s = timing.command_wait_s if fresh else max(0.0, lag.wait_s) if wish.forced else 0.0
        lag.aim(target.battery_w, tau_s=timing.command_tau_s if wish.forced else timing.own_tau_s, wait_s=wait_s)
        self._pv.aim(target.pv_w, tau_s=timing.pv_tau_s)
        self.wish = wish

    def _protect(self, wish: Wish, target: Target) -> None:
        self.protection.aim(self.home.time_s, target.battery_w, forced=wish.forced)
        if self.profile.traits.lockout and wish.forced:
            battery = self.home.battery
            discharge_w = min(wish.battery_w, self.home.flows.battery_w)
            self.protection.arrive(discharge_w, battery.soc_pct, self.bank.number("soc_min_ongrid"))
        self.faults.raise_by_condition(self._conditions())

    def _conditions(self) -> dict[str, list[int]]:
        """Fault bits that follow from what is wrong: the meter's link, and the battery (its bits are assumed)."""
        broken = "battery_fault" in self.misbehaviours
        return {
            "fault_h": [] if self.meter_online else [1],
            "fault_bms": [0] if broken or self.protection.tripped else [],
            "pack1_fault": [11] if broken else [],
        }

    # -- what it is at the moment --------------------------------------------------------------

    @property
    def clock(self) -> datetime:
        """The inverter's own clock."""
        return datetime.fromtimestamp(self.home.epoch_s + self.home.time_s, UTC) + timedelta(
            seconds=self.clock_offset_s
        )

    @property
    def meter_online(self) -> bool:
        """False while the meter is gone."""
        return "meter_offline" not in self.misbehaviours

    @property
    def metered_w(self) -> float:
        """What the meter says: import positive, nothing while it is gone."""
        return self.home.flows.grid_w if self.meter_online else 0.0

    @property
    def stopped(self) -> bool:
        """True after 0x3677 = 1."""
        return self.bank.raw("inverter_stop") == 1

    @property
    def powered(self) -> bool:
        """True when the machine converts power at all."""
        return not self.protection.open and not self.stopped and self.set_working_mode in (None, RUNNING)

    @property
    def working_mode(self) -> int:
        """0x4004."""
        if self.protection.open:
            return BYPASS
        if self.set_working_mode is not None:
            return self.set_working_mode
        if self.stopped:
            return WAITING
        return BYPASS if self._idling else RUNNING

    @property
    def _idling(self) -> bool:
        """In the half of the time in which an idle machine shows bypass, where it does so."""
        flows = self.home.flows
        idle = max(abs(flows.battery_w), flows.pv_w) < _RESTING_W
        return self.profile.traits.idle_bypass and idle and int(self.home.time_s / _IDLE_TURN_S) % 2 == 1

    @property
    def bridge_voltage_v(self) -> float:
        """0x4046: none while the converter is locked out or stopped."""
        return 0.0 if self.protection.locked_out or self.stopped else self.grid_voltage_v

    @property
    def battery_healthy(self) -> bool:
        """False with a battery fault or a trip, and while it sleeps."""
        return not (self.misbehaviours.battery_out or self.protection.tripped)

    @property
    def battery_awake(self) -> bool:
        """True when the battery can give or take power."""
        return self.powered and self.battery_healthy

    @property
    def limits_a(self) -> tuple[float, float]:
        """Charge and discharge current that the BMS allows."""
        return self.bms.limits_a(self.profile, self.home.battery.temperature_c, healthy=self.battery_healthy)

    @property
    def ceilings_w(self) -> tuple[float, float]:
        """Charge and discharge ceiling of the BMS: its currents times the pack's voltage."""
        volts = pack_voltage_v(self.home.battery.soc_pct)
        charge_a, discharge_a = self.limits_a
        return charge_a * volts, discharge_a * volts

    @property
    def battery_status(self) -> int:
        """0x4027, numbered in the order of the document's list: normal, charge, discharge, both forbidden, forced."""
        if "calibration" in self.misbehaviours:
            return 4
        charge_a, discharge_a = self.limits_a
        return (charge_a <= 0) + 2 * (discharge_a <= 0)

    @property
    def settings_serial(self) -> int:
        """0x401B; it is taken to wrap as 0x401A does."""
        return self.bank.changes % _SERIAL_WRAP + 1

    @property
    def shown_serial(self) -> str:
        """The serial that it gives."""
        return self.misbehaviours.shown_serial(self.serial)

    @property
    def energies_wh(self) -> dict[str, float]:
        """Energy since the start, whatever was cleared."""
        counters, battery = self.home.counters, self.home.battery
        pv_wh, out_wh, in_wh = counters.pv_wh, battery.discharged_wh, battery.charged_wh
        load_wh = pv_wh + out_wh - in_wh + counters.import_wh - counters.export_wh
        return {
            "pv": pv_wh, "charge": in_wh, "discharge": out_wh, "ac_out": counters.ac_out_wh, "load": load_wh,
            "import": counters.import_wh, "export": counters.export_wh,
        }  # fmt: skip

    # -- control from outside ------------------------------------------------------------------

    def state(self) -> dict[str, object]:
        """Mode, faults, what is locked, and control registers."""
        return outside.state(self)

    def apply(self, key: str, value: object) -> bool:
        """Keys of ``POST /set`` that belong to this brand."""
        return outside.apply(self, key, value)
