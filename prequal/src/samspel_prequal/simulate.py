"""The whole programme of one product, played to a player test by test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from samspel_prequal import rules
from samspel_prequal.logs import columns
from samspel_prequal.logs.columns import header_for
from samspel_prequal.logs.label import TestLabel
from samspel_prequal.logs.log import Log
from samspel_prequal.plant.grid import GridFrequency
from samspel_prequal.plant.plant import ToyPlant
from samspel_prequal.plant.settings import PlantSettings
from samspel_prequal.player import Player, Site, record
from samspel_prequal.product import Product, TestType
from samspel_prequal.signals.energy import EnergyDrive
from samspel_prequal.signals.fcr_d import ramp
from samspel_prequal.signals.fcr_n import step
from samspel_prequal.signals.linearity import linearity
from samspel_prequal.signals.signal import FloatArray, RampSignal, Signal, SignalHead, SineSignal
from samspel_prequal.signals.sine import sines

__all__ = ["OperationSignal", "Programme", "Test", "programme", "simulate"]

START: Final = datetime(2026, 1, 5, 8, tzinfo=UTC)
PAUSE: Final = timedelta(minutes=5)
NEAR_NEM_MIN: Final = 2.0  # how far beyond the NEM threshold an energy test begins, in minutes of capacity


@dataclass(frozen=True, slots=True)
class OperationSignal:
    """A recorded or synthetic grid frequency, to be lived through rather than injected."""

    head: SignalHead
    frequency_hz: FloatArray
    rate_hz: float

    @property
    def duration_s(self) -> float:
        """All of it."""
        return len(self.frequency_hz) / self.rate_hz

    def at(self, time_s: FloatArray) -> FloatArray:
        """Straight between the samples."""
        return np.asarray(np.interp(time_s * self.rate_hz, np.arange(len(self.frequency_hz)), self.frequency_hz))


@dataclass(frozen=True, slots=True)
class Test:
    """One test of a programme: a signal, or a flag-driven sequence, and what its log is called."""

    __test__ = False

    label: TestLabel
    signal: Signal | None  # none: the energy-management sequence
    estimate_s: float


@dataclass(frozen=True, slots=True)
class Programme:
    """What is to be run for one product.

    Args:
        product: one of the three FCR products.
        limited: LER entities skip the endurance holds and run the energy-management test.
        non_continuous: relay-like entities run the staircase too.
        combination: FCR-D together with FCR-N: ramps 7 and 8.
        mode_shifting: FCR-D runs the three longest sines too.
        seed: of the hour of operation.
    """

    product: Product
    limited: bool = True
    non_continuous: bool = False
    combination: bool = False
    mode_shifting: bool = False
    seed: int = 1


def programme(wanted: Programme) -> tuple[Test, ...]:
    """The tests in the order in which they are run."""
    product = wanted.product
    tests = [_steady(wanted)]
    tests += [_sine(signal) for signal in sines(product, mode_shifting=wanted.mode_shifting)]
    if wanted.non_continuous:
        tests.append(_test(TestLabel(TestType.LINEARITY), linearity(product)))
    if wanted.limited:
        tests.append(Test(TestLabel(TestType.ENERGY), None, 3 * 3600.0))
    return (*tests, _operation(wanted))


def simulate(
    wanted: Programme,
    settings: PlantSettings,
    *,
    rate_hz: float = 10.0,
    site: Site | None = None,
    start: datetime = START,
    on_test: Callable[[Test], None] | None = None,
) -> Iterator[Log]:
    """Run the programme on toy plants, one a test, and yield each log as it is done.

    Every test starts from rest; the energy-management test from a state of charge close to where NEM comes on.
    `on_test` hears of each test before it begins.
    """
    place = site or Site(modes={header_for("ContMode", wanted.product): f"{wanted.product.service.upper()}1"})
    for number, test in enumerate(programme(wanted)):
        if on_test:
            on_test(test)
        plant = ToyPlant(_ready(settings, test), wanted.seed + number, synthetic_grid=test.signal is not None)
        log = _noted(_run(plant, test, wanted, rate_hz, start, place), settings)
        start = log.start + timedelta(seconds=float(log.time_s[-1])) + PAUSE
        start = start.replace(second=0, microsecond=0)
        yield log


def _run(player: Player, test: Test, wanted: Programme, rate_hz: float, start: datetime, site: Site) -> Log:
    if test.signal is None:
        samples = player.drive(EnergyDrive(wanted.product), rate_hz)
    else:
        samples = player.play(test.signal, rate_hz)
    log = record(samples, wanted.product, test.label, start, site)
    return _lived_through(log) if test.label.test_type is TestType.OPERATION else log


def _lived_through(log: Log) -> Log:
    """In operation nothing is injected: what was applied is the grid itself."""
    values = dict(log.values)
    values[columns.GRID_FREQUENCY] = values.pop(columns.APPLIED_FREQUENCY)
    values[header_for("Activated", log.product)] = log.power_w - log.baseline_w
    return replace(log, values=values)


def _noted(log: Log, settings: PlantSettings) -> Log:
    """What is noted once a test: capacity, status and, for operation, regulating strength."""
    capacity_w = settings.capacity_w
    more = {
        header_for("Cap", log.product): capacity_w,
        header_for("ContStatus", log.product): 1.0,
        "Pmin": settings.baseline_w - 2 * capacity_w,
        "Pmax": settings.baseline_w + 2 * capacity_w,
    }
    if log.label.test_type is TestType.OPERATION:
        more[header_for("RegStr", log.product)] = capacity_w / rules.BANDS[log.product].span_hz
    return replace(
        log, values={**log.values, **{name: np.full(len(log.time_s), value) for name, value in more.items()}}
    )


def _ready(settings: PlantSettings, test: Test) -> PlantSettings:
    """The energy test may begin near the threshold, to save time (TR 3.5.3)."""
    if test.signal is not None or settings.soc is not None:
        return settings
    near = (settings.energy_thresholds.nem_on_min + NEAR_NEM_MIN) / (60 * settings.energy_h)
    return replace(settings, soc=min(near, 1.0) if settings.product is Product.FCR_D_UP else max(1.0 - near, 0.0))


def _steady(wanted: Programme) -> Test:
    endurance = not wanted.limited
    if wanted.product is Product.FCR_N:
        return _test(TestLabel(TestType.STEP, endurance=endurance), step(endurance=endurance))
    label = TestLabel(TestType.RAMP, endurance=endurance, combination=wanted.combination)
    return _test(label, ramp(wanted.product, endurance=endurance, combination=wanted.combination))


def _test(label: TestLabel, signal: RampSignal | OperationSignal | SineSignal) -> Test:
    return Test(label, signal, signal.duration_s)


def _sine(signal: SineSignal) -> Test:
    return _test(TestLabel(TestType.SINE, signal.period_s), signal)


def _operation(wanted: Programme) -> Test:
    event_hz = {Product.FCR_N: 0.0, Product.FCR_D_UP: -0.35, Product.FCR_D_DOWN: 0.35}[wanted.product]
    frequency_hz = GridFrequency(wanted.seed, event_hz=event_hz).sample(rules.OPERATION_LOG_S, 10.0)
    head = SignalHead("operation", wanted.product, TestType.OPERATION, "TR 5.4, TP 9.2; synthetic grid")
    return _test(TestLabel(TestType.OPERATION), OperationSignal(head, frequency_hz, 10.0))
