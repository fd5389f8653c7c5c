"""K, M, R13, 1h and the frequency meter."""

from dataclasses import replace

import numpy as np
import pytest
from samspel_prequal import rules
from samspel_prequal.evaluate.measurement import judge_declared, judge_operation, judge_rate, judge_resolution, quantum
from samspel_prequal.evaluate.mode_shift import judge_mode_shifts, mode_shifts
from samspel_prequal.evaluate.options import EvaluationOptions
from samspel_prequal.evaluate.reduction import Reduction, dynamic_reduction, steady_reduction
from samspel_prequal.evaluate.traces import frequency_meter_s, theoretical_w, trace
from samspel_prequal.logs import Log, TestLabel
from samspel_prequal.product import Product, TestType

OPTIONS = EvaluationOptions()
RAMP = TestLabel(TestType.RAMP)


@pytest.mark.parametrize(
    ("delivered", "k"),
    [
        ([1.0], 1.0), ([0.95], 1.0), ([0.855], 0.9), ([0.95, 1.19], 1.0), ([0.9025, 1.1], 0.95),
        ([0.9, 1.18], 0.0), ([1.25], 0.0), ([-1.0], 0.0),
    ],
)  # fmt: skip
def test_steady_reduction_serves_every_response(delivered: list[float], k: float) -> None:
    found = steady_reduction(delivered)
    assert found == pytest.approx(k)
    if found:
        assert all(0.95 * found - 1e-9 <= share <= 1.2 * found + 1e-9 for share in delivered)


def test_dynamic_reduction_is_the_least_of_its_causes() -> None:
    assert dynamic_reduction([0.86], [3.2], 1.0) == 1.0
    assert dynamic_reduction([0.774], [3.2], None) == pytest.approx(0.9)
    assert dynamic_reduction([0.9], [2.56], 0.95) == pytest.approx(0.8)
    assert dynamic_reduction([], [], None) is None
    assert steady_reduction([]) is None


@pytest.mark.parametrize(
    ("steady", "dynamic", "floors", "remaining"),
    [
        (0.95, 0.92, (0.9, 0.9), 0.92), (0.95, 0.89, (0.9, 0.9), 0.0), (0.80, 0.76, (0.75, 0.75), 0.76),
        (0.80, 0.83, (0.75, 0.84), 0.0), (None, 0.95, (0.9, 0.9), 0.95),
    ],
)  # fmt: skip
def test_floors(steady: float | None, dynamic: float, floors: tuple[float, float], remaining: float) -> None:
    k = Reduction(steady, dynamic, *floors)
    assert k.remaining == pytest.approx(remaining)
    assert k.allowed is (remaining > 0)


def test_nothing_known_of_the_reduction() -> None:
    k = Reduction(None, None, 0.9, 0.9)
    assert (k.combined, k.allowed, k.remaining) == (None, None, 0.0)


@pytest.mark.parametrize(
    ("product", "step_s", "consent", "passes"),
    [
        (Product.FCR_N, 0.2, False, True), (Product.FCR_N, 0.5, False, False), (Product.FCR_D_UP, 0.1, False, True),
        (Product.FCR_D_UP, 0.2, False, False), (Product.FCR_D_UP, 1.0, True, True),
        (Product.FCR_D_UP, 2.0, True, False),
    ],
)  # fmt: skip
def test_log_rate(product: Product, step_s: float, consent: bool, passes: bool) -> None:
    found = judge_rate(np.arange(0, 100, step_s), product, replace(OPTIONS, low_rate_consent=consent))
    assert found.passed is passes
    assert found.value == pytest.approx(1 / step_s)


def test_a_log_on_change_is_left_open() -> None:
    assert judge_rate(np.cumsum(np.tile([0.1, 2.0, 0.3], 50)), Product.FCR_N, OPTIONS).passed is None


def test_resolution() -> None:
    values = np.random.default_rng(1).normal(0, 1, 2000)
    found = judge_resolution(np.round(50 + 0.1 * values, 3), np.round(30_000 * values, -3), 100_000.0)
    assert found["M-frequency-resolution"].value == pytest.approx(0.001)
    assert found["M-power-resolution"].value == pytest.approx(1000.0)
    assert found["M-power-resolution"].passed
    assert "25 W" in found["M-power-resolution"].text  # 0.025 %, the finer reading
    coarse = judge_resolution(np.round(50 + values, 2), np.round(values * 1e6 / 2e4) * 2e4, 1e6)
    assert [one.passed for one in coarse.values()] == [False, False]
    assert quantum(np.array([50.0, 49.9] * 100)) is None


