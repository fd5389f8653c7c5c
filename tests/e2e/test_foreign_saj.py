"""An HS2-10K-T2 behind its AIO3 module that we did not write, by the dossier's own hexadecimal addresses.

Holding registers only, high word first; any unit id is answered; writes are single. Powers are shares of the rated
power: per mille in passive mode, whole percent in slots, and a slot ends by the inverter's own clock. What is left in
the passive registers caps every other mode.
"""

from __future__ import annotations

import time
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pymodbus.constants import ExcCodes

from . import foreign
from .foreign import ANY_UNIT, WRITE_ONE, ForeignInverter, Words, at, number_words, serving, text_words, zeros
from .patience import until
from .real import RealHome
from .scenes import Backstage, Scenes

scenes = Scenes()
stage = scenes.stage()

CHARGE_SLOTS, DISCHARGE_SLOTS = 0x3604, 0x3605
CHARGE_7, DISCHARGE_7 = 0x3618, 0x362D
"""Start; its end and its days with its percent follow."""
PASSIVE, CHARGE_SHARE, DISCHARGE_SHARE = 0x3636, 0x3639, 0x363A
APP_MODE, OUTSIDE_SLOTS, TO_GRID, RATED_POWER, SETTINGS_SERIAL = 0x3647, 0x365F, 0x3660, 0x366D, 0x401B
SELF_USE, TIME_OF_USE, PASSIVE_MODE = 0, 1, 3
SLOT_7, EVERY_DAY = 0x40, 0x7F
RATED_W, OWN_LOGIC_W, PV_W, LOAD_W = 10_000, -500, 3210, 1476
DISCHARGING = ("--accept", "load_following")
"""A slot that discharges may follow the house: the sources disagree."""
NOON = datetime(2026, 3, 4, 12, 7)  # noqa: DTZ001 - an inverter's clock knows no zone

RANGES = [(0x3600, 0x78), (0x4000, 0xFF), (0x8F00, 29), (0xA000, 0x66)]
TEXTS = {0x8F03: ("HS2P010T2340001", 10), 0x8F0D: ("HS2-10K-T2", 10)}
VALUES = {
    0x3606: 0x0200, 0x3607: 0x0500, 0x3608: 0x7F32, CHARGE_SLOTS: 1, CHARGE_SHARE: 1100, DISCHARGE_SHARE: 1100,
    0x3644: 20, 0x3645: 10, 0x3646: 100, APP_MODE: SELF_USE, 0x364D: 1100, 0x364E: 1100, 0x364F: 1100, 0x3650: 1100,
    0x3651: 100, OUTSIDE_SLOTS: 1, TO_GRID: 1, RATED_POWER: RATED_W, 0x4004: 2, 0x4010: 351, 0x4030: 2, 0x4031: 2301,
    0x4033: 5002, 0x4038: 2312, 0x403F: 2323, 0x4046: 2302, 0x4069: 4000, 0x406E: 251, 0x406F: 6550, 0x4095: 1,
    0x40A0: LOAD_W, 0x40A5: PV_W, 0x8F00: 0x0060, 0x8F02: 1234, 0x8F18: 4066, 0xA000: 1, 0xA00C: 6550, 0xA036: 240,
    0xA037: 250, 0xA03C: 1, 0xA03F: 0x10000 - 400, 0xA045: 0x10000 - 434, 0xA04B: 0x10000 - 400,
}  # fmt: skip
ENERGIES = {0x40C5: 1_234_560, 0x40CD: 70_001, 0x40D5: 65_537}
"""PV, charged, discharged: totals at 0.01 kWh."""


