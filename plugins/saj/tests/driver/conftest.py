"""An H2 in memory: a dict of words by the dossier's addresses, nothing of the twin and nothing of the map."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

import pytest
from samspel.contract.errors import DeviceRefused, RegisterAbsent
from samspel.contract.ports import Priority, Table
from samspel.driver.manifest import Manifest, load_manifest
from samspel.driver.map_driver import MapDriver
from samspel_contract.driver_bench import Words, driver, inverter, loaded, make_driver, make_driver_on, text, words

__all__ = ["driver", "inverter", "loaded", "make_driver", "make_driver_on", "text", "words"]

PACKAGE = Path(str(files("samspel_saj")))


@dataclass
class Inverter(Words):
    """A BusLink. Blocks that touch a hole are refused with exception 0; `deaf` registers acknowledge and forget."""

    words: dict[int, int] = field(default_factory=dict)
    writes: list[tuple[int, int]] = field(default_factory=list)
    reads: list[tuple[int, int]] = field(default_factory=list)
    holes: set[int] = field(default_factory=set)
    deaf: set[int] = field(default_factory=set)

    async def read(
        self, table: Table, address: int, count: int, *, priority: Priority, not_after: float | None = None
    ) -> tuple[int, ...]:
        assert table is Table.HOLDING
        assert count <= 64
        self.reads.append((address, count))
        if self.holes.intersection(range(address, address + count)):
            raise RegisterAbsent("131/0", code=0)
        return tuple(self.words.get(place, 0) for place in range(address, address + count))

    async def write(
        self,
        address: int,
        words: Sequence[int],
        *,
        function: int,
        priority: Priority,
        not_after: float | None = None,
    ) -> None:
        assert function == 6
        (word,) = words
        self.writes.append((address, word))
        if address in self.holes:
            raise DeviceRefused("not here", code=2)
        if address not in self.deaf:
            self.words[address] = word

    async def exchange(
        self, function: int, payload: bytes, *, priority: Priority, not_after: float | None = None
    ) -> bytes:
        raise AssertionError("nothing is exchanged with this family")

    def clock(self, hour: int, minute: int, second: int = 0) -> None:
        self.set(0x4000, 2026, 1)
        self.set(0x4001, 11 << 8 | 22)
        self.set(0x4002, hour << 8 | minute)
        self.set(0x4003, second << 8)


def h2(model: str = "H2-10K-T2", device_type: int = 0x0060, firmware: int = 4066) -> Inverter:
    """Noon in self-use: PV feeds house and battery, the rest goes out. Somebody has left a schedule in slot 1."""
    inverter = Inverter()
    inverter.set(0x8F00, device_type)
    inverter.text(0x8F03, 10, "HST2103J2251E00001")
    inverter.text(0x8F0D, 10, model)
    inverter.set(0x8F18, firmware)
    inverter.clock(12, 7, 41)
    numbers = [
        (0x4004, 2, 1), (0x4010, 412, 1), (0x4031, 2312, 1), (0x4033, 5002, 1), (0x4038, 2309, 1), (0x403F, 2321, 1),
        (0x4046, 2310, 1), (0x4069, 4000, 1), (0x406A, -300, 1), (0x406E, 251, 1), (0x406F, 6550, 1),
        (0x4096, -1, 1), (0x4097, 1, 1), (0x40A0, 800, 1), (0x40A5, 4200, 1), (0x40A6, -1200, 1), (0x40A9, 3000, 1),
        (0x40AD, -2200, 1), (0x40C5, 1234567, 2), (0x40C7, 512, 2), (0x40CD, 400000, 2), (0x40CF, 301, 2),
        (0x40D5, 380000, 2), (0x40FD, 999, 2), (0x416D, 30000, 2), (0x4175, 50000, 2),
        (0xA000, 1, 1), (0xA00C, 6540, 1), (0xA00D, 9900, 1), (0xA036, 250, 1), (0xA037, 200, 1),
        (0xA03C, 1, 1), (0xA03E, -130, 1), (0xA03F, -300, 1), (0xA045, -1000, 1), (0xA04B, -900, 1),
        (0x3604, 0b1, 1), (0x3605, 0b10, 1), (0x3606, 0x0000, 1), (0x3607, 0x173B, 1), (0x3608, 0x7F64, 1),
        (0x3636, 0, 1), (0x3639, 1100, 1), (0x363A, 1100, 1), (0x3644, 20, 1), (0x3646, 100, 1), (0x3647, 0, 1),
        (0x364D, 1100, 1), (0x364E, 1100, 1), (0x365F, 0, 1), (0x3660, 0, 1), (0x366D, 10000, 1),
    ]  # fmt: skip
    for address, value, count in numbers:
        inverter.set(address, value, count)
    return inverter


@pytest.fixture
def make_inverter() -> Callable[..., Inverter]:
    return h2


@pytest.fixture(scope="session")
def manifest() -> Manifest:
    return load_manifest(PACKAGE / "driver.toml")


@pytest.fixture
async def passive(make_driver: Callable[..., MapDriver]) -> MapDriver:
    driver = make_driver(control="passive", guarded=True)
    await driver.identify()
    return driver
