"""A SUN2000 that we did not write. Addresses and widths come from the dossier's table, values and signs from its text.

Its battery simply does what register 47100 says.
"""

from __future__ import annotations

import csv
from importlib.resources import files

from . import foreign
from .foreign import ForeignInverter, Words, at, delivered, home_of, number_words, serving, text_words, zeros
from .patience import until
from .scenes import Backstage, Scenes

scenes = Scenes()
stage = scenes.stage()

BATTERY_POWER, COMMAND, CHARGE_W, DISCHARGE_W, PERIOD = 37765, 47100, 47247, 47249, 47083
CHARGE_LIMIT, DISCHARGE_LIMIT = 47075, 47077

VALUES = {
    30073: (10000, 2), 30075: (11000, 2), 32064: (3210, 2), 32080: (-2700, 2), 32085: (5002, 1), 32089: (0x0200, 1),
    37000: (2, 1), 37004: (655, 1), 37022: (251, 1), 37046: (5000, 2), 37048: (4800, 2), 37100: (1, 1),
    37113: (-1234, 2), 37138: (1, 1), 37758: (10000, 2), 37760: (655, 1), 37762: (2, 1), 47000: (2, 1),
    CHARGE_LIMIT: (5000, 2), DISCHARGE_LIMIT: (4500, 2), 47081: (1000, 1), 47082: (120, 1), 47086: (2, 1),
}  # fmt: skip
TEXTS = {30000: ("SUN2000-8KTL-M1", 15), 30015: ("HV2230012345", 10), 30035: ("V100R001C00SPC168", 15)}


class Sun2000(ForeignInverter):
    """In its registers charging is positive; high word first."""

    def number(self, address: int) -> int:
        return self.holding[address] << 16 | self.holding[address + 1]

    @property
    def battery_power_w(self) -> int:
        commanded = {1: -self.number(CHARGE_W), 2: self.number(DISCHARGE_W)}
        return commanded.get(self.holding[COMMAND], -500)

    def measure(self) -> None:
        self.holding.update(at(BATTERY_POWER, number_words(-self.battery_power_w, 2)))


def sun2000() -> Sun2000:
    """Every readable word of the dossier at 0, then the values of this test."""
    table = files("samspel_huawei") / "twin" / "registers.csv"
    rows = csv.DictReader(table.read_text("utf-8").splitlines())
    words: Words = zeros((int(row["address"]), int(row["count"])) for row in rows if "R" in row["access"])
    for address, (number, count) in VALUES.items():
        words.update(at(address, number_words(number, count)))
    for address, (text, count) in TEXTS.items():
        words.update(at(address, text_words(text, count)))
    return Sun2000(words)


@scenes
async def read_by_hand(backstage: Backstage) -> None:
    async with serving(sun2000()) as inverter:
        identity, telemetry = await foreign.read_by_hand(backstage.folder / "read", inverter)
        assert identity["model"] == "SUN2000-8KTL-M1"
        assert identity["serial"] == "HV2230012345"
        assert identity["firmware"] == "V100R001C00SPC168"
        wanted = {
            "battery_power_w": -500,
            "soc_pct": 65.5,
            "pv_power_w": 3210,
            "grid_power_w": 1234,
            "charge_limit_w": 5000,
            "discharge_limit_w": 4800,
            "grid_frequency_hz": 50.02,
            "battery_temperature_c": 25.1,
            "rated_power_w": 10000,
            "battery_state": "running",
        }
        assert {name: telemetry.get(name) for name in wanted} == wanted


@scenes
async def commanded_by_hand(backstage: Backstage) -> None:
    """parameters, then the trigger; at the end everything as it was, the trigger first"""
    async with serving(sun2000()) as inverter:
        await foreign.commanded_by_hand(backstage.folder / "command", inverter, -1500)
        taken, given_back = inverter.written[:3], inverter.written[3:]
        assert taken == [(CHARGE_W, 0, 1500), (PERIOD, 2), (COMMAND, 1)]
        assert given_back[0] == (COMMAND, 0)
        assert sorted(given_back[1:]) == [(PERIOD, 0), (CHARGE_W, 0, 0)]


@scenes
async def under_an_edge(backstage: Backstage) -> None:
    """both directions, a held zero by the limits, a stop, and the limits exactly as they were"""
    inverter = sun2000()
    async with home_of(inverter, backstage, "edge", "huawei") as home:
        told = home.dispatcher
        for power_w in (2500.0, -1500.0):
            await delivered(home, inverter, power_w)
        zero = await told.send("set_power", power_w=0.0)
        await told.outcome(zero, stage="verified", rung="limits")
        assert inverter.number(CHARGE_LIMIT) == inverter.number(DISCHARGE_LIMIT) == inverter.holding[COMMAND] == 0
        stop = await told.send("stop")
        await told.outcome(stop, stage="verified")
        await told.outcome(await told.send("release"), end="completed")
        assert (inverter.number(CHARGE_LIMIT), inverter.number(DISCHARGE_LIMIT)) == (5000, 4500)
        assert (inverter.number(CHARGE_W), inverter.number(DISCHARGE_W)) == (0, 0)
        assert (inverter.holding[COMMAND], inverter.holding[PERIOD]) == (0, 0)
        await until(lambda: home.phase() == "released")


test_scene = scenes.test()
