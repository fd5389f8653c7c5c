"""Steps and ramps: made from start, speed and target, exact at every instant."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samspel_prequal.errors import SignalError
from samspel_prequal.product import FCR_PRODUCTS, Product, TestType
from samspel_prequal.signals import RampSignal, Segment, SignalHead, linearity, ramp, sample, static_ramp, step

UP, DOWN = Product.FCR_D_UP, Product.FCR_D_DOWN
HEAD = SignalHead("x", Product.FCR_N, TestType.STEP, "test")


def at(signal, *times):
    return [round(float(value), 6) for value in signal.at(np.array(times))]


@pytest.mark.parametrize(
    ("number", "start_s", "arrival_s", "level_hz"),
    [
        ("1", 30.0, 33.2142857, 49.45),  # not 33.1 as printed
        ("2", 34.9, 39.9, 49.9),
        ("3", 90.0, 91.6666667, 49.5),
        ("4", 390.0, 391.6666667, 49.9),
        ("5", 690.0, 693.75, 49.0),
        ("6", 750.0, 754.1666667, 50.0),
        ("7", 1050.0, 1051.25, 49.7),  # not 1050.8
        ("8", 1350.0, 1350.7916667, 49.89),  # not 1350.4
    ],
)
def test_fcr_d_ramps_arrive_when_speed_says(number, start_s, arrival_s, level_hz):
    signal = ramp(UP, combination=True)
    hold = next(hold for hold in signal.holds() if hold.label == number)
    assert signal.segment(number).start_s == start_s
    assert hold.start_s == pytest.approx(arrival_s, abs=1e-6)
    assert hold.value == level_hz
    assert at(signal, arrival_s)[0] == pytest.approx(level_hz, abs=1e-5)


def test_fcr_d_ramps_without_combination_end_after_the_sixth():
    assert ramp(UP).duration_s == 1050
    assert ramp(UP, combination=True).duration_s == 1650
    assert [segment.label for segment in ramp(UP).segments] == ["1", "2", "3", "4", "5", "6"]


def test_endurance_holds_ramp_3_for_900_s_and_moves_the_rest():
    starts = {segment.label: segment.start_s for segment in ramp(UP, endurance=True, combination=True).segments}
    assert starts == {"1": 30, "2": 34.9, "3": 90, "4": 990, "5": 1290, "6": 1350, "7": 1650, "8": 1950}


def test_the_downward_product_is_the_mirror():
    time_s, up = sample(ramp(UP, combination=True), 10)
    _, down = sample(ramp(DOWN, combination=True), 10)
    assert len(time_s) == 16500
    np.testing.assert_allclose(up + down, 100.0, atol=1e-9)


def test_fcr_n_steps():
    signal = step()
    assert signal.duration_s == 21 * 60
    assert at(signal, 0, 29.9, 30, 59.9, 60, 359.9, 360, 660, 959.9, 960) == [
        50.0, 50.0, 49.95, 49.95, 50.0, 50.0, 49.9, 50.1, 50.1, 50.0,
    ]  # fmt: skip
    long = step(endurance=True)
    assert [segment.start_s / 60 for segment in long.segments] == [0.5, 1, 6, 21, 36]
    assert long.duration_s == 41 * 60


@pytest.mark.parametrize(("variant", "back_s"), [("", 240), ("endurance", 1080), ("endurance-ler", 1980)])
def test_static_ramp(variant, back_s):
    signal = static_ramp(DOWN, variant)
    assert signal.duration_s == back_s + 1200
    assert at(signal, 179.9, back_s - 0.1, signal.duration_s) == [50.1, 50.5, 50.1]
    assert signal.segment("2").start_s == back_s


def test_fcr_n_staircase_goes_down_up_and_home_in_20_mhz():
    levels = [hold.value for hold in linearity(Product.FCR_N).holds()]
    assert levels[:6] == [50.0, 49.98, 49.96, 49.94, 49.92, 49.9]
    assert levels[15:17] == [50.1, 50.08]
    assert levels[-1] == 50.0
    np.testing.assert_allclose(np.abs(np.diff(levels)), 0.02)


def test_fcr_d_staircase_comes_back_just_into_the_band():
    assert [hold.value for hold in linearity(UP).holds()] == [49.9, 49.8, 49.7, 49.6, 49.5, 49.6, 49.7, 49.8, 49.91]
    assert {round(hold.end_s - hold.start_s) for hold in linearity(DOWN).holds()} == {120}
    assert linearity(DOWN).holds()[-1].value == 50.09


def test_a_staircase_is_held_120_s_at_least():
    with pytest.raises(SignalError, match="120 to 300 s"):
        linearity(UP, hold_s=60)


@pytest.mark.parametrize("product", [Product.FCR_N, Product.AFRR])
def test_ramps_belong_to_fcr_d(product):
    with pytest.raises(SignalError, match="fcr-d-up and fcr-d-down"):
        ramp(product)


def test_a_segment_that_cuts_off_another_starts_where_the_signal_is():
    signal = RampSignal(HEAD, 0.0, (Segment(0, 10, 1.0), Segment(4, 0, 2.0)), 10)
    assert at(signal, 2, 4, 5, 6, 9) == [2, 4, 2, 0, 0]


def test_a_signal_may_stand_still():
    signal = RampSignal(HEAD, 50.0, (), 10)
    assert at(signal, 0, 5, 20) == [50, 50, 50]
    assert [(hold.label, hold.start_s, hold.end_s) for hold in signal.holds()] == [("start", 0, 10)]


@pytest.mark.parametrize(
    "segments", [(Segment(5, 1), Segment(4, 2)), (Segment(11, 1),), (Segment(-1, 1),), (Segment(1, 1, -2.0),)]
)
def test_impossible_segments_are_refused(segments):
    with pytest.raises(SignalError):
        RampSignal(HEAD, 0.0, segments, 10)


@given(
    st.lists(st.tuples(st.floats(0.5, 20), st.floats(-5, 5), st.floats(0.1, 10)), min_size=1, max_size=6),
    st.floats(-5, 5),
)
def test_no_signal_is_quicker_than_its_speed_or_beyond_its_targets(rows, initial):
    starts = np.cumsum([row[0] for row in rows])
    segments = tuple(Segment(float(start), row[1], row[2]) for start, row in zip(starts, rows, strict=True))
    signal = RampSignal(HEAD, initial, segments, float(starts[-1]) + 10)
    _, values = sample(signal, 50)
    levels = [initial, *(row[1] for row in rows)]
    assert min(levels) - 1e-9 <= values.min() <= values.max() <= max(levels) + 1e-9
    assert np.abs(np.diff(values)).max() * 50 <= max(row[2] for row in rows) + 1e-6


def test_a_rate_of_zero_is_refused():
    with pytest.raises(SignalError, match="above 0"):
        sample(step(), 0)


@pytest.mark.parametrize("product", FCR_PRODUCTS)
def test_sampling_has_the_duration_and_no_more(product):
    signal = linearity(product)
    time_s, values = sample(signal, 10)
    assert len(time_s) == len(values) == round(signal.duration_s * 10)
    assert time_s[-1] < signal.duration_s
