"""A SUN2000 in memory: a dict of words by the dossier's addresses, nothing of the twin and nothing of the map."""

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

PACKAGE = Path(str(files("samspel_huawei")))


@dataclass
class Inverter(Words):
    """A BusLink. Refuses limits above the live ceilings with exception 4, closes when an offline meter is asked."""

    words: dict[int, int] = field(default_factory=dict)
    writes: list[tuple[int, tuple[int, ...], int]] = field(default_factory=list)
    reads: list[tuple[int, int]] = field(default_factory=list)
    answers: Callable[[bytes], bytes] | None = None

    async def read(
        self, table: Table, address: int, count: int, *, priority: Priority, not_after: float | None = None
    ) -> tuple[int, ...]:
        assert table is Table.HOLDING
        self.reads.append((address, count))
        places = range(address, address + count)
        if self.words.get(37100) != 1 and any(37101 <= place <= 37138 for place in places):
            raise LinkDown("closed")
        if address not in self.words or address + count - 1 not in self.words:
            raise RegisterAbsent(f"no register {address}", code=2)
        return tuple(self.words.get(place, 0) for place in places)

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
        for limit, ceiling in ((47075, 37046), (47077, 37048)):
            if address == limit and words[0] << 16 | words[1] > self.get(ceiling, 2):
                raise DeviceRefused("above the ceiling", code=4)
        self.words.update({address + place: word for place, word in enumerate(words)})

    async def exchange(
        self, function: int, payload: bytes, *, priority: Priority, not_after: float | None = None
    ) -> bytes:
        assert function == 0x41
        assert self.answers is not None
        return self.answers(payload)


def sun2000(model: str = "SUN2000-10KTL-M1", firmware: str = "V100R001C00SPC168") -> Inverter:
    """Sunny noon at rest: PV feeds, the battery charges a little, one battery unit, the meter is there."""
    inverter = Inverter()
    inverter.text(30000, 15, model)
    inverter.text(30015, 10, "HV2230012345")
    inverter.text(30035, 15, firmware)
    inverter.text(37052, 10, "BT2130000001")
    numbers = [
        (30073, 10000, 2), (30075, 11000, 2), (32008, 0, 1), (32009, 0, 1), (32010, 0, 1), (32064, 3200, 2),
        (32069, 2312, 1), (32070, 2309, 1), (32071, 2321, 1), (32080, 2700, 2), (32085, 5002, 1), (32087, 431, 1),
        (32089, 0x0200, 1), (32108, 123456, 2), (37000, 2, 1), (37001, 500, 2), (37004, 655, 1), (37006, 4, 1),
        (37014, 0, 1), (37022, 251, 1), (37025, 0, 1), (37046, 5000, 2), (37048, 5000, 2), (37100, 1, 1),
        (37107, -420, 2), (37109, 110, 2), (37111, 100, 2), (37113, 2200, 2), (37119, -50000, 2), (37121, 30000, 2),
        (37132, -300, 2), (37134, 1300, 2), (37136, 1200, 2), (37138, 1, 1), (37758, 10000, 2), (37760, 655, 1),
        (37762, 2, 1), (37763, 7300, 1), (37764, 7, 1), (37765, 500, 2), (37780, 400000, 2), (37782, 380000, 2),
        (37784, 512, 2), (37786, 301, 2), (37926, 0, 1), (47000, 2, 1), (47075, 5000, 2), (47077, 4500, 2),
        (47081, 1000, 1), (47082, 120, 1), (47083, 0, 1), (47086, 2, 1), (47087, 0, 1), (47089, 0, 1),
        (47100, 0, 1), (47246, 0, 1), (47247, 0, 2), (47249, 0, 2), (47415, 0, 1),
    ]  # fmt: skip
    for address, value, count in numbers:
        inverter.set(address, value, count)
    return inverter


@pytest.fixture
def make_inverter() -> Callable[..., Inverter]:
    return sun2000


@pytest.fixture(scope="session")
def manifest() -> Manifest:
    return load_manifest(PACKAGE / "driver.toml")
