"""Steps, ramps, static ramps and staircases against closed forms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samspel_prequal.errors import EvaluationError
from samspel_prequal.evaluate.judge_time import judge_combination, judge_ramp, judge_static, judge_steps
from samspel_prequal.evaluate.linearity import envelope, staircase
from samspel_prequal.evaluate.options import EvaluationOptions
from samspel_prequal.evaluate.ramps import RampFigures, ramp_figures
from samspel_prequal.evaluate.requirement import Requirement
from samspel_prequal.evaluate.static import static_figures
from samspel_prequal.evaluate.steps import step_figures
from samspel_prequal.evaluate.transitions import find_transitions
from samspel_prequal.evaluate.windows import AveragingWindow
from samspel_prequal.product import Product
from samspel_prequal.signals import FloatArray, linearity, ramp, static_ramp, step

from .entities import answered, droop_share

DUE_W = 100_000.0
OPTIONS = EvaluationOptions()
RAMP_S = 0.4 / 0.24  # from nothing to full activation


def ramped(lag_s: float = 0.0, dead_s: float = 0.0, gain: float = 1.0, **how: float) -> RampFigures:
    time_s, hz, share = answered(ramp(Product.FCR_D_UP), droop_share, lag_s=lag_s, dead_time_s=dead_s, **how)
    return ramp_figures(time_s, hz, 3000 + gain * DUE_W * share, theoretical_w=DUE_W)


def judged(figures: RampFigures) -> dict[str, Requirement]:
    return judge_ramp(figures, DUE_W, OPTIONS)


@pytest.mark.parametrize(("lag_s", "dead_s"), [(0.3, 0.1), (1.0, 0.5), (2.5, 1.0), (4.0, 0.0), (6.0, 2.0)])
def test_power_and_energy_of_a_lag_with_dead_time(lag_s: float, dead_s: float) -> None:
    left = lag_s / RAMP_S * (np.exp(RAMP_S / lag_s) - 1) * np.exp(-(7.5 - dead_s) / lag_s)
    power = 1 - left
    energy_s = 7.5 - dead_s - RAMP_S / 2 - lag_s * power
    found = judged(ramped(lag_s, dead_s))
    assert found["R2"].value == pytest.approx(power, rel=1e-3)
    assert found["R3"].value == pytest.approx(energy_s, rel=1e-3)
    assert found["R2"].passed is bool(power >= 0.86)
    assert found["R3"].passed is bool(energy_s >= 3.2)
    assert found["hold"].passed


@pytest.mark.parametrize(("gain", "passes"), [(0.94, False), (0.96, True), (1.19, True), (1.21, False)])
def test_steady_state_of_a_gain_error(gain: float, passes: bool) -> None:
    found = judged(ramped(0.3, gain=gain))["R1"]
    assert found.value == pytest.approx(gain - 1, abs=1e-6)
    assert found.passed is passes
    assert found.margin == pytest.approx(min(gain - 0.95, 1.2 - gain), abs=1e-6)


def test_excess_energy_of_a_pure_delay() -> None:
    """Full until 49.5 Hz comes back, 0.3 s late; then a fall of 0.225 a second down to one half."""
    dead_s = 0.3
    full_s = 0.5 + 0.05 / 0.09 + dead_s
    expected = 0.5 * full_s + 0.5 * 0.5 * (0.5 / 0.225)
    assert judged(ramped(0.0, dead_s))["R4"].value == pytest.approx(expected, rel=1e-3)


def test_a_sluggish_return_fails_r4() -> None:
    assert not judged(ramped(4.0, 2.0))["R4"].passed


def test_the_cap_of_r4_is_half_of_what_is_due() -> None:
    weak = ramped(0.0, 0.0, gain=0.4)
    assert weak.sampled_w == pytest.approx(0.4 * DUE_W)
    assert weak.excess_ws == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(("drop", "passes"), [(0.005, True), (0.03, False)])
def test_power_may_not_fall_after_7_5_s(drop: float, passes: bool) -> None:
    time_s, hz, share = answered(ramp(Product.FCR_D_UP), droop_share, lag_s=0.3)
    share[(time_s > 720) & (time_s < 725)] -= drop
    found = judged(ramp_figures(time_s, hz, DUE_W * share, theoretical_w=DUE_W))["hold"]
    assert found.passed is passes
    assert found.value == pytest.approx(1 - drop, abs=1e-3)


def test_the_endurance_sequence_and_both_windows_read_the_same() -> None:
    time_s, hz, share = answered(ramp(Product.FCR_D_UP, endurance=True), droop_share, lag_s=1.0, dead_time_s=0.3)
    for window in AveragingWindow:
        found = ramp_figures(time_s, hz, share, theoretical_w=1.0, window=window)
        assert found.steady_w == pytest.approx(1.0, abs=1e-6)


@given(rest_s=st.floats(0.0, 60.0), fraction_s=st.floats(0.0, 0.0999), seed=st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_ramps_are_found_wherever_the_log_begins(rest_s: float, fraction_s: float, seed: int) -> None:
    signal = ramp(Product.FCR_D_UP, combination=True)
    time_s = np.arange(-rest_s, signal.duration_s, 0.1) + fraction_s
    noisy_hz = signal.at(time_s) + np.random.default_rng(seed).normal(0, 0.001, len(time_s))
    moves = find_transitions(time_s, noisy_hz, signal.initial, signal.segments, required=6)
    assert [move.start_s for move in moves] == pytest.approx(signal.starts_s, abs=0.04)


def test_start_and_end_follow_from_the_speed_not_from_the_printed_end() -> None:
    signal = ramp(Product.FCR_D_UP)
    time_s = np.arange(0, signal.duration_s, 0.1)
    first = find_transitions(time_s, signal.at(time_s), signal.initial, signal.segments, required=6)[0]
    assert (first.start_s, first.end_s) == pytest.approx((30.0, 30.0 + 0.45 / 0.14), abs=1e-6)


def test_another_sequence_is_refused_in_words() -> None:
    time_s, hz, share = answered(static_ramp(Product.FCR_D_UP), droop_share)
    with pytest.raises(EvaluationError, match=r"move 1 .* was not found|move \d from"):
        ramp_figures(time_s, hz, share, theoretical_w=1.0)


def combined(frequency_hz: FloatArray) -> FloatArray:
    return droop_share(frequency_hz) + 0.5 * np.clip((50.0 - frequency_hz) / 0.1, -1.0, 1.0)


@pytest.mark.parametrize(("gain", "passes"), [(1.0, True), (1.25, False)])
def test_combination_with_fcr_n(gain: float, passes: bool) -> None:
    time_s, hz, share = answered(ramp(Product.FCR_D_UP, combination=True), combined)
    figures = ramp_figures(time_s, hz, gain * DUE_W * share, theoretical_w=DUE_W)
    found = judge_combination(figures, DUE_W, 0.5 * DUE_W, OPTIONS)["R1b"]
    assert found.value == pytest.approx(gain - 1, abs=1e-6)
    assert found.passed is passes
    assert judge_combination(figures, DUE_W, None, OPTIONS) == {}


@pytest.mark.parametrize("endurance", [False, True])
@pytest.mark.parametrize("with_pre_step", [True, False])
def test_step_sequence(endurance: bool, with_pre_step: bool) -> None:
    signal = step(endurance=endurance)
    time_s, hz, share = answered(
        signal, lambda f: np.where(f < 50, 0.97, 1.1) * np.clip((50 - f) / 0.1, -1, 1), lag_s=3.0, rate_hz=5.0
    )
    if not with_pre_step:
        hz = np.where(np.abs(hz - 49.95) < 1e-6, 50.0, hz)
    figures = step_figures(time_s, hz, -500 + DUE_W * share)
    assert (figures.up_w / DUE_W, figures.down_w / DUE_W) == pytest.approx((0.97, -1.1), abs=1e-6)
    assert (figures.p0_w, figures.p3_w) == pytest.approx((-500, -500), abs=1e-3)
    found = judge_steps(figures, DUE_W, OPTIONS)["R1"]
    assert found.value == pytest.approx(-0.03, abs=1e-6)  # the direction with the least room
    assert found.passed


def test_baseline_drift_between_the_rests_is_shared() -> None:
    time_s, hz, share = answered(step(), lambda f: np.clip((50 - f) / 0.1, -1, 1), rate_hz=5.0)
    figures = step_figures(time_s, hz, share + 1e-4 * time_s)
    assert figures.up_w - figures.down_w == pytest.approx(2.0 - 1e-4 * 300, abs=1e-6)


def relay(time_s: FloatArray, on_after_s: float, stays_s: float, fall_s: float, peak: float = 1.0) -> FloatArray:
    up = np.clip((time_s - 180 - on_after_s) / 2.0, 0, 1) * peak
    back_s = 240 + RAMP_S + stays_s
    return up * (1 - np.clip((time_s - back_s) / fall_s, 0, 1))


def static(
    on_after_s: float = 1.0, stays_s: float = 65.0, fall_s: float = 50.0, peak: float = 1.0
) -> dict[str, Requirement]:
    signal = static_ramp(Product.FCR_D_UP)
    time_s = np.arange(0, signal.duration_s, 0.1)
    power_w = DUE_W * relay(time_s, on_after_s, stays_s, fall_s, peak)
    return judge_static(static_figures(time_s, signal.at(time_s), power_w, theoretical_w=DUE_W), DUE_W)


def test_a_good_relay_passes_everything() -> None:
    found = static()
    assert {name for name, one in found.items() if not one.passed} == set()
    assert found["R7"].value == pytest.approx(1 / 50, rel=1e-3)
    assert found["R3"].value == pytest.approx(7.5 - 1.0 - 1.0, rel=1e-3)


@pytest.mark.parametrize(
    ("fault", "fails"),
    [
        ({"on_after_s": 4.8}, {"R5b", "R3"}),
        ({"stays_s": 30.0}, {"R6"}),
        ({"stays_s": 950.0}, {"R6"}),
        ({"fall_s": 20.0}, {"R7"}),
        ({"fall_s": 3.0}, {"R7"}),
        ({"peak": 1.3}, {"R1", "R5a", "R7"}),
        ({"peak": 1.15}, {"R1"}),
    ],
)
def test_each_fault_of_a_relay_fails_its_own_requirement(fault: dict[str, float], fails: set[str]) -> None:
    assert {name for name, one in static(**fault).items() if not one.passed} == fails


@pytest.mark.parametrize(
    ("product", "hz", "edges"),
    [
        (Product.FCR_N, 49.9, (0.95, 1.10)),
        (Product.FCR_N, 49.95, (0.45, 0.60)),
        (Product.FCR_N, 50.0, (-0.05, 0.05)),
        (Product.FCR_N, 50.1, (-1.10, -0.95)),
        (Product.FCR_N, 50.05, (-0.60, -0.45)),
        (Product.FCR_D_UP, 49.5, (0.95, 1.10)),
        (Product.FCR_D_UP, 49.7, (0.45, 0.60)),
        (Product.FCR_D_UP, 49.91, (-0.01, 0.01)),
    ],
)
def test_envelope(product: Product, hz: float, edges: tuple[float, float]) -> None:
    assert envelope(product, hz) == pytest.approx(edges, abs=0.02)


@pytest.mark.parametrize(("gain", "passes"), [(1.0, True), (0.94, False), (1.12, False)])
def test_staircase_of_fcr_n(gain: float, passes: bool) -> None:
    time_s, hz, share = answered(linearity(Product.FCR_N), lambda f: (50 - f) / 0.1, lag_s=5.0, rate_hz=5.0)
    levels = staircase(time_s, hz, gain * share, product=Product.FCR_N, theoretical_w=1.0)
    assert len(levels) == 20
    assert (min(level.room for level in levels) >= 0) is passes


def test_staircase_of_fcr_d_and_one_with_too_few_steps() -> None:
    time_s, hz, share = answered(linearity(Product.FCR_D_UP), droop_share)
    levels = staircase(time_s, hz, share, product=Product.FCR_D_UP, theoretical_w=1.0)
    assert min(level.room for level in levels) == pytest.approx(0.01)
    short = time_s < 500
    with pytest.raises(EvaluationError, match="at least 7 steps"):
        staircase(time_s[short], hz[short], share[short], product=Product.FCR_D_UP, theoretical_w=1.0)
