"""A made-up brand's files, and a device in memory that can refuse, stay silent, clamp and forget."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from samspel.clock import LoopClock
from samspel.contract.errors import DeadlinePassed, DeviceRefused, RegisterAbsent
from samspel.contract.ports import Priority, Table
from samspel.driver.manifest import Manifest, load_manifest
from samspel.driver.map_driver import MapDriver
from samspel.driver.maps import MapFiles
from samspel.driver.options import DriverOptions

HERE = Path(__file__).parent
SERIAL = "SN000001"


def text_words(text: str, count: int) -> list[int]:
    raw = text.encode().ljust(2 * count, b"\0")
    return [int.from_bytes(raw[i : i + 2], "big") for i in range(0, 2 * count, 2)]


@dataclass
class ScriptedLink:
    """A BusLink over a dict of words. `writes` is the log of what the device took: (address, words)."""

    words: dict[int, int] = field(default_factory=dict)
    delay_s: float = 0.0
    refuse: dict[int, int] = field(default_factory=dict)
    """Address of a write -> exception code."""
    silent: dict[int, Exception] = field(default_factory=dict)
    """Address of a read -> what is raised instead of an answer."""
    refuse_frames: bool = False
    ignore: set[int] = field(default_factory=set)
    """Addresses whose writes are acknowledged and not carried out."""
    writes: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)
    priorities: list[Priority] = field(default_factory=list)
    reads: list[tuple[int, int]] = field(default_factory=list)
    before_write: Callable[[int], None] | None = None

    async def read(
        self,
        table: Table,
        address: int,
        count: int,
        *,
        priority: Priority,
        not_after: float | None = None,
    ) -> tuple[int, ...]:
        await self._wait(not_after)
        self.reads.append((address, count))
        for place in range(address, address + count):
            if place in self.silent:
                raise self.silent[place]
            if place not in self.words:
                raise RegisterAbsent(f"no register {place}", code=2)
        return tuple(self.words[place] for place in range(address, address + count))

    async def write(
        self,
        address: int,
        words: Sequence[int],
        *,
        function: int,
        priority: Priority,
        not_after: float | None = None,
    ) -> None:
        await self._wait(not_after)
        if self.before_write:
            self.before_write(address)
        if address in self.refuse:
            raise DeviceRefused(f"refused at {address}", code=self.refuse[address])
        self.priorities.append(priority)
        self.writes.append((address, tuple(words)))
        if address not in self.ignore:
            self.words.update({address + place: word for place, word in enumerate(words)})

    async def exchange(
        self, function: int, payload: bytes, *, priority: Priority, not_after: float | None = None
    ) -> bytes:
        raise NotImplementedError

    async def _wait(self, not_after: float | None) -> None:
        await asyncio.sleep(self.delay_s)
        if not_after is not None and asyncio.get_running_loop().time() > not_after:
            raise DeadlinePassed("too late")

    def set(self, address: int, value: int, count: int = 1) -> None:
        value &= (1 << 16 * count) - 1
        for place in range(count):
            self.words[address + place] = value >> 16 * (count - 1 - place) & 0xFFFF

    def get(self, address: int, count: int = 1) -> int:
        number = 0
        for place in range(count):
            number = number << 16 | self.words[address + place]
        return number


def sample_device() -> ScriptedLink:
    link = ScriptedLink()
    for place, word in enumerate([*text_words("SAMPLE-5K", 8), *text_words(SERIAL, 4), *text_words("V1.150", 4)]):
        link.words[place] = word
    for address in (*range(100, 114), 150, 151, 152, 153, 154, 160, 170, 180, *range(200, 214)):
        link.words[address] = 0
    link.set(16, 2)
    link.set(102, 655)
    link.set(103, 2)
    link.set(104, 5000, 2)
    link.set(106, 4000, 2)
    link.set(108, 5001)
    link.set(110, 900, 2)
    link.set(112, 1200, 2)
    link.set(150, 1)
    link.set(151, 400, 2)
    link.set(153, 123, 2)
    link.set(210, 3000, 2)
    link.set(212, 4000, 2)
    return link


def second_device() -> ScriptedLink:
    """The device of `second/`: fed by shares of its rated power, 10 kW, at 400 V."""
    link = ScriptedLink()
    for place, word in enumerate([*text_words("SECOND-1", 5), *text_words("SN2", 4), *text_words("V1", 2)]):
        link.words[place] = word
    for address in (15, 20, 100, 110, 111, 112, 140, 141, 200, 201, 202, 203):
        link.words[address] = 0
    link.words |= {16: 100, 120: 4000, 121: 20, 122: 25, 130: 100, 131: 900, 132: 500, 202: 3000}
    return link


@pytest.fixture
def make_link() -> Callable[[], ScriptedLink]:
    return sample_device


@pytest.fixture
def link() -> ScriptedLink:
    return sample_device()


@pytest.fixture(scope="session")
def second() -> Manifest:
    return load_manifest(HERE / "second" / "driver.toml")


@pytest.fixture
def second_link() -> ScriptedLink:
    return second_device()


@pytest.fixture
def make_second(second: Manifest, second_link: ScriptedLink) -> Callable[..., MapDriver]:
    def make(path: str = "lan", further: dict[str, ScriptedLink] | None = None, **options: object) -> MapDriver:
        return MapDriver(
            second,
            MapFiles(second.maps),
            second.faults,
            second_link,
            LoopClock(),
            path=path,
            options=DriverOptions(**options),
            further=further,
        )

    return make


@pytest.fixture(scope="session")
def manifest() -> Manifest:
    return load_manifest(HERE / "driver.toml")


@pytest.fixture
def make_driver_on(manifest: Manifest) -> Callable[..., MapDriver]:
    def make(link: ScriptedLink, session: object = None, path: str = "lan", **options: object) -> MapDriver:
        return MapDriver(
            manifest,
            MapFiles(manifest.maps),
            manifest.faults,
            link,
            LoopClock(),
            path=path,
            session=session,
            options=DriverOptions(**options),
        )

    return make


@pytest.fixture
def make_driver(make_driver_on: Callable[..., MapDriver], link: ScriptedLink) -> Callable[..., MapDriver]:
    return partial(make_driver_on, link)


@pytest.fixture
async def driver(make_driver: Callable[..., MapDriver]) -> MapDriver:
    driver = make_driver()
    await driver.identify()
    return driver
