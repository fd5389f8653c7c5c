"""An SH10RT on its own Ethernet port that we did not write. Registers have the numbers of the maker's documents.

On the wire they are one less; two tables use the same numbers; 32 bits travel low word first. Its battery follows the
command in modes 2, 3 and 4, and falls back to the inverter's own logic when nobody feeds the heartbeat.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from pymodbus.constants import ExcCodes

from . import foreign
from .foreign import ForeignInverter, Words, at, delivered, home_of, number_words, serving, text_words, zeros
from .patience import until
from .scenes import Backstage, Scenes

scenes = Scenes()
stage = scenes.stage()

MODE, COMMAND, POWER, HEARTBEAT = 13049, 13050, 13051, 13079
SELF_CONSUMPTION, COMPULSORY, EXTERNAL, VPP = 0, 2, 3, 4
CHARGE, DISCHARGE, IDLE = 0xAA, 0xBB, 0xCC
OWN_LOGIC_W, PV_W, LOAD_W = -500, 3210, 1476
MAX_POWER_W, MAX_HEARTBEAT_S = 10_600, 1000

INPUT_RANGES = [
    (2582, 11), (2597, 11), (4952, 51), (5003, 34), (5214, 2), (5242, 1), (5601, 39), (6100, 100), (13000, 47),
    (13050, 30),
]  # fmt: skip
INPUT_TEXTS = {2582: ("SAPPHIRE-H_01011.95.14", 11), 4990: ("A2340012345", 10)}
INPUT_VALUES = {
    4952: (0x0101_0700, 2), 5000: (0xE03, 1), 5001: (100, 1), 5002: (1, 1), 5008: (351, 1), 5017: (PV_W, 2),
    5019: (2301, 1), 5020: (2312, 1), 5021: (2323, 1), 5036: (500, 1), 5242: (5002, 1), 5603: (-400, 2),
    5605: (-434, 2), 5607: (-400, 2), 5628: (106, 1), 5635: (25, 1), 5636: (24, 1), 5639: (1280, 1),
    13003: (123_456, 2), 13008: (LOAD_W, 2), 13020: (4000, 1), 13023: (655, 1), 13024: (990, 1), 13025: (251, 1),
    13037: (70_001, 2), 13046: (65_537, 2), 13078: (0xFFFF_0000, 2),
}  # fmt: skip
HOLDING_RANGES = [(5000, 6), (13000, 18), (13050, 51), (33042, 1), (33047, 2), (33148, 3), (33208, 12)]
HOLDING_VALUES = {
    13000: 0xCF, 13017: 0x55, 13050: SELF_CONSUMPTION, 13051: IDLE, 13058: 950, 13059: 50, 13074: 10_000,
    13075: 0xAA, 13087: 0x55, 13088: 1000, 13089: 0x55, 13090: 1000, 13100: 5, 33047: 1060, 33048: 1060,
}  # fmt: skip


def wire(number: int) -> int:
    return number - 1


def i32(value: int) -> list[int]:
    return number_words(value, 2, low_first=True)


@dataclass
class Sh10rt(ForeignInverter):
    """Battery: discharging is positive. Meter: 13010 exports, 5601 imports. The heartbeat counts down in seconds."""

    fed_at_s: float = 0.0
    fed_s: int = 0

    def refuses(self, function: int, words: Words) -> ExcCodes | None:
        """Out of range is exception 4 here. Feeding starts the countdown."""
        after = {**self.holding, **words}
        modes = (SELF_CONSUMPTION, COMPULSORY, EXTERNAL, VPP)
        good = after[MODE] in modes and after[COMMAND] in (CHARGE, DISCHARGE, IDLE)
        if not good or after[POWER] > MAX_POWER_W or after[HEARTBEAT] > MAX_HEARTBEAT_S:
            return ExcCodes.DEVICE_FAILURE
        if HEARTBEAT in words:
            self.fed_at_s, self.fed_s = time.monotonic(), words[HEARTBEAT]
        return None

    def measure(self) -> None:
        left_s = max(0.0, self.fed_at_s + self.fed_s - time.monotonic())
        self.holding[HEARTBEAT] = round(left_s)
        if self.holding[MODE] in (EXTERNAL, VPP) and not left_s:
            self.holding[MODE] = SELF_CONSUMPTION
        battery_w = self.battery_power_w
        export_w = PV_W + battery_w - LOAD_W
        flows = (battery_w < 0) << 1 | (battery_w > 0) << 2 | (export_w > 0) << 4 | (export_w < 0) << 5 | 1 << 3 | 1
        state = {COMPULSORY: 0x0800, EXTERNAL: 0x4000, VPP: 0x4000}.get(self.holding[MODE], 0)
        for number, words in {
            5214: i32(battery_w), 5601: i32(-export_w), 5631: number_words(round(battery_w / 40)),
            13000: [state], 13001: [flows], 13010: i32(export_w), 13022: number_words(battery_w),
            13034: i32(PV_W + battery_w),
        }.items():  # fmt: skip
            self.input.update(at(wire(number), words))

    @property
    def battery_power_w(self) -> int:
        if self.holding[MODE] == SELF_CONSUMPTION:
            return OWN_LOGIC_W
        power_w = self.holding[POWER]
        return {CHARGE: -power_w, DISCHARGE: power_w}.get(self.holding[COMMAND], 0)

    @property
    def settings(self) -> Words:
        """What the owner would find changed."""
        return {address: word for address, word in self.holding.items() if address != HEARTBEAT}

    def without_heartbeats(self) -> list[tuple[int, ...]]:
        return [one for one in self.written if one != (HEARTBEAT, 20)]


def sh10rt() -> Sh10rt:
    """Everything that it has at 0, then the values of this test."""
    inverter = Sh10rt(
        holding=zeros((wire(first), count) for first, count in HOLDING_RANGES),
        input=zeros((wire(first), count) for first, count in INPUT_RANGES),
    )
    inverter.holding.update({wire(number): word for number, word in HOLDING_VALUES.items()})
    for number, (text, count) in INPUT_TEXTS.items():
        inverter.input.update(at(wire(number), text_words(text, count)))
    for number, (value, count) in INPUT_VALUES.items():
        inverter.input.update(at(wire(number), number_words(value, count, low_first=True)))
    inverter.measure()
    return inverter


@scenes
async def read_by_hand(backstage: Backstage) -> None:
    """the table, the word order and the sign of each; the battery's level is one between its two limits"""
    async with serving(sh10rt()) as inverter:
        identity, telemetry = await foreign.read_by_hand(backstage.folder / "read", inverter)
        assert identity["model"] == "SH10RT"
        assert identity["serial"] == "A2340012345"
        assert identity["firmware"] == "SAPPHIRE-H_01011.95.14"
        wanted = {
            "battery_power_w": -500,
            "battery_current_a": -1.2,
            "battery_voltage_v": 400.0,
            "soc_pct": 63.95,
            "soc_floor_pct": 5.0,
            "soc_ceiling_pct": 95.0,
            "battery_temperature_c": 25.1,
            "battery_capacity_wh": 12_800,
            "charge_limit_w": 10_000,
            "discharge_limit_w": 9_600,
            "pv_power_w": 3210,
            "ac_power_w": 2710,
            "load_power_w": 1476,
            "grid_power_w": -1234,
            "grid_power_l2_w": -434,
            "grid_frequency_hz": 50.02,
            "grid_voltage_l3_v": 232.3,
            "rated_power_w": 10_000,
            "inverter_state": "on_grid",
            "inverter_temperature_c": 35.1,
            "pv_energy_wh": 12_345_600,
            "grid_imported_wh": 7_000_100,
            "grid_exported_wh": 6_553_700,
        }
        assert {name: telemetry.get(name) for name in wanted} == wanted


