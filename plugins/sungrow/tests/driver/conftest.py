"""An SH hybrid in memory: two dicts of words by the dossier's addresses, nothing of the twin and nothing of the map."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

import pytest
from samspel.contract.errors import DeviceRefused, LinkDown, RegisterAbsent
from samspel.contract.ports import Priority, Table
from samspel.driver.manifest import Manifest, load_manifest
from samspel_contract.driver_bench import Words, driver, inverter, loaded, make_driver, make_driver_on, text, words

__all__ = ["driver", "inverter", "loaded", "make_driver", "make_driver_on", "text", "words"]

PACKAGE = Path(str(files("samspel_sungrow")))

DEADLY = (13199, 13249, 13264, 13279)
"""Firmware 95.03 closes the session on these (facts 5.3)."""

FRAME = 13049
MODE, COMMAND, POWER, HEARTBEAT = 13049, 13050, 13051, 13079
CHARGE, DISCHARGE, IDLE = 0xAA, 0xBB, 0xCC


@dataclass
class Inverter(Words):
    """A BusLink. Refuses what is out of range with exception 4, and where it is told to the three-word frame."""

    inputs: dict[int, int] = field(default_factory=dict)
    holdings: dict[int, int] = field(default_factory=dict)
    writes: list[tuple[int, tuple[int, ...], int]] = field(default_factory=list)
    reads: list[tuple[Table, int, int]] = field(default_factory=list)
    takes_frames: bool = True
    low_first = True

    @property
    def words(self) -> dict[int, int]:
        """What is set by number or text is an input register."""
        return self.inputs

    async def read(
        self, table: Table, address: int, count: int, *, priority: Priority, not_after: float | None = None
    ) -> tuple[int, ...]:
        self.reads.append((table, address, count))
        if table is Table.INPUT and any(address <= place < address + count for place in DEADLY):
            raise LinkDown("closed")
        words = self.inputs if table is Table.INPUT else self.holdings
        if address not in words or address + count - 1 not in words:
            raise RegisterAbsent(f"no register {address}", code=2)
        return tuple(words.get(place, 0) for place in range(address, address + count))

    async def write(
        self,
        address: int,
        words: Sequence[int],
        *,
        function: int,
        priority: Priority,
        not_after: float | None = None,
    ) -> None:
        self.writes.append((address, tuple(words), function))
        if len(words) > 1 and not self.takes_frames:
            raise DeviceRefused("one at a time", code=2)
        after = self.holdings | {address + place: word for place, word in enumerate(words)}
        if after[POWER] > 100 * self.inputs[5627] or after[HEARTBEAT] > 1000:
            raise DeviceRefused("out of range", code=4)
        self.holdings = after
        if after[13016] == 0xAA:
            self.inputs[12999] = 0

    async def exchange(
        self, function: int, payload: bytes, *, priority: Priority, not_after: float | None = None
    ) -> bytes:
        raise AssertionError("this brand has no function of its own")

    @property
    def frame(self) -> tuple[int, int, int]:
        return self.holdings[MODE], self.holdings[COMMAND], self.holdings[POWER]


def sh(code: int = 0xE03, firmware: str = "SAPPHIRE-H_01011.95.12", rated_w: int = 10000) -> Inverter:
    """Sunny noon at rest: PV feeds, the battery charges a little, the meter is there, SoC limits 10 and 90 %."""
    inverter = Inverter()
    inverter.text(2581, 11, firmware)
    inverter.text(4989, 10, "A2290112345")
    numbers = [
        (4999, code, 1), (5000, rated_w // 100, 1), (5007, 431, 1), (5016, 3200, 2), (5018, 2312, 1), (5019, 2309, 1),
        (5020, 2321, 1), (5213, -500, 2), (5241, 5002, 1), (5602, -300, 2), (5604, -1000, 2), (5606, -900, 2),
        (5627, 106, 1), (5630, -13, 1), (5634, 20, 1), (5635, 30, 1), (5638, 1920, 1), (12999, 0x8200, 1),
        (13000, 0b0001_0011, 1), (13002, 123456, 2), (13007, 500, 2), (13009, 2200, 2), (13019, 3845, 1),
        (13021, -500, 1), (13022, 500, 1), (13024, 251, 1), (13025, 31, 1), (13026, 38000, 2), (13033, 2700, 2),
        (13036, 30001, 2), (13039, 52, 1), (13040, 40000, 2), (13045, 70000, 2),
        *((13049 + 2 * word, 0, 2) for word in range(14)), (13077, 0xFFFF_0000, 2),
    ]  # fmt: skip
    for address, value, count in numbers:
        inverter.set(address, value, count)
    inverter.holdings = {
        13016: 0x55, 13049: 0, 13050: IDLE, 13051: 0, 13057: 900, 13058: 100, 13073: 10000, 13079: 20, 13086: 0x55,
        33046: 1060, 33047: 1060,
    }  # fmt: skip
    return inverter


@pytest.fixture
def make_inverter() -> Callable[..., Inverter]:
    return sh


@pytest.fixture(scope="session")
def manifest() -> Manifest:
    return load_manifest(PACKAGE / "driver.toml")
