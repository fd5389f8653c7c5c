"""Resampling does what its rule says, and says what it did."""

import numpy as np
import pytest
from samspel_prequal.errors import SignalError
from samspel_prequal.logs import Between, Log, ResampleRule, TestLabel, resample
from samspel_prequal.product import Product, TestType


def log_of(time_s, power_w, **more):
    time_s = np.asarray(time_s, dtype=float)
    return Log.of(
        Product.FCR_N,
        TestLabel(TestType.RAMP),
        time_s,
        np.full(len(time_s), 50.0),
        np.asarray(power_w, dtype=float),
        **more,
    )


def test_a_regular_log_at_its_own_rate_is_unchanged():
    log = log_of(np.arange(50) / 10, np.arange(50))
    same, report = resample(log, ResampleRule(10))
    np.testing.assert_allclose(same.power_w, log.power_w)
    assert (report.filled, report.left_out, report.gaps) == (0, 0, ())


def test_numbers_lie_between_and_flags_keep_their_value():
    log = log_of([0, 1, 2, 3], [0, 10, 20, 30], AEM_Fcrn=np.array([0.0, 1, 0, 1]))
    finer, _ = resample(log, ResampleRule(2))
    assert finer.power_w.tolist() == [0, 5, 10, 15, 20, 25, 30]
    assert finer.values["AEM_Fcrn"].tolist() == [0, 0, 1, 1, 0, 0, 1]
    held, _ = resample(log, ResampleRule(2, Between.HOLD))
    assert held.power_w.tolist() == [0, 0, 10, 10, 20, 20, 30]


def test_short_gaps_are_filled_and_long_ones_left_out():
    time_s = [0, 0.1, 0.2, 0.5, 0.6, 0.7, 3.0, 3.1, 3.2, 3.3]
    log = log_of(time_s, time_s)
    whole, report = resample(log, ResampleRule(10, longest_fill_s=1.0))
    np.testing.assert_allclose(whole.power_w, whole.time_s, atol=1e-9)
    assert report.filled == 2
    assert report.left_out == 22
    assert [(gap.start_s, gap.end_s, gap.filled) for gap in report.gaps] == [(0.2, 0.5, True), (0.7, 3.0, False)]
    assert str(report) == "10 rows to 12 at 10 Hz (linear); 2 gaps, 2 rows filled in gaps up to 1 s, 22 left out"


def test_a_mean_keeps_the_phase():
    time_s = np.arange(0, 120, 0.1)
    wave = np.sin(2 * np.pi * time_s / 20)
    slower, _ = resample(log_of(time_s, wave), ResampleRule(1, mean=True))
    expected = np.sin(2 * np.pi * slower.time_s / 20) * np.sinc(1 / 20)
    np.testing.assert_allclose(slower.power_w[1:-1], expected[1:-1], atol=1e-4)


def test_a_mean_keeps_the_energy_of_a_spike_that_picking_misses():
    time_s = np.arange(0, 10, 0.1)
    spike = np.where(np.abs(time_s - 4.3) < 0.01, 100.0, 0.0)
    picked, _ = resample(log_of(time_s, spike), ResampleRule(1))
    mean, _ = resample(log_of(time_s, spike), ResampleRule(1, mean=True))
    assert picked.power_w.sum() == 0
    assert mean.power_w.sum() == pytest.approx(10.0)


def test_irregular_times_come_to_one_rate():
    random = np.random.default_rng(1)
    time_s = np.cumsum(random.uniform(0.08, 0.12, 500))
    regular, _ = resample(log_of(time_s, 3 * time_s), ResampleRule(10))
    np.testing.assert_allclose(np.diff(regular.time_s), 0.1)
    np.testing.assert_allclose(regular.power_w, 3 * regular.time_s)


@pytest.mark.parametrize("rule", [(0.0,), (-1.0,)])
def test_an_impossible_rule_is_refused(rule):
    with pytest.raises(SignalError):
        ResampleRule(*rule)
