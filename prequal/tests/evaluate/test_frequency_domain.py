"""R8, R9, reduction and margins against closed forms and each other."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from samspel_prequal import rules
from samspel_prequal.evaluate.frequency_response import FrequencyResponse, grid_response
from samspel_prequal.evaluate.interpolation import MEASURED_RULES, Interpolation, fit_model, nyquist_curve
from samspel_prequal.evaluate.margins import delay_margin_s, gain_margins
from samspel_prequal.evaluate.performance import performance, performance_reduction
from samspel_prequal.evaluate.stability import distance_to_curve, stability, stability_radius
from samspel_prequal.product import FCR_PRODUCTS, Product

from .entities import lag_response

ALL_RULES = [*MEASURED_RULES, Interpolation.MODEL]


def test_the_sign_of_the_loop() -> None:
    """TR section 12: F = 1 must pass, far from -1 at long periods."""
    for product in FCR_PRODUCTS:
        ideal = lag_response(product, 0.0, 0.0)
        loop = ideal.response * grid_response(rules.GRID_STABILITY[product], ideal.omega)
        assert abs(1 + loop[0]) > 7
        found = stability(ideal, rules.GRID_STABILITY[product])
        assert (found.encirclements, found.value > stability_radius()) == (0, True)


def test_radii() -> None:
    assert (stability_radius(), stability_radius(exempted=True)) == pytest.approx((0.4085, 0.3225))


@pytest.mark.parametrize("rule", ALL_RULES)
def test_a_loop_round_minus_one_fails_however_far_it_keeps(rule: Interpolation) -> None:
    backwards = lag_response(Product.FCR_N, 0.0, 0.0, gain=-1.0)
    found = stability(backwards, rules.GRID_STABILITY[Product.FCR_N], rule)
    assert found.encirclements != 0
    assert found.value < 0


def test_distance_alone_would_pass_a_loop_that_goes_round() -> None:
    late = lag_response(Product.FCR_N, 0.0, 3.5, gain=3.0)
    found = stability(late, rules.GRID_STABILITY[Product.FCR_N], Interpolation.CHORDS)
    assert found.distance > stability_radius()
    assert found.encirclements == -2
    assert found.value < 0


def test_the_exact_loop_agrees_with_the_nyquist_criterion_of_the_closed_loop() -> None:
    """G with a lag of L seconds is stable for every L; with a dead time it turns at the analytical gain."""
    grid = rules.GRID_STABILITY[Product.FCR_N]
    two_h, damping = grid.denominator
    dead_s = 1.0
    speed = np.linspace(0.1, 3.0, 2_000_001)
    phase = -speed * dead_s - np.arctan2(speed * two_h, damping)
    crossing = speed[np.argmin(np.abs(phase + np.pi))]
    critical = np.hypot(crossing * two_h, damping) / grid.numerator
    for gain, turns in ((critical * 0.99, 0), (critical * 1.01, -2)):
        found = stability(lag_response(Product.FCR_N, 0.0, dead_s, gain), grid, Interpolation.MODEL)
        assert found.encirclements == turns


def test_distance_to_a_chord_is_exact() -> None:
    distance, nearest, at = distance_to_curve(np.array([-2 + 1j, 0 + 1j, 0 + 0j]))
    assert (distance, nearest, at) == (1.0, -1 + 1j, 0)
    assert distance_to_curve(np.array([-0.5 - 0.5j, 0j]))[0] == pytest.approx(np.sqrt(0.5))
    assert distance_to_curve(np.array([1 + 0j]))[0] == 2.0


@pytest.mark.parametrize("rule", [Interpolation.INTERPOLATED_F_POLAR, Interpolation.INTERPOLATED_F_CARTESIAN])
def test_interpolated_f_meets_the_measured_points_and_the_exact_grid(rule: Interpolation) -> None:
    grid = rules.GRID_STABILITY[Product.FCR_N]
    ideal = lag_response(Product.FCR_N, 0.0, 0.0, gain=0.8)
    curve = nyquist_curve(rule, ideal, grid)
    assert curve.loop == pytest.approx(0.8 * grid_response(grid, 2 * np.pi / curve.period_s))
    assert set(np.round(ideal.period_s, 6)) <= set(np.round(curve.period_s, 6))


def test_polar_interpolation_draws_a_pure_delay_exactly() -> None:
    grid = rules.GRID_STABILITY[Product.FCR_D_UP]
    late = lag_response(Product.FCR_D_UP, 0.0, 1.7)
    curve = nyquist_curve(Interpolation.INTERPOLATED_F_POLAR, late, grid)
    speed = 2 * np.pi / curve.period_s
    assert curve.loop == pytest.approx(np.exp(-1.7j * speed) * grid_response(grid, speed))


def test_strictest_is_the_least_of_the_measured_rules() -> None:
    grid, measured = rules.GRID_STABILITY[Product.FCR_N], lag_response(Product.FCR_N, 2.0, 0.5)
    each = [stability(measured, grid, rule).value for rule in MEASURED_RULES]
    assert stability(measured, grid).value == min(each)
    with pytest.raises(ValueError, match="four curves"):
        nyquist_curve(Interpolation.STRICTEST, measured, grid)


def test_the_model_finds_its_own_parameters() -> None:
    found = fit_model(lag_response(Product.FCR_D_UP, 1.2, 0.4, gain=0.9))
    assert (found.gain, found.dead_time_s, found.lag_s) == pytest.approx((0.9, 0.4, 1.2), rel=1e-4)
    assert found.rms_error < 1e-6


@given(lag_s=st.floats(0.1, 4), dead_s=st.floats(0.0, 1.5), extra_s=st.floats(0.01, 1.0), number=st.integers(0, 2))
@settings(max_examples=60, deadline=None)
def test_delay_never_improves_r8_near_the_limit(lag_s: float, dead_s: float, extra_s: float, number: int) -> None:
    product = FCR_PRODUCTS[number]
    grid, measured = rules.GRID_STABILITY[product], lag_response(product, lag_s, dead_s)
    before = stability(measured, grid)
    assume(before.value < 0.9)
    after = stability(measured.delayed(extra_s), grid)
    assert after.value <= before.value + 1e-9 or not after.value > stability_radius()


@given(lag_s=st.floats(0.1, 3), dead_s=st.floats(0.0, 0.5))
@settings(max_examples=40, deadline=None)
def test_a_passing_loop_with_its_sign_flipped_fails(lag_s: float, dead_s: float) -> None:
    for product in FCR_PRODUCTS:
        flipped = lag_response(product, lag_s, dead_s).scaled(-1.0)
        assert stability(flipped, rules.GRID_STABILITY[product]).value < 0


def test_r9_against_the_formula() -> None:
    grid, measured = rules.GRID_PERFORMANCE[Product.FCR_N], lag_response(Product.FCR_N, 1.0, 0.3)
    s = 1j * measured.omega
    g = 600 / 0.1 * 50 / 42_000 / (2 * 190_000 / 42_000 * s + 0.01 * 50)
    expected = 0.95 * np.abs(g / (1 + measured.response * g)) * np.abs(1 / (70 * s + 1))
    assert performance(measured, grid) == pytest.approx(expected, rel=1e-12)
    reduced = 0.95 * np.abs(g / (1 + measured.response * g / 0.9)) * np.abs(1 / (70 * s + 1))
    assert performance(measured, grid, reduction=0.9) == pytest.approx(reduced, rel=1e-12)


@pytest.mark.parametrize("gain", [0.35, 0.42, 0.46])
def test_the_reduction_for_r9_is_the_largest_that_passes(gain: float) -> None:
    grid, weak = rules.GRID_PERFORMANCE[Product.FCR_N], lag_response(Product.FCR_N, 0.5, 0.2, gain)
    assert np.max(performance(weak, grid)) > 1
    k = performance_reduction(weak, grid)
    assert 0 < k < 1
    assert np.max(performance(weak, grid, reduction=k)) == pytest.approx(1.0)
    assert np.max(performance(weak, grid, reduction=min(k * 1.001, 1.0))) > 1


def test_no_reduction_helps_an_entity_that_does_nothing() -> None:
    nothing = lag_response(Product.FCR_N, 0.5, 0.2, gain=0.0)
    assert performance_reduction(nothing, rules.GRID_PERFORMANCE[Product.FCR_N]) == 0.0


def test_the_delay_margin_is_where_r8_turns() -> None:
    grid, measured = rules.GRID_STABILITY[Product.FCR_D_UP], lag_response(Product.FCR_D_UP, 0.5, 0.2)

    def passes(extra_s: float) -> bool:
        return stability(measured.delayed(extra_s), grid).value > stability_radius()

    margin_s = delay_margin_s(passes)
    assert margin_s is not None
    assert stability(measured.delayed(margin_s), grid).value == pytest.approx(stability_radius(), abs=1e-3)
    slow = FrequencyResponse(measured.period_s, measured.delayed(margin_s + 0.5).response)
    assert delay_margin_s(lambda s: stability(slow.delayed(s), grid).value > stability_radius()) == pytest.approx(
        -0.5, abs=1e-3
    )


def test_gain_margins_and_margins_that_do_not_exist() -> None:
    lower, upper = gain_margins(lambda gain: 0.8 < gain < 1.3)
    assert (lower, upper) == pytest.approx((0.8, 1.3), abs=1e-3)
    assert gain_margins(lambda gain: True) == (None, None)
    assert delay_margin_s(lambda extra_s: True) is None
