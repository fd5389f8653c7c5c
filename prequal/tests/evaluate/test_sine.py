"""F from sine logs against closed forms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samspel_prequal import rules
from samspel_prequal.errors import EvaluationError
from samspel_prequal.evaluate.frequency_response import sine_point
from samspel_prequal.evaluate.sine_fit import fit_sine
from samspel_prequal.product import FCR_PRODUCTS, Product

from .entities import CAPACITY_W, lagged_sine, point, sine_log

PERIODS = [row.period_s for row in rules.SINE_PERIODS]


def exact(period_s: float, lag_s: float, dead_time_s: float, t_fme_s: float = 0.0) -> complex:
    s = 2j * np.pi / period_s
    return complex(np.exp(-s * dead_time_s) / (1 + s * lag_s) / (1 + s * t_fme_s))


@pytest.mark.parametrize("product", FCR_PRODUCTS)
@pytest.mark.parametrize("period_s", PERIODS)
def test_lag_with_dead_time(product: Product, period_s: float) -> None:
    found = point(product, period_s, lambda t: lagged_sine(t, period_s, 1.3, 0.45))
    assert found.response == pytest.approx(exact(period_s, 1.3, 0.45), rel=2e-4)
    assert found.section.enough
    assert found.residual < 2e-3


@pytest.mark.parametrize("gain", [-1.0, 0.7, 1.25])
def test_gain_and_sign(gain: float) -> None:
    found = point(Product.FCR_N, 25.0, lambda t: gain * lagged_sine(t, 25.0, 0.0, 0.0))
    assert found.response == pytest.approx(gain, rel=1e-9)


def test_power_that_lags_the_control_error_has_a_negative_phase() -> None:
    found = point(Product.FCR_N, 10.0, lambda t: lagged_sine(t, 10.0, 0.0, 1.0))
    assert found.phase_deg == pytest.approx(-36.0, abs=1e-6)


def test_the_frequency_meter_of_a_software_signal() -> None:
    found = point(Product.FCR_D_UP, 10.0, lambda t: lagged_sine(t, 10.0, 0.5, 0.2), t_fme_s=1.0)
    assert found.response == pytest.approx(exact(10.0, 0.5, 0.2, 1.0), rel=1e-4)


def test_clipping_has_the_gain_of_its_describing_function() -> None:
    level = 0.6
    found = point(Product.FCR_N, 25.0, lambda t: np.clip(np.sin(2 * np.pi * t / 25.0), -level, level), rate_hz=50.0)
    gain = 2 / np.pi * (np.arcsin(level) + level * np.sqrt(1 - level**2))
    assert found.response == pytest.approx(gain, rel=1e-3)


def backlash(drive: np.ndarray, width: float) -> np.ndarray:
    """Play of this half width: the output follows only when it is pushed."""
    output, out = np.zeros_like(drive), 0.0
    for n, value in enumerate(drive):
        out = min(max(out, value - width), value + width)
        output[n] = out
    return output


def test_backlash_has_the_gain_and_phase_of_its_describing_function() -> None:
    b = 0.2  # of the amplitude
    found = point(Product.FCR_N, 40.0, lambda t: backlash(np.sin(2 * np.pi * t / 40.0), b), rate_hz=50.0)
    turn = 1 - 2 * b
    real = (np.pi / 2 + np.arcsin(turn) + turn * np.sqrt(1 - turn**2)) / np.pi
    imag = -4 / np.pi * (b - b**2)
    assert found.response == pytest.approx(complex(real, imag), rel=1e-3)
    assert 0.01 < found.residual < 1.0


def test_residual_is_the_ratio_of_what_is_left_to_the_sine() -> None:
    time_s = np.arange(0, 100, 0.1)
    values = 3 + 2 * np.sin(2 * np.pi * time_s / 10) + 0.5 * np.sin(2 * np.pi * time_s / 2)
    fit = fit_sine(time_s, values, 10.0)
    assert (fit.residual_ratio, fit.amplitude, fit.offset) == pytest.approx((0.25, 2.0, 3.0), rel=1e-9)


@pytest.mark.parametrize("colour", ["white", "slow"])
def test_the_confidence_interval_holds_what_it_promises(colour: str) -> None:
    rng = np.random.default_rng(7)
    inside = 0
    for _ in range(60):
        noise = rng.normal(0, 0.2, 2000)
        if colour == "slow":
            noise = np.convolve(noise, np.ones(60) / 8, mode="same")
        found = point(Product.FCR_N, 10.0, lambda t, n=noise: lagged_sine(t, 10.0, 0.0, 0.0) + n[: len(t)])
        inside += found.gain_ci[0] <= 1.0 <= found.gain_ci[1]
    assert inside >= 52  # 95 % of 60 is 57


def test_rests_before_and_after_fall_away() -> None:
    _, frequency_hz, power_w = sine_log(Product.FCR_D_UP, 15.0, lambda t: lagged_sine(t, 15.0, 0.5, 0.2))
    before, after = np.full(400, 50.0), np.full(600, 49.7)
    frequency_hz = np.concatenate([before, frequency_hz, after])
    power_w = np.concatenate([np.zeros(400), power_w, np.full(600, power_w[-1])])
    found = sine_point(
        np.arange(len(power_w)) / 10,
        frequency_hz,
        power_w,
        product=Product.FCR_D_UP,
        period_s=15.0,
        theoretical_w=CAPACITY_W,
        needed=5,
    )
    assert found.response == pytest.approx(exact(15.0, 0.5, 0.2), rel=1e-4)
    assert found.section.start / 10 >= 40.0
    assert found.section.stop / 10 == pytest.approx(40.0 + 15 * 15.0, abs=0.3)


def test_a_transient_is_left_out_and_too_short_a_log_says_so() -> None:
    slow = point(Product.FCR_N, 10.0, lambda t: lagged_sine(t, 10.0, 12.0, 0.0))
    assert 5 <= slow.section.periods < 19
    drifting = point(Product.FCR_N, 10.0, lambda t: (1 + t / 100) * lagged_sine(t, 10.0, 0.0, 0.0), periods=7)
    assert not drifting.section.enough
    assert drifting.section.periods == 5


def test_no_sine_of_that_period_is_an_error_for_people() -> None:
    time_s, frequency_hz, power_w = sine_log(Product.FCR_N, 25.0, lambda t: lagged_sine(t, 25.0, 0.5, 0.2))
    with pytest.raises(EvaluationError, match="no whole period of a 40 s sine"):
        sine_point(time_s, frequency_hz, power_w, product=Product.FCR_N, period_s=40.0, theoretical_w=1.0, needed=5)


@given(phase_s=st.floats(0.0, 0.0999), rate_hz=st.sampled_from([5.0, 7.3, 10.0, 25.0]))
@settings(max_examples=25, deadline=None)
def test_f_does_not_depend_on_when_the_samples_fall(phase_s: float, rate_hz: float) -> None:
    found = point(Product.FCR_N, 10.0, lambda t: lagged_sine(t, 10.0, 0.8, 0.3), phase_s=phase_s, rate_hz=rate_hz)
    assert found.response == pytest.approx(exact(10.0, 0.8, 0.3), rel=1e-4)
