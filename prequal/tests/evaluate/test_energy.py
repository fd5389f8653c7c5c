"""R12: NEM and AEM by hand, the toy plant as a second opinion, and entities that get them wrong."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

import numpy as np
import pytest
from samspel_prequal.evaluate.endurance import judge_hold, least_held
from samspel_prequal.evaluate.energy import energy_plan
from samspel_prequal.evaluate.evidence import gather
from samspel_prequal.evaluate.options import EvaluationOptions
from samspel_prequal.evaluate.requirement import Requirement
from samspel_prequal.logs import Log, TestLabel
from samspel_prequal.plant import PlantSettings, ToyPlant
from samspel_prequal.player import Site, record
from samspel_prequal.product import FCR_PRODUCTS, Product, TestType
from samspel_prequal.signals import EnergyDrive, FloatArray

CAPACITY_W = 100_000.0
OPTIONS = EvaluationOptions()
START = datetime(2026, 1, 5, tzinfo=UTC)


def seconds(*parts: tuple[float, int]) -> FloatArray:
    return np.concatenate([np.full(count, value) for value, count in parts])


def test_nem_ramps_in_and_out_over_five_minutes() -> None:
    hz, soc = seconds((50.0, 600), (49.85, 600)), np.full(1200, 0.2)
    plan = energy_plan(hz, soc, product=Product.FCR_N, energy_h=2.0, options=OPTIONS)
    assert plan.nem_level[[149, 299, 599, 749, 899]] == pytest.approx([-0.5, -1.0, -1.0, -0.5, 0.0], abs=0.005)
    assert plan.power[599] == pytest.approx(-0.34)
    assert plan.power[1000] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("product", "soc", "first"),
    [
        (Product.FCR_N, 0.251, 0), (Product.FCR_N, 0.249, -1), (Product.FCR_N, 0.751, 1),
        (Product.FCR_D_UP, 0.17, 0), (Product.FCR_D_UP, 0.166, -1), (Product.FCR_D_UP, 0.99, 0),
        (Product.FCR_D_DOWN, 0.83, 0), (Product.FCR_D_DOWN, 0.834, 1), (Product.FCR_D_DOWN, 0.01, 0),
    ],
)  # fmt: skip
def test_thresholds_in_minutes_of_capacity(product: Product, soc: float, first: int) -> None:
    plan = energy_plan(np.full(3, 50.0), np.full(3, soc), product=product, energy_h=2.0, options=OPTIONS)
    assert list(plan.nem_allowed) == [first] * 3


def test_nem_holds_until_its_outer_threshold() -> None:
    soc = np.concatenate([np.linspace(0.3, 0.2, 101), np.linspace(0.2, 0.5, 301)])
    plan = energy_plan(np.full(len(soc), 50.0), soc, product=Product.FCR_N, energy_h=2.0, options=OPTIONS)
    on = np.flatnonzero(plan.nem_allowed)
    assert soc[on[0]] == pytest.approx(0.25, abs=0.002)
    assert soc[on[-1]] == pytest.approx(57.5 / 120, abs=0.002)
    assert np.all(np.diff(on) == 1)


def test_aem_lets_a_standing_deviation_fade_and_still_answers_a_quick_one() -> None:
    hz, soc = seconds((49.92, 900), (49.95, 1)), np.full(901, 0.01)
    plan = energy_plan(hz, soc, product=Product.FCR_N, energy_h=2.0, options=replace(OPTIONS, nem_share=1e-12))
    assert plan.power[[0, 149, 299, 600]] == pytest.approx([0.8, 0.4, 0.0, 0.0], abs=0.005)
    assert plan.power[900] == pytest.approx(-0.3, abs=1e-3)


def test_caps() -> None:
    hz = seconds((49.5, 400), (49.91, 1))
    plan = energy_plan(hz, np.full(401, 0.01), product=Product.FCR_D_UP, energy_h=0.5, options=OPTIONS)
    assert plan.power[399] == pytest.approx(0.0, abs=0.005)
    assert plan.power[400] == pytest.approx(-0.2)  # eq. 25; without the cap the droop would give -1


@cache
def energy_log(product: Product) -> tuple[Log, float]:
    hours = 2.0 if product is Product.FCR_N else 0.5
    minutes = 32.0 if product is Product.FCR_N else 22.0
    near = minutes / 60 / hours
    soc = near if product is Product.FCR_D_UP else 1 - near
    plant = ToyPlant(PlantSettings(product, CAPACITY_W, lag_s=0.5, delay_s=0.2, store_h=hours, soc=soc), 1)
    log = record(plant.drive(EnergyDrive(product), 1.0), product, TestLabel(TestType.ENERGY), START, Site())
    return log, hours * CAPACITY_W


def judged(product: Product, change: Callable[[dict[str, FloatArray]], object] = lambda values: None) -> Requirement:
    log, energy_wh = energy_log(product)
    values = {name: data.copy() for name, data in log.values.items()}
    change(values)
    options = EvaluationOptions(energy_wh=energy_wh)
    return gather(replace(log, values=values), CAPACITY_W, options).requirements["R12"]


@pytest.mark.parametrize("product", FCR_PRODUCTS)
def test_the_toy_plant_and_the_plan_agree_though_written_apart(product: Product) -> None:
    found = judged(product)
    assert (found.passed, found.value) == (True, 0.0)


def test_nem_inside_or_outside_the_baseline_is_the_same() -> None:
    def outside(values: dict[str, FloatArray]) -> None:
        values["CalcBaseline"] -= values["NEM_MW_Fcrn"]

    assert judged(Product.FCR_N, outside).passed
    assert (
        judged(Product.FCR_N).details["nem_in_baseline"]
        is not judged(Product.FCR_N, outside).details["nem_in_baseline"]
    )


def late_flag(name: str, by: int) -> Callable[[dict[str, FloatArray]], None]:
    def change(values: dict[str, FloatArray]) -> None:
        values[name] = np.concatenate([np.zeros(by), values[name][:-by]])

    return change


def never(name: str) -> Callable[[dict[str, FloatArray]], None]:
    return lambda values: values.update({name: np.zeros_like(values[name])})


def wrong_way(values: dict[str, FloatArray]) -> None:
    values["InsAcPow"] -= 2 * values["NEM_MW_Fcrn"]
    values["NEM_MW_Fcrn"] *= -1
    values["CalcBaseline"] *= 0


def halved(values: dict[str, FloatArray]) -> None:
    values["InsAcPow"] *= 0.5


@pytest.mark.parametrize("gain", [0.96, 1.19])
def test_what_r1_allows_is_allowed_here(gain: float) -> None:
    assert judged(Product.FCR_N, lambda values: values.update(InsAcPow=gain * values["InsAcPow"])).passed


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (never("NEM_Fcrn"), "nem_wrong_s"),
        (late_flag("NEM_Fcrn", 60), "nem_wrong_s"),
        (never("AEM_Fcrn"), "aem_wrong_s"),
        (late_flag("AEM_Fcrn", 300), "aem_wrong_s"),
        (wrong_way, "power_wrong_s"),
        (halved, "power_wrong_s"),
    ],
)
def test_an_entity_that_gets_it_wrong_fails_for_that_reason(
    change: Callable[[dict[str, FloatArray]], None], part: str
) -> None:
    found = judged(Product.FCR_N, change)
    assert found.passed is False
    seconds_wrong = found.details[part]
    assert isinstance(seconds_wrong, float)
    assert seconds_wrong > 0


def test_a_test_that_never_reaches_aem_stays_open() -> None:
    log, energy_wh = energy_log(Product.FCR_D_UP)
    found = gather(log.between(0, 600), CAPACITY_W, EvaluationOptions(energy_wh=energy_wh)).requirements["R12"]
    assert found.passed is None


@pytest.mark.parametrize(("blank", "energy_wh", "word"), [("SOC", 5e4, "SOC"), (None, None, "energy_wh")])
def test_what_is_missing_is_named(blank: str | None, energy_wh: float | None, word: str) -> None:
    log, _ = energy_log(Product.FCR_D_UP)
    values = {name: data for name, data in log.values.items() if name != blank}
    found = gather(replace(log, values=values), CAPACITY_W, EvaluationOptions(energy_wh=energy_wh))
    assert "R12" not in found.requirements
    assert word in found.warnings[0]


@pytest.mark.parametrize(("dip", "passes"), [(0.0, True), (0.1, False)])
def test_fifteen_minutes(dip: float, passes: bool) -> None:
    time_s = np.arange(0, 1000, 0.1)
    share = np.where((time_s > 700) & (time_s < 720), 1 - dip, 1.0)
    least = least_held(time_s, share, 50.0, 950.0)
    assert least == pytest.approx(1 - dip)
    assert least is not None
    assert judge_hold(least, 1.0).passed is passes
    assert judge_hold(0.86, 0.9).passed
    assert least_held(time_s, share, 50.0, 350.0) is None