@dataclass
class Hs2(ForeignInverter):
    """Battery: discharging is positive. Meter: importing is, but the flag beside it says +1 for export."""

    started_s: float = field(default_factory=time.monotonic)

    def refuses(self, function: int, words: Words) -> ExcCodes | None:
        """One register at a time. Every change of a setting is counted."""
        if function != WRITE_ONE:
            return ExcCodes.ILLEGAL_FUNCTION
        self.holding[SETTINGS_SERIAL] += 1
        return None

    @property
    def now(self) -> datetime:
        return NOON + timedelta(seconds=time.monotonic() - self.started_s)

    def measure(self) -> None:
        now, battery_w = self.now, self.battery_power_w
        grid_w = LOAD_W - PV_W - battery_w
        clock = (now.year, now.month << 8 | now.day, now.hour << 8 | now.minute, now.second << 8)
        self.holding.update(at(0x4000, clock))
        for address, value in {
            0x4022: self.holding[APP_MODE], 0x406A: round(battery_w / 4), 0x4096: sign(battery_w),
            0x4097: -sign(grid_w), 0x40A6: battery_w, 0x40AD: grid_w,
        }.items():  # fmt: skip
            self.holding.update(at(address, number_words(value)))

    @property
    def battery_power_w(self) -> int:
        mode = self.holding[APP_MODE]
        if mode == PASSIVE_MODE:
            shares = {1: self.holding[DISCHARGE_SHARE], 2: -self.holding[CHARGE_SHARE]}
            return shares.get(self.holding[PASSIVE], 0) * RATED_W // 1000
        if mode == TIME_OF_USE and (percent := self._slots_pct()):
            return self._capped(percent * RATED_W // 100)
        if mode == TIME_OF_USE and self.holding[OUTSIDE_SLOTS] == 0:
            return 0
        return self._capped(OWN_LOGIC_W)

    def _capped(self, power_w: int) -> int:
        """What is left in the passive registers holds in every other mode."""
        charge_w, discharge_w = (self.holding[share] * RATED_W // 1000 for share in (CHARGE_SHARE, DISCHARGE_SHARE))
        return max(-charge_w, min(discharge_w, power_w))

    def _slots_pct(self) -> int:
        charge, discharge = (
            sum(self._slot_pct(first + 3 * slot) for slot in range(7) if self.holding[mask] >> slot & 1)
            for mask, first in ((CHARGE_SLOTS, 0x3606), (DISCHARGE_SLOTS, 0x361B))
        )
        return discharge - charge

    def _slot_pct(self, start: int) -> int:
        """Hour and minute as two bytes, so that they compare as numbers do; bit 0 of the days is Monday."""
        now = self.now
        days, percent = divmod(self.holding[start + 2], 0x100)
        runs = self.holding[start] <= now.hour << 8 | now.minute < self.holding[start + 1]
        return percent if runs and days >> now.weekday() & 1 else 0

    @property
    def settings(self) -> Words:
        return {address: word for address, word in self.holding.items() if 0x3600 <= address < 0x3700}


def sign(value: int) -> int:
    return (value > 0) - (value < 0)


def hs2() -> Hs2:
    """Everything that it has at 0, then the values of this test. The household has a slot of its own, at night."""
    inverter = Hs2(zeros(RANGES) | VALUES)
    for address, (text, count) in TEXTS.items():
        inverter.holding.update(at(address, text_words(text, count)))
    for address, total in ENERGIES.items():
        inverter.holding.update(at(address, number_words(total, 2)))
    inverter.measure()
    return inverter


@scenes
async def read_by_hand(backstage: Backstage) -> None:
    """at a unit id that nobody gave it; the total of import and export is refused and left out"""
    async with serving(hs2(), unit=ANY_UNIT) as inverter:
        identity, telemetry = await foreign.read_by_hand(backstage.folder / "read", inverter, "?unit=2")
        assert identity["model"] == "HS2-10K-T2"
        assert identity["serial"] == "HS2P010T2340001"
        assert identity["firmware"] == "V4.066"
        wanted = {
            "battery_power_w": -500,
            "battery_voltage_v": 400.0,
            "battery_temperature_c": 25.1,
            "soc_pct": 65.5,
            "soc_floor_pct": 20,
            "soc_ceiling_pct": 100,
            "charge_limit_w": 10_000,
            "discharge_limit_w": 9_600,
            "pv_power_w": 3210,
            "load_power_w": 1476,
            "grid_power_w": -1234,
            "grid_power_l2_w": -434,
            "grid_frequency_hz": 50.02,
            "grid_voltage_l3_v": 232.3,
            "rated_power_w": 10_000,
            "inverter_state": "on_grid",
            "inverter_temperature_c": 35.1,
            "pv_energy_wh": 12_345_600,
            "battery_charged_wh": 700_010,
            "battery_discharged_wh": 655_370,
            "grid_imported_wh": None,
        }
        assert {name: telemetry.get(name) for name in wanted} == wanted


async def commanded(backstage: Backstage, inverter: Hs2, power_w: float, *words: object) -> None:
    """Until its settings are the household's again."""
    async with serving(inverter, unit=ANY_UNIT):
        before = inverter.settings
        await foreign.commanded_by_hand(backstage.folder / f"command{power_w:+g}", inverter, power_w, *words)
        assert inverter.settings == before


LIFTED = [(CHARGE_SHARE, 1000), (DISCHARGE_SHARE, 1000)]
GIVEN_BACK = [(CHARGE_SHARE, 1100), (DISCHARGE_SHARE, 1100)]


@scenes
async def charged_by_hand(backstage: Backstage) -> None:
    """what the slot is, which slot, then the mode; the mode first on the way back. Nothing is written that stands"""
    inverter, slot = hs2(), CHARGE_7
    await commanded(backstage, inverter, -1500)
    assert inverter.written == [
        (slot + 2, EVERY_DAY << 8 | 15), (slot + 1, 12 << 8 | 15), (slot, 12 << 8 | 5), (CHARGE_SLOTS, SLOT_7),
        (APP_MODE, TIME_OF_USE), *LIFTED,
        (APP_MODE, SELF_USE), (CHARGE_SLOTS, 1), (slot, 0), (slot + 1, 0), (slot + 2, 0), *GIVEN_BACK,
    ]  # fmt: skip


@scenes
async def discharged_by_hand(backstage: Backstage) -> None:
    """by a machine that does not say what it is rated for: a person does. The household's own slot has to rest"""
    inverter, slot = hs2(), DISCHARGE_7
    inverter.holding[RATED_POWER] = 0
    await commanded(backstage, inverter, 2500, *DISCHARGING, "--constant", f"rated_power_w={RATED_W}")
    assert inverter.written == [
        (slot + 2, EVERY_DAY << 8 | 25), (slot + 1, 12 << 8 | 15), (slot, 12 << 8 | 5), (CHARGE_SLOTS, 0),
        (DISCHARGE_SLOTS, SLOT_7), (APP_MODE, TIME_OF_USE), *LIFTED,
        (APP_MODE, SELF_USE), (CHARGE_SLOTS, 1), (DISCHARGE_SLOTS, 0), (slot, 0), (slot + 1, 0), (slot + 2, 0),
        *GIVEN_BACK,
    ]  # fmt: skip


def home_of(inverter: Hs2, backstage: Backstage, folder: str) -> AbstractAsyncContextManager[RealHome]:
    return foreign.home_of(inverter, backstage, folder, "saj", unit=ANY_UNIT)


async def delivered(home: RealHome, inverter: Hs2, power_w: float) -> None:
    await foreign.delivered(home, inverter, power_w, accept="load_following")


async def given_back(home: RealHome, inverter: Hs2, before: Words) -> None:
    """With the power that its own logic wants: nothing that caps it was left."""
    await home.dispatcher.outcome(await home.dispatcher.send("release"), end="completed")
    assert inverter.settings == before
    assert inverter.battery_power_w == OWN_LOGIC_W


async def stopped(home: RealHome, inverter: Hs2) -> None:
    """First out of the mode in which anything is followed, then held at zero."""
    inverter.written.clear()
    await home.dispatcher.outcome(await home.dispatcher.send("stop"), stage="verified", rung="passive_zero")
    assert inverter.written[0] == (APP_MODE, SELF_USE)
    assert (inverter.holding[APP_MODE], inverter.battery_power_w) == (PASSIVE_MODE, 0)


@scenes
async def under_an_edge(backstage: Backstage) -> None:
    """each direction from the household's own settings, a held zero, a stop, and the settings exactly as they were"""
    inverter = hs2()
    before = inverter.settings
    async with home_of(inverter, backstage, "edge") as home:
        for power_w in (2500.0, -1500.0):
            await delivered(home, inverter, power_w)
            await given_back(home, inverter, before)
        zero = await home.dispatcher.send("set_power", power_w=0.0)
        await home.dispatcher.outcome(zero, stage="verified", rung="passive_zero")
        assert (inverter.holding[APP_MODE], inverter.battery_power_w) == (PASSIVE_MODE, 0)
        await stopped(home, inverter)
        await given_back(home, inverter, before)
        await until(lambda: home.phase() == "released")
        assert [one for one in home.dispatcher.messages if one["_leaf"] == "fault"] == []


@scenes
async def reversed_under_an_edge(backstage: Backstage) -> None:
    """the battery stands still for minutes before it may reverse, and a stop does not wait for that"""
    inverter = hs2()
    before = inverter.settings
    async with home_of(inverter, backstage, "reversed") as home:
        await delivered(home, inverter, 2500.0)
        await home.dispatcher.send("set_power", power_w=-1500.0)
        await until(lambda: inverter.holding[APP_MODE] == PASSIVE_MODE, "it stands still")
        assert inverter.battery_power_w == 0
        await stopped(home, inverter)
        assert inverter.holding[CHARGE_7 + 2] == 0, "it never charged"
        await given_back(home, inverter, before)


@scenes
async def left_alone(backstage: Backstage) -> None:
    """the edge is killed: the slot ends by the inverter's own clock"""
    inverter = hs2()
    async with home_of(inverter, backstage, "left") as home:
        await delivered(home, inverter, 2500.0)
        await home.edge.kill()
        inverter.started_s -= 600.0  # ten minutes pass
        assert inverter.battery_power_w == OWN_LOGIC_W


test_scene = scenes.test()
