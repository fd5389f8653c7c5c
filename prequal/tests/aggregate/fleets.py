"""Fleets whose sum is known: equal homes, one reversed, delays on a lattice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
from samspel_prequal import rules
from samspel_prequal.aggregate import Home, HomeTrace, SimulatedFleet
from samspel_prequal.evaluate.frequency_response import omega
from samspel_prequal.logs import TestLabel
from samspel_prequal.plant import PlantSettings
from samspel_prequal.product import Product, TestType

HOME_W = 1000.0


def homes(product: Product, count: int, delays_s: Iterable[float] = (), lag_s: float = 0.4) -> tuple[Home, ...]:
    """Homes of 1 kW, equal but for their delays."""
    wanted = [*delays_s] or [0.2] * count
    return tuple(
        Home(f"H{at}", PlantSettings(product, HOME_W, lag_s=lag_s, delay_s=float(delay_s), store_h=float("inf")))
        for at, delay_s in enumerate(wanted)
    )


def with_gain(home: Home, gain: float) -> Home:
    return replace(home, settings=replace(home.settings, gain=gain))


class Chosen:
    """Some tests, and some homes, of a simulated fleet."""

    def __init__(self, fleet: SimulatedFleet, tests: Iterable[str], without: str = "") -> None:
        self._fleet, self._tests, self._without = fleet, set(tests), without
        self.product = fleet.product

    @property
    def labels(self) -> tuple[TestLabel, ...]:
        return tuple(label for label in self._fleet.labels if str(label) in self._tests)

    def traces(self, label: TestLabel) -> Iterator[HomeTrace]:
        return (trace for trace in self._fleet.traces(label) if trace.home != self._without)


def sine_label(period_s: float) -> TestLabel:
    return TestLabel(TestType.SINE, period_s)


def exact_response(product: Product, delay_s: float, lag_s: float = 0.4) -> np.ndarray:
    """Shortest period first."""
    speed = omega(np.array([row.period_s for row in rules.sine_periods(product)]))
    return np.asarray(np.exp(-1j * speed * delay_s) / (1 + 1j * speed * lag_s))
