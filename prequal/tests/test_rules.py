"""The figures against the tables of the requirements, worked out by hand."""

import math

import pytest
from samspel_prequal import rules
from samspel_prequal.product import FCR_PRODUCTS, Product

N, UP, DOWN = FCR_PRODUCTS


@pytest.mark.parametrize(
    ("model", "numerator", "two_h", "damping"),
    [
        (rules.GRID_PERFORMANCE[N], 7.142857, 9.047619, 0.5),
        (rules.GRID_STABILITY[N], 13.043478, 10.434783, 0.5),
        (rules.GRID_PERFORMANCE[UP], 4.315476, 9.047619, 0.5),
        (rules.GRID_STABILITY[DOWN], 7.880435, 10.434783, 0.5),
    ],
)
def test_the_grid_models_are_those_of_table_7(model, numerator, two_h, damping):
    assert model.numerator == pytest.approx(numerator, abs=5e-7)
    assert model.denominator == pytest.approx((two_h, damping), abs=5e-7)


def test_sine_periods_are_those_of_table_6():
    rows = {row.period_s: (row.stationary, row.recommended) for row in rules.sine_periods(N)}
    assert rows == {
        10: (5, 20), 15: (5, 15), 25: (5, 10), 40: (5, 7), 50: (5, 7),
        60: (5, 7), 70: (5, 7), 90: (5, 7), 150: (3, 4), 300: (2, 3),
    }  # fmt: skip
    assert [row.period_s for row in rules.sine_periods(UP)] == [10, 15, 25, 40, 50, 60, 70]
    assert len(rules.sine_periods(DOWN, mode_shifting=True)) == 10


def test_bands_span_what_activates_everything():
    assert {product: band.span_hz for product, band in rules.BANDS.items()} == {N: 0.1, UP: 0.4, DOWN: 0.4}


def test_tests_are_numbered_as_in_table_21():
    counts = {"1": 4, "2": 4, "3": 4, "4": 3, "5": 2, "6": 2, "7": 2}
    numbers = [f"{chapter}.{n}" for chapter, count in counts.items() for n in range(1, count + 1)]
    assert [row.number for row in rules.TEST_IDS] == numbers
    conditions = {row.number: str(row.condition) for row in rules.TEST_IDS}
    assert conditions["1.1"] == conditions["4.1"] == "high load, high droop"
    assert conditions["2.2"] == conditions["4.2"] == conditions["5.1"] == "high load, low droop"
    assert conditions["3.3"] == conditions["7.2"] == "low load, high droop"
    assert conditions["1.4"] == "low load, low droop"


@pytest.mark.parametrize(("rated_w", "share"), [(1.4e6, 0.05), (1.5e6, 0.01), (9.9e6, 0.01), (10e6, 0.005)])
def test_power_accuracy_by_rating(rated_w, share):
    assert rules.power_accuracy(rated_w) == share


def test_a_home_battery_is_measured_finer_than_ten_kilowatts():
    assert rules.power_resolution_w(10_000) == 2.5
    assert rules.power_resolution_w(20e6) == 10_000
    assert rules.power_resolution_w(100e6) == 25_000


def test_a_lossless_capacity_needs_what_table_10_says():
    assert rules.RESERVATIONS[N].power_up == 1.34
    assert rules.RESERVATIONS[UP].power_down == rules.RESERVATIONS[DOWN].power_up == 0.20
    assert math.isclose(rules.RESERVATIONS[UP].energy_up_h, 20 / 60)


@pytest.mark.parametrize(("product", "service"), [(N, "Fcrn"), (UP, "FcrdUp"), (DOWN, "FcrdDo")])
def test_service_words_lead_back_to_their_product(product, service):
    assert product.service == service
    assert Product.from_service(service) is product


def test_an_unknown_service_is_refused():
    with pytest.raises(ValueError, match="'fcrn' is no service"):
        Product.from_service("fcrn")