async def commanded(backstage: Backstage, power_w: float, command: int) -> None:
    """Until its settings are the household's again."""
    async with serving(sh10rt()) as inverter:
        before = inverter.settings
        await foreign.commanded_by_hand(backstage.folder / f"command{power_w:+g}", inverter, power_w)
        told, fed = inverter.without_heartbeats(), (HEARTBEAT, 20)
        assert inverter.written[:2] == [fed, (MODE, EXTERNAL, command, abs(power_w))]
        assert told[1:] == [(MODE, SELF_CONSUMPTION), (COMMAND, IDLE), (POWER, 0)]
        assert inverter.settings == before


@scenes
async def charged_by_hand(backstage: Backstage) -> None:
    """the heartbeat, then one frame of three; at the end the mode first, then what it had acted on"""
    await commanded(backstage, -1500, CHARGE)


@scenes
async def discharged_by_hand(backstage: Backstage) -> None:
    await commanded(backstage, 2500, DISCHARGE)


@scenes
async def under_an_edge(backstage: Backstage) -> None:
    """both directions, each fed; a held zero, a stop, and the settings exactly as they were"""
    inverter = sh10rt()
    before = inverter.settings
    async with home_of(inverter, backstage, "edge", "sungrow") as home:
        told = home.dispatcher
        for power_w in (2500.0, -1500.0):
            await delivered(home, inverter, power_w)
        discharged, charged = (MODE, EXTERNAL, DISCHARGE, 2500), (COMMAND, CHARGE, 1500)
        assert inverter.without_heartbeats() == [discharged, (COMMAND, IDLE), charged]
        await until(lambda: inverter.written[-2:] == [(HEARTBEAT, 20)] * 2, "fed while nothing changes")
        zero = await told.send("set_power", power_w=0.0)
        await told.outcome(zero, stage="verified", rung="idle")
        assert (inverter.holding[MODE], inverter.battery_power_w) == (EXTERNAL, 0)
        inverter.written.clear()
        stop = await told.send("stop")
        await told.outcome(stop, stage="verified")
        assert inverter.written[0] == (COMMAND, IDLE)
        assert (inverter.holding[MODE], inverter.battery_power_w) == (EXTERNAL, 0)
        await told.outcome(await told.send("release"), end="completed")
        assert inverter.battery_power_w == OWN_LOGIC_W
        assert inverter.settings == before
        await until(lambda: home.phase() == "released")
        assert [one for one in told.messages if one["_leaf"] == "fault"] == []


@scenes
async def left_alone(backstage: Backstage) -> None:
    """the edge is killed: its own heartbeat runs out, and the battery is back in the inverter's hands"""
    inverter = sh10rt()
    async with home_of(inverter, backstage, "left", "sungrow") as home:
        command = await home.dispatcher.send("set_power", power_w=2500.0)
        await home.dispatcher.outcome(command, stage="verified")
        await home.edge.kill()
        assert inverter.battery_power_w == 2500
        inverter.fed_at_s -= 20.0  # its seconds pass
        inverter.measure()
        assert inverter.battery_power_w == OWN_LOGIC_W


test_scene = scenes.test()
