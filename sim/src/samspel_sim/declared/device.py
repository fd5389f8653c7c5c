"""The behaviour that the engine runs for a declared twin."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

from samspel_sim import wanted
from samspel_sim.bank import Bank
from samspel_sim.behaviour import LinkTraits, Login, Silence, TwinOptions
from samspel_sim.declared import registers
from samspel_sim.declared.choice import choose
from samspel_sim.declared.control import Wish, power_w, wish
from samspel_sim.declared.declaration import Declaration
from samspel_sim.declared.quantities import Moment
from samspel_sim.misbehave import Misbehaviours
from samspel_sim.pdu import ILLEGAL_FUNCTION, exception
from samspel_sim.physics import Lag, default_home
from samspel_sim.registers import Register, Words

__all__ = ["DeclaredDevice"]

KNOWN_MISBEHAVIOURS = (
    "ignore_setpoint", "clamp", "reverse", "meter_offline", "sleep", "night", "battery_fault",
    "other_serial", "reboot", "firmware",
)  # fmt: skip
_CHANGED_W = 1.0


class DeclaredDevice:
    """One device, as its declaration says."""

    def __init__(self, declared: Declaration, options: TwinOptions) -> None:
        choice = choose(declared, options)
        self.declared = declared
        self.brand = declared.brand
        self.model = choice.model.name
        self.firmware = choice.firmware
        self.unit = choice.unit
        self.serial = f"{declared.serial_prefix}{options.seed % 10**8:08d}"
        self.misbehaviours = Misbehaviours(KNOWN_MISBEHAVIOURS)
        self.home = default_home(
            options.seed,
            soc_pct=options.soc_pct,
            capacity_wh=choice.model.capacity_wh,
            ac_limit_w=choice.model.ac_limit_w,
        )
        self.home.epoch_s = options.epoch_s
        self.home.panels.by_day = choice.by_day
        self.grid_frequency_hz = 50.0
        self.grid_voltage_v = 230.0
        self._model = choice.model
        self._link = choice.link
        self._lag = Lag(tau_s=declared.timing.own_tau_s)
        self._wish = Wish("own", 0.0, forced=False)
        self._silent_s = 0.0
        self._waking_s: float | None = None
        self._bank = registers.fresh_bank(declared, self._model)
        self._show()

    # -- what the engine asks ------------------------------------------------------------------

    @property
    def banks(self) -> Mapping[int, Bank]:
        """One unit."""
        return {self.unit: self._bank}

    @property
    def link(self) -> LinkTraits:
        """How it treats connections."""
        return self._link

    def before_read(self, unit: int, addresses: range) -> None:  # noqa: ARG002 - the engine passes more than it needs
        """A silent night answers nothing."""
        if self.misbehaviours.silent:
            raise Silence

    def check_write(self, unit: int, parts: Sequence[tuple[Register, Words]], login: Login, now_s: float) -> int:  # noqa: ARG002
        """The first refusal that a setting declares."""
        self.before_read(unit, range(0))
        moment = self._moment()
        refusals = (registers.refusal(self.declared, self._bank, moment, row, words) for row, words in parts)
        return next((code for code in refusals if code), 0)

    def written(self, unit: int, parts: Sequence[tuple[Register, Words]], login: Login, now_s: float) -> None:  # noqa: ARG002
        """Feed the heartbeat, wake or fall asleep, and clear what does not outlive a command."""
        for row, words in parts:
            self._act(row, words)

    def other_function(self, unit: int, pdu: bytes, login: Login, now_s: float, rng: random.Random) -> bytes:  # noqa: ARG002
        """It knows the register functions only."""
        if unit != self.unit:
            raise Silence
        self.before_read(unit, range(0))
        return exception(pdu[0], ILLEGAL_FUNCTION)

    def refresh(self) -> None:
        """Measurements, texts and fault bits into their registers."""
        self._show()

    def restart(self, firmware: str | None) -> None:
        """Volatile settings go back to their defaults; everything else stays."""
        if firmware is not None:
            self.firmware = wanted.one_of("firmware", firmware, self.declared.firmware)
        registers.forget_volatile(self.declared, self._bank)
        self._silent_s, self._waking_s = 0.0, None
        self._show()

    # -- a step --------------------------------------------------------------------------------

    def step(self, dt_s: float) -> None:
        """Decide, limit, follow with lag, settle."""
        self.home.panels.dark = "night" in self.misbehaviours
        seen = self.home.look(dt_s)
        self._age(dt_s)
        self._aim(self._decided(*seen))
        battery_w = self._lag.step(dt_s) if self._awake else 0.0
        self._lag.value_w = battery_w
        self.home.settle(seen, seen[0], battery_w, dt_s)

    def _age(self, dt_s: float) -> None:
        self._silent_s += dt_s
        if self._waking_s is not None:
            self._waking_s -= dt_s
            if self._waking_s <= 0:
                self._waking_s = None
                self.misbehaviours.set("sleep", False, {})

    def _decided(self, pv_w: float, load_w: float) -> Wish:
        own_w = load_w - pv_w if self.meter_online else 0.0
        control = self.declared.control
        found = wish(control, self._bank, self._model, own_w, alive=self._alive)
        if found.forced and "ignore_setpoint" in self.misbehaviours:
            found = Wish("own", own_w, forced=False)
        return replace(found, battery_w=self.misbehaviours.followed_w(found.battery_w)) if found.forced else found

    def _aim(self, found: Wish) -> None:
        """A new command waits and lags; the device's own regulation only lags."""
        timing, lag = self.declared.timing, self._lag
        target_w = self._limited_w(found.battery_w)
        if found.forced:
            new = found.mode != self._wish.mode or abs(target_w - lag.target_w) > _CHANGED_W
            wait_s = timing.dead_s if new and lag.wait_s <= 0 else lag.wait_s
            lag.aim(target_w, tau_s=timing.tau_s, wait_s=wait_s)
        else:
            lag.aim(target_w, tau_s=timing.own_tau_s)
        self._wish = found

    def _limited_w(self, wanted_w: float) -> float:
        limits, soc_pct = self.declared.limits, self.home.battery.soc_pct
        charge_w = min([self._model.charge_w, *self._watts(limits.charge)])
        discharge_w = min([self._model.discharge_w, *self._watts(limits.discharge)])
        low_w = -charge_w if soc_pct < self._percent(limits.soc_ceiling) else 0.0
        high_w = discharge_w if soc_pct > self._percent(limits.soc_floor) else 0.0
        return max(low_w, min(high_w, wanted_w))

    def _watts(self, names: Sequence[str]) -> list[float]:
        return [power_w(self._bank, name, self._model) for name in names]

    def _percent(self, bound: float | str) -> float:
        return self._bank.number(bound) if isinstance(bound, str) else bound

    # -- what it is at the moment --------------------------------------------------------------

    @property
    def meter_online(self) -> bool:
        """False while the meter is gone."""
        return "meter_offline" not in self.misbehaviours

    @property
    def _awake(self) -> bool:
        return not self.misbehaviours.battery_out

    @property
    def _alive(self) -> bool:
        heartbeat = self.declared.control.heartbeat
        if heartbeat is None:
            return True
        timeout_s = heartbeat.timeout_s
        if timeout_s is None:
            timeout_s = self._bank.number(heartbeat.register)
        return timeout_s == 0 or self._silent_s < timeout_s

    def _moment(self) -> Moment:
        faulty = "battery_fault" in self.misbehaviours
        return Moment(
            home=self.home,
            rated_w=self._model.rated_w,
            charge_limit_w=0.0 if faulty else self._model.charge_w,
            discharge_limit_w=0.0 if faulty else self._model.discharge_w,
            battery_v=self._model.battery_v,
            grid_v=self.grid_voltage_v,
            grid_hz=self.grid_frequency_hz,
            meter_online=self.meter_online,
            asleep="sleep" in self.misbehaviours,
            faulty=faulty,
        )

    # -- registers and control from outside ----------------------------------------------------

    def _act(self, row: Register, words: Words) -> None:
        control, wake = self.declared.control, self.declared.wake
        raw = row.decode_raw(words) if row.numeric else 0
        if control.heartbeat and row.name == control.heartbeat.register:
            self._silent_s = 0.0
        if wake and row.name == wake.register:
            self._rouse(raw)
        if row.name == control.mode and control.modes.get(raw, "own") == "own":
            for name in control.clears:
                self._bank.put(name, 0)

    def _rouse(self, raw: int) -> None:
        wake = self.declared.wake
        if wake and raw == wake.value and "sleep" in self.misbehaviours:
            self._waking_s = wake.takes_s
        elif wake and raw == wake.sleeps:
            self._waking_s = None
            self.misbehaviours.set("sleep", True, {})

    def _show(self) -> None:
        shown = {
            "model": self.model,
            "serial": self.misbehaviours.shown_serial(self.serial),
            "firmware": self.firmware,
        }
        registers.show_texts(self.declared, self._bank, shown)
        registers.show_measurements(self.declared, self._bank, self._moment())
        registers.show_faults(self.declared, self._bank, set(self.misbehaviours.on()))

    def state(self) -> dict[str, object]:
        """Mode in force and the registers that can be written."""
        rows = [
            row for row in self._bank.table if row.numeric and row.readable and (row.single_write or row.block_write)
        ]
        return {
            "mode": self._wish.mode,
            "asleep": "sleep" in self.misbehaviours,
            "meter_online": self.meter_online,
            "registers": {row.name: self._bank.raw(row.name) for row in rows},
        }

    def apply(self, key: str, value: object) -> bool:
        """`grid_frequency_hz`, `grid_voltage_v` and `meter_online` of ``POST /set``."""
        setters: wanted.Setters = {
            "grid_frequency_hz": lambda found: setattr(self, key, wanted.number(key, found, 45, 65)),
            "grid_voltage_v": lambda found: setattr(self, key, wanted.number(key, found, 1, 300)),
            "meter_online": lambda found: self.misbehaviours.set("meter_offline", not wanted.flag(key, found), {}),
        }
        return wanted.apply(setters, key, value)
