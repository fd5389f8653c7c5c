"""A SUN2000 with LUNA2000 storage: registers, modes and physics put together."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

from samspel_sim import wanted
from samspel_sim.bank import Bank
from samspel_sim.behaviour import HangUp, LinkTraits, Login, OptionError, Silence, TwinOptions
from samspel_sim.limits import EndStops, Target
from samspel_sim.misbehave import Misbehaviours
from samspel_sim.pdu import ILLEGAL_FUNCTION, exception
from samspel_sim.physics import Lag
from samspel_sim.registers import Register, Words

from samspel_huawei.twin import identity, login, rules, telemetry
from samspel_huawei.twin.equipment import dongle_bank, inverter_bank, make_home
from samspel_huawei.twin.forcible import Forcible
from samspel_huawei.twin.limits import (
    HYSTERESIS_PCT,
    SCHEDULES,
    Schedule,
    ac_cap_w,
    battery_bounds_w,
    fit,
    live_ceilings_w,
)
from samspel_huawei.twin.modes import Sight, Wish, decide
from samspel_huawei.twin.profile import Profile, facts

KNOWN_MISBEHAVIOURS = (
    "ignore_setpoint", "clamp", "reverse", "meter_offline", "sleep", "night", "battery_fault",
    "calibration", "other_serial", "reboot", "firmware",
)  # fmt: skip
_METER = range(37101, 37139)
_STORAGE_SETTINGS = range(47075, 47300)
_ASLEEP = 4
_STARTING = "starting"
_RESTING_W = 50.0
_CHANGED_W = 1.0


class Sun2000:
    """The behaviour that the twin's engine runs."""

    brand = "huawei"
    peak_ac_w: float
    """The highest AC power since the day, or the device, began."""

    def __init__(self, profile: Profile, options: TwinOptions) -> None:
        self.profile = profile
        self.serial = f"SIM{options.seed % 10**9:09d}"
        self.misbehaviours = Misbehaviours(KNOWN_MISBEHAVIOURS)
        self.home = make_home(profile, options)
        self.forcible = Forcible()
        self.schedule = Schedule()
        self.stops = EndStops(HYSTERESIS_PCT)
        self.alarms: set[int] = set()
        self.storage_status: int | None = None
        self.running = True
        self.curtailed = False
        self.grid_frequency_hz = 50.0
        self.grid_voltage_v = 230.0
        self.wish = Wish(_STARTING, 0, 0.0)
        self._battery = Lag()
        self._pv = Lag(tau_s=profile.timing.pv_tau_s)
        self._schedule_w = profile.model.pmax_w
        self._build({})

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
        """Unit id of the inverter."""
        return self.profile.path.unit

    @property
    def banks(self) -> Mapping[int, Bank]:
        """The inverter, and the dongle where there is one."""
        return self._banks

    @property
    def link(self) -> LinkTraits:
        """How it treats connections."""
        return self.profile.link

    @property
    def bank(self) -> Bank:
        """The inverter's words."""
        return self._banks[self.unit]

    def before_read(self, unit: int, addresses: range) -> None:
        """A lost meter takes the connection down; a sleeping inverter says nothing."""
        if unit != self.unit:
            return
        if self.misbehaviours.silent:
            raise Silence
        if not self.meter_online and addresses.start < _METER.stop and addresses.stop > _METER.start:
            raise HangUp

    def check_write(self, unit: int, parts: Sequence[tuple[Register, Words]], login: Login, now_s: float) -> int:
        """Refusals of `rules`."""
        if unit == self.unit:
            self.before_read(unit, range(0))
        return rules.refusal(self.profile, self.bank, parts, login, now_s)

    def written(self, unit: int, parts: Sequence[tuple[Register, Words]], login: Login, now_s: float) -> None:
        """Act on stored words, in the order of their addresses."""
        for register, words in parts:
            if unit == self.unit:
                self._act(register, words, login, now_s)

    def _act(self, register: Register, words: Words, login: Login, now_s: float) -> None:
        if register.name == "forcible_command":
            self.forcible.trigger(self.bank)
        elif register.name in SCHEDULES:
            self.schedule = Schedule(register.name)
        elif register.name in {"startup_command", "shutdown_command"}:
            self.running = register.name == "startup_command"
        elif register.name == "session_heartbeat":
            login.heartbeat_at_s = now_s
        elif register.name == "system_time":
            self.home.epoch_s = register.decode_raw(words) - self.home.time_s

    def other_function(self, unit: int, pdu: bytes, session: Login, now_s: float, rng: random.Random) -> bytes:
        """Identification (unit 0 gives it too: clients ask there before they know the units) and login."""
        if unit not in self._banks and (unit != 0 or pdu[0] != identity.FUNCTION):
            raise Silence
        self.before_read(unit, range(0))
        if pdu[0] == identity.FUNCTION:
            return identity.answer(pdu, self._described(unit))
        if pdu[0] == login.FUNCTION and unit == self.unit:
            path = self.profile.path
            return login.answer(pdu, session, (path.user, path.password), now_s, rng)
        return exception(pdu[0], ILLEGAL_FUNCTION)

    def _described(self, unit: int) -> list[identity.Described]:
        inverter = identity.Described(self.model, self.firmware, self.shown_serial, self.unit, "SUN2000")
        if self.profile.path.dongle_unit is None:
            return [inverter]
        dongle = identity.Described("SDongleA-05", telemetry.DONGLE_SOFTWARE, self.dongle_serial, 100, "SDongle")
        return [dongle, inverter] if unit == dongle.unit else [inverter, dongle]

    def refresh(self) -> None:
        """Measurements into registers; a sleeping battery's settings read as unknown."""
        self.bank.hidden = _STORAGE_SETTINGS if self.status == _ASLEEP else range(0)
        telemetry.fill(self)

    def restart(self, firmware: str | None) -> None:
        """Volatile registers go back to their defaults, the rest survives."""
        if firmware is not None:
            self.profile = self.profile.with_firmware(firmware)
        volatile = facts()["persistence"]["volatile"]
        table = self.bank.table
        kept = {row.name: self.bank.words(row.name) for row in table if _writable(row) and row.name not in volatile}
        self.forcible, self.schedule, self.running = Forcible(), Schedule(), True
        self._build(kept)
        self.refresh()

    # -- a step --------------------------------------------------------------------------------

    def step(self, dt_s: float) -> None:
        """Decide, limit, follow with lag, settle."""
        self.home.panels.dark = "night" in self.misbehaviours
        seen = self.home.look(dt_s)
        self._time(dt_s)
        sight = self._sight(*seen)
        wish = self._decide(sight)
        target = self._target(wish, sight, dt_s)
        self._aim(wish, target)
        self.curtailed = target.pv_w < sight.pv_available_w - _CHANGED_W
        battery_w = self._battery.step(dt_s) if self.battery_awake else 0.0
        self._battery.value_w = battery_w
        flows = self.home.settle(seen, self._pv.step(dt_s) if self.running else 0.0, battery_w, dt_s)
        self.peak_ac_w = max(self.peak_ac_w, flows.ac_w)

    def _time(self, dt_s: float) -> None:
        self.schedule.age_s += dt_s
        if self.profile.firmware.live_power:
            self.forcible.take_power(self.bank)
        if self.forcible.step(dt_s, self.home.battery.soc_pct, expires=self.profile.firmware.expires):
            self.bank.put("forcible_command", 0)

    def _sight(self, available_w: float, load_w: float) -> Sight:
        home = self.home
        day = int((home.epoch_s + home.time_s) // 86_400)
        weekday = (day + 4) % 7  # day 0 was a Thursday; bit 0 of the day masks is Sunday
        minute = home.second_of_day / 60
        return Sight(available_w, load_w, home.battery.soc_pct, minute, weekday, self.meter_online)

    def _decide(self, sight: Sight) -> Wish:
        calibration_w = self.misbehaviours.calibration_w
        if calibration_w is not None:
            return Wish("calibration", 0, calibration_w, forced=True)
        obeyed = Forcible() if "ignore_setpoint" in self.misbehaviours else self.forcible
        wish = decide(self.bank, self.profile.firmware, obeyed, sight)
        return replace(wish, battery_w=self.misbehaviours.followed_w(wish.battery_w)) if wish.forced else wish

    def _target(self, wish: Wish, sight: Sight, dt_s: float) -> Target:
        if not self.running:
            return Target(0.0, 0.0)
        self.stops.look(sight.soc_pct, self.bank.number("charge_cutoff_soc"), self._floor_pct(wish))
        bounds_w = battery_bounds_w(self.bank, self.ceilings_w, self.stops)
        return fit(wish, sight, bounds_w, ac_cap_w(self.bank, self.profile, self._ramped_schedule_w(dt_s), sight))

    def _floor_pct(self, wish: Wish) -> float:
        reserve = 0.0 if wish.forced else self.bank.number("backup_soc")
        return max(self.bank.number("discharge_cutoff_soc"), reserve)

    def _ramped_schedule_w(self, dt_s: float) -> float:
        """The AC limit moves by 42017 percent of Pmax a second."""
        goal_w = self.schedule.limit_w(self.bank, self.profile)
        most_w = self.bank.number("active_gradient") / 100 * self.profile.model.pmax_w * dt_s
        self._schedule_w += max(-most_w, min(most_w, goal_w - self._schedule_w))
        return self._schedule_w

    def _aim(self, wish: Wish, target: Target) -> None:
        """A new command waits and lags; the own regulation only lags."""
        timing, lag = self.profile.timing, self._battery
        if self.wish.mode == _STARTING:
            lag.value_w, self._pv.value_w = target.battery_w, target.pv_w
        if not wish.forced:
            lag.aim(target.battery_w, tau_s=timing.own_tau_s)
        elif abs(target.battery_w - lag.target_w) > _CHANGED_W or not self.wish.forced:
            self._command(target.battery_w)
        pv_wait_s = timing.pv_recovery_wait_s if self.wish.forced and not wish.forced else self._pv.wait_s
        self._pv.aim(target.pv_w, tau_s=timing.pv_tau_s, wait_s=pv_wait_s)
        self.wish = wish

    def _command(self, battery_w: float) -> None:
        timing, lag = self.profile.timing, self._battery
        at_rest = abs(lag.value_w) < _RESTING_W
        settled = not self.wish.forced or abs(lag.value_w - lag.target_w) < _RESTING_W
        fresh_wait_s = (timing.rest_wait_s if at_rest else timing.moving_wait_s) if settled else 0.0
        wait_s = lag.wait_s if lag.wait_s > 0 else fresh_wait_s
        lag.aim(battery_w, tau_s=timing.rest_tau_s if at_rest else timing.moving_tau_s, wait_s=wait_s)

    # -- what it is at the moment --------------------------------------------------------------

    @property
    def meter_online(self) -> bool:
        """False while the meter is gone."""
        return "meter_offline" not in self.misbehaviours

    @property
    def status(self) -> int:
        """Storage status as in 37000: 0 offline, 1 standby, 2 running, 3 fault, 4 sleep."""
        if self.storage_status is not None:
            return self.storage_status
        if "battery_fault" in self.misbehaviours:
            return 3
        if "sleep" in self.misbehaviours:
            return 4
        return 2 if abs(self.home.flows.battery_w) > _RESTING_W else 1

    @property
    def battery_awake(self) -> bool:
        """True when the battery can give or take power."""
        return self.running and self.status in {1, 2}

    @property
    def ceilings_w(self) -> tuple[float, float]:
        """Live charge and discharge ceilings."""
        healthy = self.status in {1, 2, 4}
        return live_ceilings_w(self.profile, self.home.battery.temperature_c, healthy=healthy)

    @property
    def shown_serial(self) -> str:
        """The serial that it gives."""
        return self.misbehaviours.shown_serial(self.serial)

    @property
    def dongle_serial(self) -> str:
        """The dongle's own serial."""
        return f"DNG{self.shown_serial[3:]}"

    @property
    def active_alarms(self) -> set[int]:
        """Alarm ids: those set from outside and those that its condition raises."""
        raised = {2067: not self.meter_online, 2068: self.status == 3}
        return self.alarms | {alarm for alarm, now in raised.items() if now}

    # -- control from outside ------------------------------------------------------------------

    def state(self) -> dict[str, object]:
        """Mode, alarms and control registers."""
        charge_w, discharge_w = self.ceilings_w
        rows = [row for row in self.bank.table if _writable(row) and row.numeric and row.readable]
        return {
            "mode": self.wish.mode,
            "mode_code": self.wish.code,
            "forcible_remaining_min": self.forcible.remaining_min,
            "max_charge_power_w": charge_w,
            "max_discharge_power_w": discharge_w,
            "storage_status": self.status,
            "running": self.running,
            "meter_online": self.meter_online,
            "alarms": sorted(self.active_alarms),
            "registers": {row.name: self.bank.raw(row.name) for row in rows},
        }

    def apply(self, key: str, value: object) -> bool:
        """Keys of ``POST /set`` that belong to this brand."""
        setters: wanted.Setters = {
            "alarms": self._set_alarms,
            "meter_online": lambda on: self.misbehaviours.set("meter_offline", not wanted.flag(key, on), {}),
            "storage_status": self._set_status,
            "grid_frequency_hz": lambda found: setattr(self, key, wanted.number(key, found, 45, 55)),
            "grid_voltage_v": lambda found: setattr(self, key, wanted.number(key, found, 0, 300)),
        }
        return wanted.apply(setters, key, value)

    def _set_alarms(self, value: object) -> None:
        known = {alarm for word in facts()["alarms"].values() for alarm in word}
        if not isinstance(value, list) or not known.issuperset(value):
            raise OptionError(f"alarms wants a list of alarm ids out of {sorted(known)}, not {value!r}")
        self.alarms = set(value)

    def _set_status(self, value: object) -> None:
        if value is not None and value not in (0, 1, 2, 3, 4):
            raise OptionError(f"storage_status wants 0..4 or null, not {value!r}")
        self.storage_status = None if value is None else int(str(value))

    def _build(self, kept: Mapping[str, Words]) -> None:
        """Make the banks, with defaults and with what is kept."""
        self.peak_ac_w = 0.0
        self._banks = {self.unit: inverter_bank(self.profile)}
        if self.profile.path.dongle_unit is not None:
            self._banks[self.profile.path.dongle_unit] = dongle_bank()
        telemetry.fill_fixed(self)
        self.bank.restore(kept)


def _writable(register: Register) -> bool:
    return register.single_write or register.block_write
