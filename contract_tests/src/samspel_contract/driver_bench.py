"""For a driver's own tests, beside the suite's: a device of nothing but words, and fixtures that put the driver on it.

A plugin's `conftest.py` imports the fixtures that it uses. It brings two of its own: `manifest`, the driver's, and
`make_inverter`, which makes a `BusLink` with the words that the vendor's document says, so that neither twin nor map
has a part in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest
from samspel.clock import LoopClock
from samspel.contract.ports import BusLink
from samspel.driver.faults import FaultWord
from samspel.driver.manifest import Manifest
from samspel.driver.map_driver import MapDriver
from samspel.driver.maps import MapFiles
from samspel.driver.options import DriverOptions
from samspel.driver.session import Session
from samspel.registers.loader import load_map
from samspel.registers.model import RegisterMap

__all__ = ["Words", "driver", "inverter", "loaded", "make_driver", "make_driver_on", "text", "words"]


class Words:
    """16-bit words by address. A number of several has its high word first unless `low_first`; a text always has."""

    words: dict[int, int]
    low_first = False

    def set(self, address: int, value: int, count: int = 1) -> None:
        """Keep an integer in `count` words, a negative one as two's complement."""
        for place in self._upwards(address, count):
            self.words[place] = value & 0xFFFF
            value >>= 16

    def get(self, address: int, count: int = 1) -> int:
        """The integer, without a sign, in `count` words. Raises KeyError where there is none."""
        return sum(self.words[place] << 16 * power for power, place in enumerate(self._upwards(address, count)))

    def text(self, address: int, count: int, text: str) -> None:
        """Keep a text in `count` words, filled up with zeros."""
        octets = text.encode().ljust(2 * count, b"\0")
        for place in range(count):
            self.words[address + place] = int.from_bytes(octets[2 * place : 2 * place + 2], "big")

    def _upwards(self, address: int, count: int) -> range:
        """The addresses of a number, that of its low word first."""
        places = range(address, address + count)
        return places if self.low_first else places[::-1]


@pytest.fixture
def inverter(make_inverter: Callable[[], BusLink]) -> BusLink:
    """The usual device."""
    return make_inverter()


@pytest.fixture
def make_driver_on(manifest: Manifest) -> Callable[..., MapDriver]:
    """`make_driver_on(device, path="", session=None, **options)`: a driver, by default on the manifest's first path."""

    def make(device: BusLink, *, path: str = "", session: Session | None = None, **options: Any) -> MapDriver:  # noqa: ANN401
        decided = DriverOptions(**options)
        return MapDriver(
            manifest,
            MapFiles(manifest.maps, decided.allow_low_confidence),
            manifest.faults,
            device,
            LoopClock(),
            path=path or next(iter(manifest.paths)),
            session=session,
            options=decided,
        )

    return make


@pytest.fixture
def make_driver(make_driver_on: Callable[..., MapDriver], inverter: BusLink) -> Callable[..., MapDriver]:
    """`make_driver(path="", session=None, **options)`: a driver on the inverter."""
    return partial(make_driver_on, inverter)


@pytest.fixture
async def driver(make_driver: Callable[..., MapDriver]) -> MapDriver:
    """A driver that has identified the inverter."""
    driver = make_driver()
    await driver.identify()
    return driver


@pytest.fixture(scope="session")
def text(manifest: Manifest) -> str:
    """The first map as it is written."""
    return manifest.maps[0].read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def loaded(text: str) -> RegisterMap:
    """The first map as it is read, without any overlay."""
    return load_map(text)


@pytest.fixture(scope="session")
def words(manifest: Manifest) -> Mapping[str, FaultWord]:
    """The fault words by register."""
    return {row.register: row for row in manifest.faults.rows if isinstance(row, FaultWord)}
