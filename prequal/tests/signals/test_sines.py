"""Sines: centre, amplitude, whole periods."""

import numpy as np
import pytest
from samspel_prequal.errors import SignalError
from samspel_prequal.product import FCR_PRODUCTS, Product
from samspel_prequal.signals import sample, sine, sines

N, UP, DOWN = FCR_PRODUCTS


@pytest.mark.parametrize(("product", "low", "high"), [(N, 49.9, 50.1), (UP, 49.6, 49.8), (DOWN, 50.2, 50.4)])
def test_a_sine_swings_100_mhz_round_its_centre(product, low, high):
    _, values = sample(sine(product, 40), 10)
    assert (values.min(), values.max()) == (pytest.approx(low), pytest.approx(high))
    assert values.mean() == pytest.approx((low + high) / 2, abs=1e-9)


def test_the_recommended_counts_take_the_time_that_the_dossier_says():
    assert sum(one.duration_s for one in sines(N)) == 4345
    assert sum(one.duration_s for one in sines(UP)) == 2215


@pytest.mark.parametrize("one", [*sines(N), *sines(DOWN)], ids=lambda one: f"{one.head.product}-{one.head.name}")
def test_zero_crossings_count_the_periods(one):
    _, values = sample(one, 20)
    upward = (values[:-1] < one.centre - 1e-9) & (values[1:] >= one.centre - 1e-9)
    assert upward.sum() == one.periods - 1  # the first one is the start


def test_required_only():
    assert [one.periods for one in sines(N, required_only=True)] == [5, 5, 5, 5, 5, 5, 5, 5, 3, 2]


def test_a_period_between_the_printed_ones_needs_a_count():
    with pytest.raises(SignalError, match="say how many"):
        sine(N, 20)
    assert sine(N, 20, periods=6).duration_s == 120


def test_a_rest_at_the_centre_comes_first():
    one = sine(UP, 10, lead_in_s=30)
    values = one.at(np.array([0.0, 29.9, 32.5, one.duration_s]))
    np.testing.assert_allclose(values, [49.7, 49.7, 49.8, 49.7], atol=1e-9)


def test_ffr_has_no_sine():
    with pytest.raises(SignalError, match="no sine test"):
        sine(Product.FFR, 10)
