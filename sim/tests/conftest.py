"""A toy brand: three registers, a battery that does at once what its set-point says."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import pytest
from samspel_sim.bank import Bank
from samspel_sim.behaviour import HangUp, LinkTraits, Login, OptionError, Silence
from samspel_sim.misbehave import Misbehaviours
from samspel_sim.physics import default_home
from samspel_sim.registers import Register, Space, Table, Words
from samspel_sim.twin import Twin

POWER = Register("power", 10, 2, "i32", single_write=False, block_write=True)
MODE = Register("mode", 12, 1, "u16", single_write=True, block_write=True)
METER = Register("meter", 20, 1, "i16")
SOC = Register("soc", 10, 1, "u16", space=Space.INPUT, scale=0.1)


class Toy:
    """A behaviour as small as it can be."""

    brand, model, serial, firmware, unit = "toy", "T1", "S1", "1.0", 1

    def __init__(self, link: LinkTraits) -> None:
        self.link = link
        self.home = default_home(1)
        self.misbehaviours = Misbehaviours(("ignore_setpoint", "reboot", "firmware"))
        self.banks: Mapping[int, Bank] = {1: Bank(Table([POWER, MODE, METER, SOC]), gap=8)}
        self.restarts: list[str | None] = []
        self.hang_up_at: int | None = None

    def step(self, dt_s: float) -> None:
        seen = self.home.look(dt_s)
        power_w = 0 if "ignore_setpoint" in self.misbehaviours else self.banks[1].number("power")
        self.home.settle(seen, seen[0], power_w, dt_s)

    def refresh(self) -> None:
        self.banks[1].put_clamped("soc", self.home.battery.soc_pct)
        self.banks[1].put_clamped("meter", self.home.flows.grid_w)

    def before_read(self, unit: int, addresses: range) -> None:
        if self.hang_up_at in addresses:
            raise HangUp

    def check_write(self, unit: int, parts: Sequence[tuple[Register, Words]], login: Login, now_s: float) -> int:
        return 4 if any(row is MODE and words[0] > 9 for row, words in parts) else 0

    def written(self, unit: int, parts: Sequence[tuple[Register, Words]], login: Login, now_s: float) -> None:
        pass

    def other_function(self, unit: int, pdu: bytes, login: Login, now_s: float, rng: random.Random) -> bytes:
        if unit != 1:
            raise Silence
        return bytes([pdu[0] | 0x80, 1])

    def restart(self, firmware: str | None) -> None:
        if firmware == "unknown":
            raise OptionError("no such firmware")
        self.restarts.append(firmware)

    def state(self) -> dict[str, object]:
        return {"mode": self.banks[1].raw("mode"), "registers": {"power": self.banks[1].raw("power")}}

    def apply(self, key: str, value: object) -> bool:
        return key == "colour"


class Hand:
    """A clock moved by hand."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def hand():
    return Hand()


@pytest.fixture
def make_toy(hand):
    """Makes a toy twin; link traits by keyword."""

    def make(*, clock=None, speed=1.0, seed=1, **link):
        return Twin(Toy(LinkTraits(**link)), clock=clock or hand, seed=seed, speed=speed)

    return make
