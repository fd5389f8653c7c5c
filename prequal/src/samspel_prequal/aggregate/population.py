"""A fleet from a seed: homes that differ, and some that are wrong, each with the toy plant behind it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np

from samspel_prequal.aggregate.trace import EPOCH, HomeTrace
from samspel_prequal.errors import AggregateError
from samspel_prequal.logs import Log, TestLabel, header_for, write_log
from samspel_prequal.logs import columns as headers
from samspel_prequal.logs.parquet import write_parquet
from samspel_prequal.plant import PlantSettings, ToyPlant
from samspel_prequal.product import Product, TestType
from samspel_prequal.signals import FloatArray, Signal
from samspel_prequal.simulate import PAUSE, START, Programme, programme

__all__ = ["Home", "Population", "SimulatedFleet", "draw", "write_fleet"]

_STALE_S: Final = (20.0, 60.0)  # how long a frozen measurement lasts
_DROP_S: Final = 8.0  # mean length of a gap


@dataclass(frozen=True, slots=True)
class Home:
    """One home as it was drawn."""

    name: str
    settings: PlantSettings
    clock_s: float = 0.0  # how far its clock is ahead
    missing: float = 0.0  # share of samples that its log has lost
    stale: float = 0.0  # share of time in which it acts on a frozen measurement
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Population:
    """How homes differ. Shares are of all homes; a wrong home is wrong in one way."""

    homes: int = 100
    capacity_w: float = 100_000.0  # of all together
    delay_s: float = 0.3  # mean of the dead time
    delay_sd_s: float = 0.1
    lag_s: float = 0.3
    lag_sd_s: float = 0.1
    gain_sd: float = 0.03
    clock_sd_s: float = 0.02
    reversed_share: float = 0.005
    late_share: float = 0.01  # with `late_s` more dead time
    late_s: float = 3.0
    clock_share: float = 0.01  # with a clock that is `clock_off_s` off, either way
    clock_off_s: float = 1.5
    dropping_share: float = 0.02
    dropped: float = 0.1  # of their samples
    stale_share: float = 0.01
    staleness: float = 0.3  # of their time

    def __post_init__(self) -> None:
        if self.homes < 1:
            raise AggregateError(f"a fleet has at least one home, not {self.homes}")
        for one in fields(self):
            value = getattr(self, one.name)
            if not value >= 0 or (one.name.endswith("share") and value > 1):
                raise AggregateError(f"{one.name} must be 0 or more, a share at most 1; found {value}")


def draw(wanted: Population, product: Product, seed: int) -> tuple[Home, ...]:
    """Homes from a seed; the same seed gives the same homes."""
    random = np.random.default_rng(seed)
    digits = len(str(wanted.homes))
    kinds = _kinds(wanted, random)
    return tuple(
        _home(f"HOME{number + 1:0{digits}d}", kinds[number], wanted, product, random) for number in range(wanted.homes)
    )


def _kinds(wanted: Population, random: np.random.Generator) -> list[str]:
    """Who is wrong, and how; every share above 0 that gives half a home or more gives one."""
    shares = {
        "reversed": wanted.reversed_share,
        "late": wanted.late_share,
        "clock": wanted.clock_share,
        "dropping": wanted.dropping_share,
        "stale": wanted.stale_share,
    }
    wrong = [kind for kind, share in shares.items() for _ in range(round(share * wanted.homes))]
    kinds = (wrong + ["right"] * wanted.homes)[: wanted.homes]
    return [kinds[at] for at in random.permutation(wanted.homes)]


def _home(name: str, kind: str, wanted: Population, product: Product, random: np.random.Generator) -> Home:
    delay_s = max(random.normal(wanted.delay_s, wanted.delay_sd_s), 0.0) + (wanted.late_s if kind == "late" else 0.0)
    lag_s = max(random.normal(wanted.lag_s, wanted.lag_sd_s), 0.0)
    gain = max(random.normal(1.0, wanted.gain_sd), 0.0) * (-1 if kind == "reversed" else 1)
    clock_s = random.normal(0.0, wanted.clock_sd_s) if wanted.clock_sd_s else 0.0
    clock_s += random.choice([-1, 1]) * wanted.clock_off_s if kind == "clock" else 0.0
    settings = PlantSettings(
        product,
        wanted.capacity_w / wanted.homes,
        lag_s=float(lag_s),
        delay_s=float(delay_s),
        gain=float(gain),
        store_h=float("inf"),
    )
    return Home(
        name,
        settings,
        float(clock_s),
        wanted.dropped if kind == "dropping" else 0.0,
        wanted.staleness if kind == "stale" else 0.0,
        int(random.integers(2**31)),
    )


class SimulatedFleet:
    """Homes that answer when they are asked: nothing is stored."""

    def __init__(self, product: Product, homes: tuple[Home, ...], *, rate_hz: float = 10.0) -> None:
        self._product = product
        self._homes = homes
        self._rate_hz = rate_hz
        self._tests: dict[str, tuple[TestLabel, Signal, datetime]] = {}
        start = START
        for test in programme(Programme(product)):
            if test.signal is not None and test.label.test_type is not TestType.OPERATION:
                self._tests[str(test.label)] = (test.label, test.signal, start)
                minutes = np.ceil(test.signal.duration_s / 60)
                start += timedelta(minutes=float(minutes)) + PAUSE

    @property
    def product(self) -> Product:
        """Whose tests these are."""
        return self._product

    @property
    def labels(self) -> tuple[TestLabel, ...]:
        """The steps or ramps, and the sines."""
        return tuple(label for label, _, _ in self._tests.values())

    def traces(self, label: TestLabel) -> Iterator[HomeTrace]:
        """Every home's answer."""
        known, signal, start = self._tests[str(label)]
        for home in self._homes:
            yield _answer(home, signal, start, self._rate_hz, str(known))


