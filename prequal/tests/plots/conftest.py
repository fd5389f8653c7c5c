"""What the plots draw, made once."""

from dataclasses import dataclass

import pytest
from samspel_prequal.evaluate import EvaluationOptions, Evidence, Verdict, evaluate
from samspel_prequal.plant import PlantSettings
from samspel_prequal.product import Product, TestType
from samspel_prequal.simulate import Programme, simulate

CAPACITY_W = 80_000.0


@dataclass(frozen=True, slots=True)
class Judged:
    verdict: Verdict

    def evidence(self, test_type: TestType) -> Evidence:
        return next(one for one in self.verdict.evidence if one.log.label.test_type is test_type)


def judged(plant: PlantSettings, kinds: set[TestType]) -> Judged:
    limited = plant.limited
    logs = [log for log in simulate(Programme(plant.product, limited=limited), plant) if log.label.test_type in kinds]
    energy_wh = plant.energy_h * CAPACITY_W if limited else None
    return Judged(evaluate(logs, plant.product, CAPACITY_W, EvaluationOptions(energy_wh=energy_wh)))


@pytest.fixture(scope="session")
def slow_up() -> Judged:
    plant = PlantSettings(Product.FCR_D_UP, CAPACITY_W, lag_s=3.0, delay_s=1.5, store_h=float("inf"))
    return judged(plant, {TestType.RAMP, TestType.SINE})


@pytest.fixture(scope="session")
def slow_n() -> Judged:
    plant = PlantSettings(Product.FCR_N, CAPACITY_W, lag_s=3.0, delay_s=1.5, store_h=float("inf"))
    return judged(plant, {TestType.STEP, TestType.SINE})


@pytest.fixture(scope="session")
def limited_down() -> Judged:
    plant = PlantSettings(Product.FCR_D_DOWN, CAPACITY_W, lag_s=0.3, delay_s=0.2)
    return judged(plant, {TestType.RAMP, TestType.ENERGY})
