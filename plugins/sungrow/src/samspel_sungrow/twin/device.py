"""An SH hybrid inverter with its battery: registers, modes and physics put together."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

from samspel_sim import wanted
from samspel_sim.bank import Bank
from samspel_sim.behaviour import HangUp, LinkTraits, Login, Silence, TwinOptions
from samspel_sim.limits import EndStops, Target
from samspel_sim.misbehave import Misbehaviours
from samspel_sim.pdu import ILLEGAL_ADDRESS, ILLEGAL_FUNCTION, exception
from samspel_sim.physics import Lag
from samspel_sim.registers import Register, Space, Words

from samspel_sungrow.twin import ems, limits, rules, telemetry
from samspel_sungrow.twin.equipment import inverter_bank, key_banks, make_home, manager_banks, pack_bank, rows
from samspel_sungrow.twin.faults import Faults
from samspel_sungrow.twin.profile import Profile, facts
from samspel_sungrow.twin.readback import ReadBack
from samspel_sungrow.twin.runstate import Shown, doing
from samspel_sungrow.twin.supply import Supply

KNOWN_MISBEHAVIOURS = (
    "ignore_setpoint", "clamp", "reverse", "meter_offline", "sleep", "night", "battery_fault",
    "calibration", "other_serial", "reboot", "firmware",
)  # fmt: skip
_STARTING = "before the first step"
_LIGHT_W, _RESTING_W, _CHANGED_W = 50.0, 50.0, 1.0


class HybridInverter:
    """The behaviour that the twin's engine runs."""

    brand = "sungrow"

    def __init__(self, profile: Profile, options: TwinOptions) -> None:
        self.profile = profile
        self.options = options
        self.serial = f"SIM{options.seed % 10**9:09d}"
        self.misbehaviours = Misbehaviours(KNOWN_MISBEHAVIOURS)
        self.home = make_home(profile, options)
        self.faults = Faults()
        self.broken_pack = bool(options.settings.get("broken_pack", False))
        self.running_state: int | None = None
        self.grid_frequency_hz = 50.0
        self.grid_voltage_v = 230.0
        self.wish = ems.Wish(_STARTING, 0.0)
        self._battery = Lag()
        self._pv_off = False
        self._pv = Lag(tau_s=profile.timing.pv_tau_s)
        self.read_back = ReadBack(float(options.settings.get("stale_read_back_s", 0.0)))
        self._wake_up({})

    def _wake_up(self, kept: Mapping[str, Words]) -> None:
        """Power on: what is volatile at its default, what is kept as it was."""
        timing, path = self.profile.timing, self.profile.path
        self.supply = Supply(timing)
        self.heartbeat = ems.Heartbeat(timing.heartbeat_s, self.profile.quirks.late_fallback)
        self.reserve, self.refill = ems.Refill(), ems.Refill()
        self.stops = EndStops(limits.HYSTERESIS_PCT)
        self._shown = Shown(timing.state_lag_s)
        self.without_value = self.profile.not_available
        self.bank, self.pack = inverter_bank(self.profile), pack_bank(self.profile)
        self._banks = {path.unit: self.bank, path.pack_unit: self.pack}
        if path.name == "encrypted":
            self._banks = {path.unit: self.bank, **key_banks(self.options.seed)}
        elif path.name == "ihomemanager":
            self._banks = {path.unit: self.bank, **manager_banks()}
        telemetry.fill_fixed(self)
        self.bank.restore(kept)

    # -- what the engine asks ------------------------------------------------------------------

    @property
    def model(self) -> str:
        """Model name."""
        return self.profile.model.name

    @property
    def firmware(self) -> str:
        """Firmware package."""
        return self.profile.firmware.version

    @property
    def unit(self) -> int:
        """Unit id of the inverter."""
        return self.profile.path.unit

    @property
    def banks(self) -> Mapping[int, Bank]:
        """The inverter and its battery; or what stands in front of them."""
        return self._banks

    @property
    def link(self) -> LinkTraits:
        """How it treats connections."""
        return self.profile.path.link

    def before_read(self, unit: int, addresses: range) -> None:
        """What hides the inverter, the night, and the reads that end the session on one firmware."""
        if unit == self.unit:
            self._reachable()
            if self._drops_session(addresses):
                raise HangUp

    def _reachable(self) -> None:
        if self.profile.path.hides_inverter or self.misbehaviours.silent:
            raise Silence

    def _drops_session(self, addresses: range) -> bool:
        if not self.profile.firmware.drops_session or self.profile.path.name != "lan":
            return False
        fatal = [row.addresses for row in rows() if row.name in facts()["drops"]["rows"]]
        return any(addresses.start < bad.stop and bad.start < addresses.stop for bad in fatal)

    def check_write(self, unit: int, parts: Sequence[tuple[Register, Words]], login: Login, now_s: float) -> int:
        """Refusals of `rules`; nothing but the inverter takes writes."""
        del login, now_s
        if unit != self.unit:
            return ILLEGAL_ADDRESS
        self._reachable()
        code = rules.refusal(self.profile, self.bank, parts)
        if not code:
            self.read_back.remember(self.bank, [row for row, _ in parts])
        return code

    def written(self, unit: int, parts: Sequence[tuple[Register, Words]], login: Login, now_s: float) -> None:
        """Act on what was really stored, in the order of the addresses."""
        del unit, login, now_s
        for register, words in parts:
            if self.bank.words(register.name) == words:
                self._act(register, words)

    def _act(self, register: Register, words: Words) -> None:
        if register.name in facts()["fault_words"]:
            self.faults.take(register.name, register.decode_raw(words))
        elif register.name in {"feed_in_limit", "feed_in_limit_ratio", "feed_in_limit_wide"}:
            self._take_feed_in_limit(register.name)
        elif register.name == "clock":
            self.home.epoch_s = (telemetry.clock_seconds(words) or 0.0) - self.home.time_s
        elif register.name == "external_ems_heartbeat":
            self.heartbeat.write(register.decode_raw(words))
        elif register.name == "start_stop":
            self.supply.command(register.decode_raw(words), light=self._light)
        elif register.name == "forced_startup_low_soc" and register.decode_raw(words) == limits.ON:
            self.supply.wake()

    def _take_feed_in_limit(self, name: str) -> None:
        """One limit under three names: 13074 may multiply, 31222 counts in 10 W, 13088 mirrors it on some."""
        nominal_w, mirrors = self.profile.model.nominal_w, self.profile.model.traits["ratio_mirrors_limit"]
        limit_w = self.bank.number("feed_in_limit")
        if name == "feed_in_limit" and self.profile.firmware.times_ten:
            limit_w *= 10
        elif name == "feed_in_limit_wide":
            limit_w = self.bank.number(name)
        elif name == "feed_in_limit_ratio" and mirrors:
            limit_w = self.bank.number(name) / 100 * nominal_w
        telemetry.put(self, self.bank, {"feed_in_limit": limit_w, "feed_in_limit_wide": limit_w})
        if mirrors:
            telemetry.put(self, self.bank, {"feed_in_limit_ratio": 100 * limit_w / nominal_w})

    def other_function(self, unit: int, pdu: bytes, login: Login, now_s: float, rng: random.Random) -> bytes:
        """There is no other function."""
        del login, now_s, rng
        if unit not in self._banks:
            raise Silence
        if unit == self.unit:
            self._reachable()
        return exception(pdu[0], ILLEGAL_FUNCTION)

    def refresh(self) -> None:
        """Measurements into registers."""
        telemetry.fill(self)

    def restart(self, firmware: str | None) -> None:
        """Volatile registers go back to their defaults, the rest survives."""
        if firmware is not None:
            self.profile = self.profile.with_firmware(firmware)
        volatile = facts()["persistence"]["volatile"]
        kept = {
            row.name: self.bank.words(row.name)
            for row in self.bank.table
            if row.space is Space.HOLDING and row.name not in volatile
        }
        self._wake_up(kept)
        self.refresh()

    # -- a step --------------------------------------------------------------------------------

    def step(self, dt_s: float) -> None:
        """Decide, limit, follow with lag, settle."""
        self.home.panels.dark = "night" in self.misbehaviours
        seen = self.home.look(dt_s)
        sight = ems.Sight(*seen, self.home.battery.soc_pct, self.meter_online)
        self._time(sight, dt_s)
        wish = self._decide(sight)
        target = self._target(wish, sight)
        self._aim(wish, target)
        battery_w = self._battery.step(dt_s) if self.battery_delivers else 0.0
        self._battery.value_w = battery_w
        self.home.settle(seen, self._pv.step(dt_s) if self.delivers else 0.0, battery_w, dt_s)
        self._shown.step(doing(self), dt_s)

    def _time(self, sight: ems.Sight, dt_s: float) -> None:
        self.read_back.step(self.bank, dt_s)
        external = self.bank.raw("ems_mode") in {ems.EXTERNAL, ems.VPP}
        if self.heartbeat.step(external, dt_s):
            self.bank.put("ems_mode", ems.SELF_CONSUMPTION)
            self.bank.put("charge_discharge_cmd", ems.STOP)
        if external:
            self.bank.put("external_ems_heartbeat", self.heartbeat.shown)
        self.stops.look(sight.soc_pct, self.bank.number("max_soc"), self._floor_pct)
        light = sight.pv_available_w > _LIGHT_W
        idle = self.stops.empty and not light and abs(self._battery.value_w) < _RESTING_W
        if self.supply.step(dt_s, idle=idle and self._battery.target_w >= 0, light=light):
            self.bank.put("forced_startup_low_soc", limits.OFF)

    @property
    def _floor_pct(self) -> float:
        """Nothing discharges below 13059, nor below the reserve."""
        return max(self.bank.number("min_soc"), self.bank.number("backup_reserve_soc"))

    def _decide(self, sight: ems.Sight) -> ems.Wish:
        calibration_w = self.misbehaviours.calibration_w
        if calibration_w is not None:
            return ems.Wish(ems.MAINTENANCE, calibration_w, forced=True)
        lifting = self.refill.look(sight.soc_pct, self.bank.number("min_soc"))
        if self.reserve.look(sight.soc_pct, self.bank.number("backup_reserve_soc")):
            return ems.Wish(ems.EMERGENCY, -facts()["refill"]["power_w"], forced=True)
        mode = self.bank.raw("ems_mode")
        if mode == ems.SELF_CONSUMPTION or mode not in ems.MODES or "ignore_setpoint" in self.misbehaviours:
            return ems.own(sight, refilling=lifting)
        wish = ems.commanded(self.bank)
        return replace(wish, battery_w=self.misbehaviours.followed_w(wish.battery_w))

    def _target(self, wish: ems.Wish, sight: ems.Sight) -> Target:
        if not self.delivers:
            return Target(0.0, 0.0)
        bounds_w = limits.battery_bounds_w(self.bank, self.profile, self.battery_limits_w, self.stops)
        if self.broken_pack:
            bounds_w = (bounds_w[0], 0.0)
        cap_w = limits.ac_cap_w(self.bank, self.profile, sight)
        return limits.fit(wish, self._lit(sight), bounds_w, cap_w)

    def _lit(self, sight: ems.Sight) -> ems.Sight:
        """13018 takes the panels away."""
        off = self.bank.raw("pv_power_limitation") == limits.ON
        return ems.Sight(0.0 if off else sight.pv_available_w, sight.load_w, sight.soc_pct, sight.meter_online)

    def _aim(self, wish: ems.Wish, target: Target) -> None:
        """A new command waits and lags; the own regulation only lags; panels that were off come back late."""
        timing, lag = self.profile.timing, self._battery
        if self.wish.mode == _STARTING:
            lag.value_w, self._pv.value_w, self._pv.target_w = target.battery_w, target.pv_w, target.pv_w
        if not wish.forced:
            lag.aim(target.battery_w, tau_s=timing.own_tau_s)
        else:
            lag.aim(target.battery_w, tau_s=timing.command_tau_s, wait_s=self._command_wait_s(wish))
        self._pv.aim(target.pv_w, tau_s=timing.pv_tau_s, wait_s=self._pv_wait_s())
        self.wish = wish

    def _command_wait_s(self, wish: ems.Wish) -> float:
        """A new command waits before anything moves; one to a battery on the move does not wait again."""
        lag = self._battery
        same = wish.forced == self.wish.forced and abs(wish.battery_w - self.wish.battery_w) < _CHANGED_W
        moving = self.wish.forced and abs(lag.value_w - lag.target_w) > _RESTING_W
        return lag.wait_s if same or moving else self.profile.timing.command_wait_s

    def _pv_wait_s(self) -> float:
        off = self.bank.raw("pv_power_limitation") == limits.ON
        restored, self._pv_off = self._pv_off and not off, off
        return self.profile.timing.pv_restore_wait_s if restored else self._pv.wait_s

    # -- what it is at the moment --------------------------------------------------------------

    @property
    def _light(self) -> bool:
        return self.home.flows.pv_available_w > _LIGHT_W

    @property
    def meter_online(self) -> bool:
        """False while the meter is gone."""
        return "meter_offline" not in self.misbehaviours

    @property
    def delivers(self) -> bool:
        """True while the inverter works at all."""
        return self.supply.delivers and not self.faults.stops("inverter") and not limits.shut_by_cap(self.bank)

    @property
    def battery_healthy(self) -> bool:
        """False while a fault or sleep keeps the battery out."""
        return not self.faults.stops("battery") and not self.misbehaviours.battery_out

    @property
    def battery_delivers(self) -> bool:
        """True while the battery can give or take power."""
        return self.delivers and self.battery_healthy

    @property
    def live_currents_a(self) -> tuple[int, int]:
        """Registers 5635 and 5636."""
        if not self.battery_healthy:
            return 0, 0
        battery = self.home.battery
        return limits.live_currents_a(self.profile.pack, battery.soc_pct, battery.temperature_c)

    @property
    def battery_limits_w(self) -> tuple[float, float]:
        """What the battery takes and gives: its live currents at its present voltage."""
        volts = limits.pack_volts(self.profile.pack, self.home.battery.soc_pct)
        charge_a, discharge_a = self.live_currents_a
        return charge_a * volts, discharge_a * volts

    @property
    def shown_state(self) -> int:
        """The running state word, some seconds behind what it is doing."""
        if self.running_state is not None:
            return self.running_state
        states = facts()["states"]
        return int((states["old"] if self.profile.quirks.old_states else states)[self._shown.name])

    @property
    def shown_serial(self) -> str:
        """The serial that it gives."""
        return self.misbehaviours.shown_serial(self.serial)

    @property
    def standing_faults(self) -> dict[str, set[int]]:
        """Fault bits by word: those set from outside and those that its condition raises."""
        conditions = {
            "meter_lost": not self.meter_online,
            "battery_fault": "battery_fault" in self.misbehaviours,
            "broken_pack": self.broken_pack,
        }
        return self.faults.standing(name for name, now in conditions.items() if now)

    # -- control from outside ------------------------------------------------------------------

    def state(self) -> dict[str, object]:
        """Mode, faults and control registers."""
        charge_w, discharge_w = self.battery_limits_w
        return {
            "mode": self.wish.mode,
            "mode_code": self.bank.raw("ems_mode"),
            "doing": doing(self),
            "heartbeat_left_s": self.heartbeat.shown,
            "max_charge_power_w": charge_w,
            "max_discharge_power_w": discharge_w,
            "usable_soc_pct": telemetry.usable_pct(self.bank, self.home.battery.soc_pct),
            "meter_online": self.meter_online,
            "faults": {word: sorted(bits) for word, bits in self.standing_faults.items()},
            "registers": {
                row.name: self.bank.raw(row.name)
                for row in self.bank.table
                if row.space is Space.HOLDING and row.numeric
            },
        }

    def apply(self, key: str, value: object) -> bool:
        """Keys of ``POST /set`` that belong to this brand."""
        setters: wanted.Setters = {
            "faults": self.faults.put,
            "meter_online": lambda on: self.misbehaviours.set("meter_offline", not wanted.flag(key, on), {}),
            "broken_pack": lambda on: setattr(self, key, wanted.flag(key, on)),
            "running_state": self._set_running_state,
            "stale_read_back_s": lambda found: setattr(self.read_back, "stale_s", wanted.number(key, found, 0, 86_400)),
            "grid_frequency_hz": lambda found: setattr(self, key, wanted.number(key, found, 45, 55)),
            "grid_voltage_v": lambda found: setattr(self, key, wanted.number(key, found, 0, 300)),
        }
        return wanted.apply(setters, key, value)

    def _set_running_state(self, value: object) -> None:
        self.running_state = None if value is None else int(wanted.number("running_state", value, 0, 0xFFFF))