def _answer(home: Home, signal: Signal, start: datetime, rate_hz: float, test: str) -> HomeTrace:
    """What the home's own log shows: its clock is in the times, lost samples are not there."""
    random = np.random.default_rng([home.seed, *test.encode()])
    (played,) = ToyPlant(home.settings, home.seed).play(signal, rate_hz)
    power_w = played.values[headers.POWER]
    if home.stale:
        power_w = _frozen(power_w, home.stale, rate_hz, random)
    start_ms = (start - EPOCH) / timedelta(milliseconds=1)
    time_ms = start_ms + np.round((played.time_s + home.clock_s) * 1000)
    frequency_hz = played.values[headers.APPLIED_FREQUENCY]
    kept = _kept(len(time_ms), home.missing, rate_hz, random)
    return HomeTrace(home.name, time_ms[kept], power_w[kept], frequency_hz[kept], home.settings.capacity_w)


def _frozen(power_w: FloatArray, share: float, rate_hz: float, random: np.random.Generator) -> FloatArray:
    """Stretches in which the home goes on with what it did when its measurement stopped."""
    held = power_w.copy()
    at = 0
    while at < len(held):
        length = round(random.uniform(*_STALE_S) * rate_hz)
        moving = round(length * (1 - share) / share * random.uniform(0.5, 1.5))
        begin = at + moving
        held[begin : begin + length] = held[min(begin, len(held) - 1)]
        at = begin + length
    return held


def _kept(count: int, missing: float, rate_hz: float, random: np.random.Generator) -> np.ndarray:
    """Which samples a log still has: gaps of random length at random places."""
    kept = np.ones(count, dtype=np.bool_)
    length = _DROP_S * rate_hz
    for begin in random.integers(0, count, random.poisson(missing * count / length)):
        kept[begin : begin + max(round(random.exponential(length)), 1)] = False
    kept[[0, -1]] = True
    return kept


def write_fleet(fleet: SimulatedFleet, folder: Path, *, form: str = "parquet") -> int:
    """A file for each home and test, `csv` or `parquet`; how many there are.

    Raises:
        AggregateError: the folder already holds logs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(one.suffix in {".csv", ".parquet"} for one in folder.iterdir()):
        raise AggregateError(f"{folder} already holds logs: a fleet is written into an empty folder")
    count = 0
    for label in fleet.labels:
        for trace in fleet.traces(label):
            log = _log(trace, fleet.product, label)
            write_parquet(log, folder) if form == "parquet" else write_log(log, folder, compact=True)
            count += 1
    return count


def _log(trace: HomeTrace, product: Product, label: TestLabel) -> Log:
    assert trace.frequency_hz is not None  # noqa: S101 - a simulated home logs it
    start = EPOCH + timedelta(milliseconds=float(trace.time_ms[0]))
    time_s = (trace.time_ms - trace.time_ms[0]) / 1000
    noted: dict[str, Any] = {header_for("Cap", product): np.full(len(time_s), trace.capacity_w or np.nan)}
    return Log.of(product, label, time_s, trace.frequency_hz, trace.power_w, resource=trace.home, start=start, **noted)