def test_accuracy_is_declared_or_open() -> None:
    assert {name: one.passed for name, one in judge_declared(1e5, OPTIONS).items()} == {
        "M-power-accuracy": None, "M-frequency-accuracy": None, "M-clock": None,
    }  # fmt: skip
    declared = replace(OPTIONS, power_accuracy=0.02, frequency_accuracy_hz=0.02, clock_synchronised=True)
    assert [one.passed for one in judge_declared(1e5, declared).values()] == [True, False, True]
    assert judge_declared(2e6, declared)["M-power-accuracy"].passed is False  # 1 % from 1.5 MW on


@pytest.mark.parametrize(
    ("seconds", "step_s", "gap_at", "passes"),
    [
        (3600, 1.0, None, True),
        (3599, 1.0, None, False),
        (3700, 0.1, None, True),
        (3700, 1.0, 1800, False),
        (9000, 2.0, None, False),
    ],
)
def test_one_hour_of_operation(seconds: int, step_s: float, gap_at: float | None, passes: bool) -> None:
    time_s = np.arange(0, seconds, step_s)
    time_s = time_s if gap_at is None else time_s[(time_s < gap_at) | (time_s > gap_at + 10)]
    assert judge_operation(time_s).passed is passes


def shifts(*stays: tuple[float, float, float], bump_w: float = 0.0) -> object:
    time_s = np.arange(0, 2000, 0.1)
    hz, mode, power_w = np.full(len(time_s), 49.9), np.zeros(len(time_s), dtype=bool), np.zeros(len(time_s))
    for start_s, length_s, at_hz in stays:
        inside = (time_s >= start_s) & (time_s < start_s + length_s)
        hz[inside], mode[inside], power_w[inside] = at_hz, True, bump_w
    return judge_mode_shifts(mode_shifts(time_s, hz, power_w, mode), 1e5, 0.05)


@pytest.mark.parametrize(
    ("stays", "passes"),
    [
        ([(100, 9.9, 49.79)], True), ([(100, 10.5, 49.79)], False), ([(100, 5, 49.85)], False),
        ([(100, 5, 49.8), (420, 5, 49.8)], True), ([(100, 5, 49.8), (300, 5, 49.8)], False),
        ([(100, 5, 49.8), (300, 5, 50.2)], True),
    ],
)  # fmt: skip
def test_mode_shifts(stays: list[tuple[float, float, float]], passes: bool) -> None:
    assert shifts(*stays).passed is passes  # type: ignore[attr-defined]


def test_a_bump_at_the_shift_back_fails_and_no_shift_says_nothing() -> None:
    assert shifts((100, 5, 49.7), bump_w=10_000.0).passed is False  # type: ignore[attr-defined]
    assert shifts() is None


def log(applied: np.ndarray | None, measured: np.ndarray | None) -> Log:
    first = applied if applied is not None else measured
    assert first is not None
    made = Log.of(Product.FCR_D_DOWN, RAMP, np.arange(len(first)) / 10, first, np.ones(len(first)))
    columns = {"ApplFreqSig": applied, "GridFreq": measured}
    values = {name: data for name, data in columns.items() if data is not None}
    return replace(made, values={"InsAcPow": made.power_w, **values})


def test_the_frequency_meter_is_taken_from_what_the_log_shows() -> None:
    applied = 50 + 0.1 * np.sin(np.arange(1000) / 10)
    rng = np.random.default_rng(3)
    follows, grid = applied + rng.normal(0, 0.002, 1000), 50 + rng.normal(0, 0.01, 1000)
    assert frequency_meter_s(log(applied, follows), OPTIONS) == 0.0
    for shown in (
        log(applied, grid),
        log(applied, None),
        log(applied, applied.copy()),
        log(None, applied),
        log(applied, np.full(1000, 50.0)),
    ):
        assert frequency_meter_s(shown, OPTIONS) == rules.DEFAULT_FREQUENCY_METER_S
    assert frequency_meter_s(log(applied, grid), replace(OPTIONS, t_fme_s=0.3)) == 0.3


def test_traces_are_turned_round_and_cleaned() -> None:
    applied = np.array([50.1, np.nan, 50.5])
    found = trace(log(applied, None))
    assert list(found.frequency_hz) == pytest.approx([49.9, 49.5])
    assert (list(found.power_w), found.left_out) == ([-1.0, -1.0], 1)


def test_the_theoretical_response_may_differ_by_test() -> None:
    one = log(np.full(4, 50.1), None)
    noted = replace(
        one, values={**one.values, "Cap_FcrdDo": np.full(4, 8e4)}, label=TestLabel(TestType.RAMP, number="3.2")
    )
    assert theoretical_w(noted, 1e5, OPTIONS) == 1e5
    assert theoretical_w(noted, 1e5, replace(OPTIONS, capacity_from_logs=True)) == 8e4
    assert theoretical_w(noted, 1e5, replace(OPTIONS, capacities_w={"3.2": 7e4})) == 7e4
