"""A SUN2000 that we did not write: pymodbus' own server holding the registers of the dossier, with values set here.

Nothing of our twins and nothing of our maps is behind it: addresses and widths come from the dossier's table, values
and signs from its text. Its battery simply does what register 47100 says.
"""

from __future__ import annotations

import csv
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from .commands import samspel
from .real import real_home, until
from .scenes import Backstage, Scenes

scenes = Scenes()
stage = scenes.stage()

WRITE_FUNCTIONS = (6, 16)
BATTERY_POWER, COMMAND, CHARGE_W, DISCHARGE_W, PERIOD = 37765, 47100, 47247, 47249, 47083
CHARGE_LIMIT, DISCHARGE_LIMIT = 47075, 47077

VALUES = {
    30073: (10000, 2), 30075: (11000, 2), 32064: (3210, 2), 32080: (-2700, 2), 32085: (5002, 1), 32089: (0x0200, 1),
    37000: (2, 1), 37004: (655, 1), 37022: (251, 1), 37046: (5000, 2), 37048: (4800, 2), 37100: (1, 1),
    37113: (-1234, 2), 37138: (1, 1), 37758: (10000, 2), 37760: (655, 1), 37762: (2, 1), 47000: (2, 1),
    CHARGE_LIMIT: (5000, 2), DISCHARGE_LIMIT: (4500, 2), 47081: (1000, 1), 47082: (120, 1), 47086: (2, 1),
}  # fmt: skip
TEXTS = {30000: ("SUN2000-8KTL-M1", 15), 30015: ("HV2230012345", 10), 30035: ("V100R001C00SPC168", 15)}


def words_of(number: int, count: int) -> list[int]:
    return [(number >> 16 * place) & 0xFFFF for place in reversed(range(count))]


def text_words(text: str, count: int) -> list[int]:
    octets = text.encode().ljust(2 * count, b"\0")
    return [int.from_bytes(octets[place : place + 2], "big") for place in range(0, 2 * count, 2)]


def dossier_words() -> dict[int, int]:
    """Every readable word of the dossier at 0, then the values of this test."""
    table = files("samspel_huawei") / "twin" / "registers.csv"
    words = {}
    for row in csv.DictReader(table.read_text("utf-8").splitlines()):
        if "R" in row["access"]:
            words.update(dict.fromkeys(range(int(row["address"]), int(row["address"]) + int(row["count"])), 0))
    for address, (number, count) in VALUES.items():
        words.update(enumerate(words_of(number, count), start=address))
    for address, (text, count) in TEXTS.items():
        words.update(enumerate(text_words(text, count), start=address))
    return words


def blocks(words: dict[int, int]) -> list[SimData]:
    """Neighbours together, as one device holds them."""
    runs: list[list[int]] = []
    for address in sorted(words):
        if runs and runs[-1][-1] == address - 1:
            runs[-1].append(address)
        else:
            runs.append([address])
    return [SimData(run[0], values=[words[one] for one in run], datatype=DataType.REGISTERS) for run in runs]


@dataclass
class ForeignInverter:
    """What it was told: `written` are (address, number), and the battery's power with the maker's sign."""

    port: int = 0
    written: list[tuple[int, int]] = field(default_factory=list)
    held: dict[int, int] = field(default_factory=dict)
    twin: Any = None

    async def act(self, function: int, start: int, address: int, count: int, registers: list[int], values: Any) -> None:
        if function in WRITE_FUNCTIONS:
            number = int.from_bytes(b"".join(word.to_bytes(2, "big") for word in values), "big")
            self.written.append((address, number))
            self.held[address] = number
        elif address <= BATTERY_POWER < address + count:
            place = BATTERY_POWER - start
            registers[place : place + 2] = words_of(self.battery_power_w, 2)

    @property
    def battery_power_w(self) -> int:
        """Charging is positive here."""
        charging, discharging = self.held.get(CHARGE_W, 0), -self.held.get(DISCHARGE_W, 0)
        return {1: charging, 2: discharging}.get(self.held.get(COMMAND, 0), 500)


@asynccontextmanager
async def foreign_inverter() -> AsyncIterator[ForeignInverter]:
    inverter = ForeignInverter()
    device = SimDevice(1, simdata=blocks(dossier_words()), action=inverter.act)
    server = ModbusTcpServer(device, address=("127.0.0.1", 0))
    await server.serve_forever(background=True)
    assert server.transport is not None
    inverter.port = server.transport.sockets[0].getsockname()[1]
    try:
        yield inverter
    finally:
        await server.shutdown()


@scenes
async def read_by_hand(backstage: Backstage) -> None:
    async with foreign_inverter() as inverter:
        url = f"modbus-tcp://127.0.0.1:{inverter.port}"
        ran = await samspel(backstage.folder / "read", "read", url, "--json")
        assert ran.code == 0, ran
        document = json.loads(ran.out)
        assert document["identity"]["model"] == "SUN2000-8KTL-M1"
        assert document["identity"]["serial"] == "HV2230012345"
        assert document["identity"]["firmware"] == "V100R001C00SPC168"
        telemetry = {name: one["value"] for name, one in document["telemetry"].items() if one["quality"] == "good"}
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
        assert inverter.written == []


@scenes
async def commanded_by_hand(backstage: Backstage) -> None:
    """parameters, then the trigger; at the end everything as it was, the trigger first"""
    async with foreign_inverter() as inverter:
        url = f"modbus-tcp://127.0.0.1:{inverter.port}?unit=1"
        words = ("command", url, "set-power", -1500, "--for", 6, "--json")
        ran = await samspel(backstage.folder / "command", *words)
        assert ran.code == 0, ran
        taken, given_back = inverter.written[:3], inverter.written[3:]
        assert taken == [(CHARGE_W, 1500), (PERIOD, 2), (COMMAND, 1)]
        assert given_back[0] == (COMMAND, 0)
        assert sorted(given_back[1:]) == [(PERIOD, 0), (CHARGE_W, 0)]
        assert {"delivered", "verified"} <= {one.get("stage") for one in ran.lines}


@scenes
async def under_an_edge(backstage: Backstage) -> None:
    """both directions, a held zero by the limits, a stop, and the limits exactly as they were"""
    async with foreign_inverter() as inverter:
        port = backstage.make_broker().port
        async with real_home(backstage.folder / "edge", port, {"battery": inverter}) as home:
            told = home.dispatcher
            for power_w in (2500.0, -1500.0):
                command = await told.send("set_power", power_w=power_w)
                delivered = await told.outcome(command, stage="delivered")
                assert delivered["target_power_w"] == power_w
                assert inverter.battery_power_w == -power_w
            zero = await told.send("set_power", power_w=0.0)
            await told.outcome(zero, stage="verified", rung="limits")
            assert (inverter.held[CHARGE_LIMIT], inverter.held[DISCHARGE_LIMIT], inverter.held[COMMAND]) == (0, 0, 0)
            stop = await told.send("stop")
            await told.outcome(stop, stage="verified")
            await told.outcome(await told.send("release"), end="completed")
            assert (inverter.held[CHARGE_LIMIT], inverter.held[DISCHARGE_LIMIT]) == (5000, 4500)
            assert {inverter.held[one] for one in (COMMAND, CHARGE_W, DISCHARGE_W, PERIOD)} == {0}
            await until(lambda: home.phase() == "released")


test_scene = scenes.test()
