"""Verdicts of toy plants, made once: fast and slow, with a reservoir and without."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from samspel_prequal.evaluate import EvaluationOptions, Verdict, evaluate
from samspel_prequal.plant import PlantSettings
from samspel_prequal.product import Product
from samspel_prequal.report.content import Report, report_on, section
from samspel_prequal.simulate import Programme, simulate

CAPACITY_W = 80_000.0
CREATED = datetime(2026, 1, 5, 12, tzinfo=UTC)


def judged(product: Product, lag_s: float, delay_s: float, *, gain: float = 1.0) -> Verdict:
    plant = PlantSettings(product, CAPACITY_W, lag_s, delay_s, gain=gain, store_h=float("inf"))
    logs = simulate(Programme(product, limited=False), plant)
    return evaluate(logs, product, CAPACITY_W, EvaluationOptions(power_accuracy=0.01))


@pytest.fixture(scope="session")
def slow() -> Verdict:
    return judged(Product.FCR_D_UP, 3.0, 1.5)


@pytest.fixture(scope="session")
def fast() -> Verdict:
    return judged(Product.FCR_N, 0.3, 0.25)


@pytest.fixture(scope="session")
def report(slow: Verdict) -> Report:
    """Without most of its plots, which take longest and are tested on their own."""
    whole = section(slow, ())
    few = replace(whole, plates=tuple(plate for plate in whole.plates if plate.name == "nyquist"))
    return report_on("SLOW & <late>", [few], CREATED)
