"""Inverters that we did not write: pymodbus' own server, and behind it what the test of a brand says.

Nothing of our twins and nothing of our maps is behind them: addresses, widths, values and signs come from the brand's
dossier, and are written down in its test.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from .commands import samspel
from .real import RealHome, real_home
from .scenes import Backstage

Words = dict[int, int]
"""By address."""

READ_INPUT, WRITE_ONE, WRITE_MANY = 4, 6, 16


def number_words(number: int, count: int = 1, *, low_first: bool = False) -> list[int]:
    """The two's complement of a number in `count` words."""
    words = [(number >> 16 * place) & 0xFFFF for place in range(count)]
    return words if low_first else words[::-1]


def text_words(text: str, count: int) -> list[int]:
    """Two octets a word, NUL padded."""
    octets = text.encode().ljust(2 * count, b"\0")
    return [int.from_bytes(octets[place : place + 2], "big") for place in range(0, 2 * count, 2)]


def zeros(ranges: Iterable[tuple[int, int]]) -> Words:
    """First address and count of each."""
    return {address: 0 for first, count in ranges for address in range(first, first + count)}


def at(address: int, words: Iterable[int]) -> Words:
    """Neighbours, from this address on."""
    return dict(enumerate(words, start=address))


@dataclass
class ForeignInverter:
    """Its words, and what it was told: `written` has the address and the words of each write, in order."""

    holding: Words
    input: Words = field(default_factory=dict)
    written: list[tuple[int, ...]] = field(default_factory=list)
    port: int = 0
    twin: Any = None

    @property
    def battery_power_w(self) -> int:
        """What its battery does; positive discharges."""
        raise NotImplementedError

    def measure(self) -> None:
        """Put what changes by itself into the words."""

    def refuses(self, function: int, words: Words) -> ExcCodes | None:
        """Why it does not take these words, if so."""

    async def act(
        self, function: int, start: int, address: int, count: int, registers: list[int], values: Any
    ) -> ExcCodes | None:
        """The server asks once more, without values, for the echo of a single write."""
        self.measure()
        if function in (WRITE_ONE, WRITE_MANY) and values is not None:
            return self._told(function, address, list(values))
        words = self.input if function == READ_INPUT else self.holding
        for place in range(address, address + count):
            registers[place - start] = words[place]
        return None

    def _told(self, function: int, address: int, values: list[int]) -> ExcCodes | None:
        self.written.append((address, *values))
        words = at(address, values)
        refusal = self.refuses(function, words)
        if refusal is None:
            self.holding.update(words)
        return refusal


def blocks(words: Words) -> list[SimData]:
    """Neighbours together, as one device holds them; what lies between is refused."""
    runs: list[list[int]] = []
    for address in sorted(words):
        if runs and runs[-1][-1] == address - 1:
            runs[-1].append(address)
        else:
            runs.append([address])
    return [SimData(run[0], values=[words[one] for one in run], datatype=DataType.REGISTERS) for run in runs]


Foreign = TypeVar("Foreign", bound=ForeignInverter)
NO_BITS = [SimData(0, values=[False] * 16, datatype=DataType.BITS)]
ANY_UNIT = 0


@asynccontextmanager
async def serving(inverter: Foreign, *, unit: int = 1) -> AsyncIterator[Foreign]:
    """On a port of its own. With input registers there are two tables, whose numbers may overlap."""
    holding = blocks(inverter.holding)
    tables = (NO_BITS, NO_BITS, holding, blocks(inverter.input)) if inverter.input else holding
    server = ModbusTcpServer(SimDevice(unit, simdata=tables, action=inverter.act), address=("127.0.0.1", 0))
    await server.serve_forever(background=True)
    assert server.transport is not None
    inverter.port = server.transport.sockets[0].getsockname()[1]
    try:
        yield inverter
    finally:
        await server.shutdown()


def url(inverter: ForeignInverter, unit: str = "?unit=1") -> str:
    return f"modbus-tcp://127.0.0.1:{inverter.port}{unit}"


async def read_by_hand(folder: Path, inverter: ForeignInverter, unit: str = "?unit=1") -> tuple[Mapping[str, Any], ...]:
    """What `samspel read` found out: who it is, and every good value. It does not write."""
    ran = await samspel(folder, "read", url(inverter, unit), "--json")
    assert ran.code == 0, ran
    document = json.loads(ran.out)
    assert inverter.written == []
    good = {name: one["value"] for name, one in document["telemetry"].items() if one["quality"] == "good"}
    return document["identity"], good


async def commanded_by_hand(folder: Path, inverter: ForeignInverter, power_w: float, *words: object) -> None:
    """Followed for some seconds, proved, and given back."""
    ran = await samspel(folder, "command", url(inverter), "set-power", power_w, "--for", 6, "--json", *words)
    assert ran.code == 0, ran
    assert {"delivered", "verified"} <= {one.get("stage") for one in ran.lines}


@asynccontextmanager
async def home_of(
    inverter: ForeignInverter, backstage: Backstage, folder: str, driver: str, *, unit: int = 1
) -> AsyncIterator[RealHome]:
    """It is served, and has an edge and a broker of its own."""
    port = backstage.make_broker().port
    async with (
        serving(inverter, unit=unit),
        real_home(backstage.folder / folder, port, {"battery": inverter}, driver=driver) as home,
    ):
        yield home


async def delivered(home: RealHome, inverter: ForeignInverter, power_w: float, **fields: Any) -> None:
    """Commanded, said to be delivered, and done by the battery."""
    command = await home.dispatcher.send("set_power", power_w=power_w, **fields)
    outcome = await home.dispatcher.outcome(command, stage="delivered")
    found = {"target_power_w": outcome["target_power_w"], "battery_power_w": inverter.battery_power_w}
    assert set(found.values()) == {power_w}, f"{found}, wanted {power_w:g} W"
