"""Each stage of the toy plant against its closed form."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samspel_prequal.errors import PlantError
from samspel_prequal.plant import PlantSettings, ToyPlant, parse_plant
from samspel_prequal.plant.droop import droop
from samspel_prequal.plant.stages import Backlash, RateLimit, dead_zone
from samspel_prequal.product import FCR_PRODUCTS, Product
from samspel_prequal.signals import linearity, ramp, sine, step

N, UP, DOWN = FCR_PRODUCTS
ENDLESS = {"store_h": float("inf")}


def answer(signal, rate_hz=10.0, **settings):
    """Time, applied frequency and power as a share of the capacity."""
    settings = {**ENDLESS, "product": signal.head.product, "capacity_w": 1.0, **settings}
    parts = list(ToyPlant(PlantSettings(**settings)).play(signal, rate_hz))
    time_s = np.concatenate([part.time_s for part in parts])
    columns = [np.concatenate([part.values[name] for part in parts]) for name in ("ApplFreqSig", "InsAcPow")]
    return time_s, *columns


def fitted(time_s, values, period_s, periods=2):
    """Amplitude and phase of the last periods, by least squares; the phase of sin(ωt)."""
    last = time_s >= time_s[-1] - periods * period_s + 1e-6
    angle = 2 * np.pi * time_s[last] / period_s
    basis = np.column_stack([np.sin(angle), np.cos(angle), np.ones(last.sum())])
    in_phase, quadrature, _ = np.linalg.lstsq(basis, values[last], rcond=None)[0]
    return complex(in_phase, quadrature)


@pytest.mark.parametrize("period_s", [10, 25, 60, 150])
@pytest.mark.parametrize(("lag_s", "delay_s", "gain"), [(0, 0, 1), (0.5, 0.1, 1), (3, 0.73, 0.9), (0.05, 1.5, 1.2)])
def test_a_sine_gets_the_gain_and_phase_of_lag_and_dead_time(period_s, lag_s, delay_s, gain):
    signal = sine(N, period_s, periods=8)
    time_s, frequency, power = answer(signal, lag_s=lag_s, delay_s=delay_s, gain=gain)
    s = 2j * np.pi / period_s
    expected = gain * np.exp(-s * delay_s) / (1 + lag_s * s)
    measured = fitted(time_s, power, period_s) / fitted(time_s, -(frequency - 50) / 0.1, period_s)
    assert abs(measured - expected) < 5e-5


def test_the_frequency_meter_is_a_lag_of_its_own():
    signal = sine(UP, 10, periods=8)
    time_s, frequency, power = answer(signal, lag_s=0.5, meter_s=1.0)
    s = 2j * np.pi / 10
    expected = 1 / (1 + 0.5 * s) / (1 + s)
    measured = fitted(time_s, power, 10) / fitted(time_s, -(frequency - 49.7) / 0.4, 10)
    assert abs(measured - expected) < 5e-5


def test_the_sine_does_not_depend_on_the_rate_of_the_log():
    signal = sine(N, 15, periods=6)
    answers = [
        fitted(time_s, power, 15) for time_s, _, power in (answer(signal, rate, lag_s=1) for rate in (5, 10, 50))
    ]
    np.testing.assert_allclose(answers, answers[0], atol=2e-4)


def test_a_step_through_a_lag_is_exponential_to_the_last_bit():
    time_s, _, power = answer(step(), lag_s=7.0, delay_s=2.0)
    after = (time_s >= 362) & (time_s < 600)  # step to 49.9 Hz at 360 s, 2 s of dead time
    settled = power[np.searchsorted(time_s, 362.0)]
    expected = 1 + (settled - 1) * np.exp(-(time_s[after] - 362) / 7.0)
    np.testing.assert_allclose(power[after], expected, atol=1e-12)


def test_a_ramp_through_a_lag_is_late_by_the_lag():
    time_s, _, power = answer(ramp(UP), lag_s=0.3)
    at = np.searchsorted(time_s, 91.5)  # 1.5 s into ramp 3, 0.24 Hz/s
    expected = 0.24 / 0.4 * (1.5 - 0.3 * (1 - np.exp(-1.5 / 0.3)))
    assert power[at] == pytest.approx(expected, abs=2e-4)


@pytest.mark.parametrize(
    ("product", "frequency_hz", "share"),
    [
        (N, 50.05, -0.5), (N, 49.9, 1.0), (N, 49.0, 1.0), (N, 51.0, -1.0),
        (UP, 50.2, 0.0), (UP, 49.9, 0.0), (UP, 49.7, 0.5), (UP, 49.0, 1.0),
        (DOWN, 49.5, 0.0), (DOWN, 50.1, 0.0), (DOWN, 50.2, -0.25), (DOWN, 51.0, -1.0),
    ],
)  # fmt: skip
def test_droop(product, frequency_hz, share):
    zero_hz = {N: 50.0, UP: 49.9, DOWN: 50.1}[product]
    assert droop(np.array([frequency_hz]), product, zero_hz)[0] == pytest.approx(share)


def test_fcr_d_goes_on_linearly_when_it_does_not_saturate():
    assert droop(np.array([49.0]), UP, 49.9, saturates=False)[0] == pytest.approx(0.9 / 0.4)
    assert droop(np.array([49.0]), N, 50.0, saturates=False)[0] == pytest.approx(1.0)


def test_clipping_a_sine_leaves_the_known_first_harmonic():
    """Clipped at half its amplitude, a sine keeps (2/π)(asin k + k√(1-k²)) of its first harmonic."""
    time_s, _, power = answer(sine(N, 60, periods=4), clip=0.5)
    k = 0.5
    expected = 2 / np.pi * (np.arcsin(k) + k * np.sqrt(1 - k * k))
    assert np.abs(power).max() == 0.5
    assert abs(fitted(time_s, power, 60)) == pytest.approx(expected, rel=1e-4)


def test_backlash_of_a_sine_has_the_known_first_harmonic():
    """Play b on a sine of amplitude 1: the describing function, with x = 1 - b."""
    width = 0.2
    time_s, _, power = answer(sine(N, 60, periods=6), rate_hz=20, backlash=width)
    x = 1 - width
    real = 0.5 + (np.arcsin(x) + x * np.sqrt(1 - x * x)) / np.pi
    imaginary = -(1 - x * x) / np.pi
    measured = fitted(time_s, power, 60) / -1.0
    assert measured.real == pytest.approx(real, abs=1e-3)
    assert measured.imag == pytest.approx(imaginary, abs=1e-3)


def test_a_rate_limit_is_the_slope():
    time_s, _, power = answer(step(), rate_per_s=0.05)
    slope = np.diff(power) * 10
    assert np.abs(slope).max() == pytest.approx(0.05)
    assert power[np.searchsorted(time_s, 370.0)] == pytest.approx(0.5, abs=0.01)


@given(st.lists(st.floats(-3, 3), min_size=1, max_size=40), st.floats(0.01, 1))
def test_backlash_stays_within_its_play_and_moves_only_when_pushed(values, width):
    followed = Backlash(width).run(np.array(values))
    assert (np.abs(followed - values) <= width / 2 + 1e-12).all()
    moves = np.diff(followed)
    pushed = np.abs(np.abs(followed[1:] - values[1:]) - width / 2) < 1e-9
    assert (pushed | (moves == 0)).all()


@given(st.lists(st.lists(st.floats(-3, 3), min_size=1, max_size=5), min_size=1, max_size=6))
def test_stages_do_not_see_where_a_block_ends(blocks):
    whole = np.concatenate([np.array(block) for block in blocks])
    for make in (lambda: Backlash(0.3), lambda: RateLimit(0.4, 1.0)):
        stage = make()
        pieces = np.concatenate([stage.run(np.array(block)) for block in blocks])
        np.testing.assert_array_equal(pieces, make().run(whole))


def test_a_dead_band_cuts_the_middle_and_shifts_the_rest():
    np.testing.assert_allclose(dead_zone(np.array([-3.0, -1, -0.5, 0, 0.5, 1, 3]), 1.0), [-2, 0, 0, 0, 0, 0, 2])


def test_a_relay_answers_in_steps():
    _, _, power = answer(linearity(N), steps=7)
    np.testing.assert_allclose(power * 7, np.round(power * 7), atol=1e-9)
    assert (power.min(), power.max()) == (-1, 1)


def test_noise_comes_from_the_seed():
    settings = PlantSettings(capacity_w=1.0, noise=0.01, store_h=float("inf"))

    def run(seed):
        return next(ToyPlant(settings, seed).play(step(), 10)).values["InsAcPow"]

    assert run(1).tolist() == run(1).tolist()
    assert run(1).tolist() != run(2).tolist()
    assert np.std(run(1)[:300]) == pytest.approx(0.01, rel=0.2)


def test_fcr_n_beside_fcr_d_adds_up():
    time_s, _, power = answer(ramp(UP, combination=True), fcr_n_capacity_w=0.5)
    for at_s, expected in ((1040, 0.0), (1340, 0.5 + 0.5), (1640, 0.5 + 0.025)):
        assert power[np.searchsorted(time_s, at_s)] == pytest.approx(expected, abs=1e-9)


def test_the_short_form():
    settings = parse_plant("lag=0.5, delay=0.1,steps=7,store=inf", PlantSettings(UP))
    assert (settings.lag_s, settings.delay_s, settings.steps, settings.store_h) == (0.5, 0.1, 7, float("inf"))
    assert parse_plant("", settings) == settings


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("lagg=1", "'lagg=1': expected KEY=NUMBER with a key of lag, delay"),
        ("lag", "expected KEY=NUMBER"),
        ("lag=slow", "'slow' is not a number"),
        ("steps=1.5", "'1.5' is not a whole number"),
        ("lag=-1", "lag_s must be 0 or more, not -1.0"),
        ("rate=0", "rate_per_s must be above 0"),
        ("soc=1.2", "soc must be 0 to 1"),
        ("store=0", "energy_h must be above 0"),
    ],
)
def test_a_wrong_setting_is_explained(text, says):
    with pytest.raises(PlantError, match=says):
        parse_plant(text, PlantSettings(N))


def test_other_products_have_no_toy_plant():
    with pytest.raises(PlantError, match="not ffr"):
        PlantSettings(Product.FFR)
