# ruff: noqa: ARG002 - the engine passes more than a toy needs
"""The toy's twin: a hybrid that follows mode and power with a short lag, on the simulator's engine."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path

from samspel_sim.bank import Bank
from samspel_sim.behaviour import LinkTraits, Login, Silence, TwinOptions
from samspel_sim.misbehave import Misbehaviours
from samspel_sim.pdu import DEVICE_FAILURE
from samspel_sim.physics import Lag, default_home
from samspel_sim.registers import Register, Table, Words, read_csv
from samspel_sim.wanted import one_of

__all__ = ["Toy", "twin"]

UNIT = 3
MOST_W = 5000.0
TAU_S = 1.5
FIRMWARES = ("1.4", "1.8")
OWN, CHARGE, DISCHARGE, HOLD = range(4)


class Toy:
    """The behaviour that the engine runs."""

    brand = "toy"
    model = "TINKER-5"
    unit = UNIT

    def __init__(self, options: TwinOptions) -> None:
        self.serial = f"TOY{options.seed:07d}"
        self.home = default_home(options.seed, soc_pct=options.soc_pct)
        self.misbehaviours = Misbehaviours()
        self.firmware = one_of("firmware", options.firmware or FIRMWARES[0], FIRMWARES)
        self._lag = Lag(tau_s=TAU_S)
        self._counted_s = 0.0
        self._bank = Bank(Table(read_csv(Path(__file__).with_name("registers.csv"))), gap=8)
        for name, value in (("model", self.model), ("serial", self.serial), ("firmware", self.firmware)):
            self._bank.put(name, value)
        self._bank.put("charge_most", MOST_W)

    @property
    def banks(self) -> Mapping[int, Bank]:
        """One unit."""
        return {UNIT: self._bank}

    @property
    def link(self) -> LinkTraits:
        """Prompt and patient."""
        return LinkTraits(answer_s=0.02)

    def step(self, dt_s: float) -> None:
        """Follow the mode in force, until its time is over."""
        self._count(dt_s)
        seen = self.home.look(dt_s)
        pv_w, load_w = seen
        wanted_w = {
            CHARGE: -self._bank.number("charge_power"),
            DISCHARGE: self._bank.number("discharge_power"),
            HOLD: 0.0,
        }.get(self._bank.raw("mode"), load_w - pv_w)
        most_w = min(MOST_W, self._bank.number("charge_most"))
        self._lag.aim(max(-most_w, min(MOST_W, wanted_w)), tau_s=TAU_S)
        self.home.settle(seen, pv_w, self._lag.step(dt_s), dt_s)

    def _count(self, dt_s: float) -> None:
        """Seconds that are left, if any were ever given."""
        left = self._bank.raw("seconds_left")
        self._counted_s = self._counted_s + dt_s if left else 0.0
        while left and self._counted_s >= 1.0:
            self._counted_s -= 1.0
            left -= 1
            self._bank.put("seconds_left", left)
            if not left:
                self._bank.put("mode", OWN)

    def refresh(self) -> None:
        """Measurements into registers, with the signs of this maker: charging and export positive."""
        flows, battery = self.home.flows, self.home.battery
        measured = {
            "battery_w": -flows.battery_w, "soc": battery.soc_pct,
            "charge_limit_now": MOST_W, "discharge_limit_now": MOST_W,
            "battery_state": 2 if abs(flows.battery_w) > 50 else 1,
            "grid_w": -flows.grid_w, "pv_w": flows.pv_w, "ac_w": flows.ac_w, "load_w": flows.load_w,
            "charged": battery.charged_wh / 1000, "discharged": battery.discharged_wh / 1000, "frequency": 50.0,
        }  # fmt: skip
        later = self.firmware == FIRMWARES[1]
        measured["temperature_later" if later else "temperature"] = battery.temperature_c
        for name, value in measured.items():
            self._bank.put_clamped(name, value)

    def before_read(self, unit: int, addresses: range) -> None:
        """Everything may be read at any time."""

    def check_write(self, unit: int, parts: Sequence[tuple[Register, Words]], login: Login, now_s: float) -> int:
        """Powers beyond its size and unknown modes get exception 4."""
        most = {"mode": HOLD}
        wrong = [row for row, words in parts if row.decode_raw(words) > most.get(row.name, MOST_W)]
        return DEVICE_FAILURE if wrong else 0

    def written(self, unit: int, parts: Sequence[tuple[Register, Words]], login: Login, now_s: float) -> None:
        """The step looks at the registers itself."""

    def other_function(self, unit: int, pdu: bytes, login: Login, now_s: float, rng: random.Random) -> bytes:
        """It knows none."""
        raise Silence

    def restart(self, firmware: str | None) -> None:
        """Volatile registers are lost."""
        for name in ("charge_power", "discharge_power", "mode", "seconds_left"):
            self._bank.put(name, 0)

    def state(self) -> dict[str, object]:
        """Mode and control registers."""
        names = ("charge_power", "discharge_power", "charge_most", "mode", "seconds_left")
        return {"mode": self._bank.raw("mode"), "registers": {name: self._bank.raw(name) for name in names}}

    def apply(self, key: str, value: object) -> bool:
        """It has no settings of its own."""
        return False


def twin(options: TwinOptions) -> Toy:
    """The device."""
    return Toy(options)
