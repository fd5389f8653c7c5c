"""A map on trial: little power, and a verdict only from what the battery really did."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samspel.contract.capability import Direction
from samspel.contract.telemetry import Quality, Reading
from samspel.field_maps.trial import TRIAL_W, WRONG_READINGS, Trial

LATENCY_S = 5.0
WAIT_S = 11.0
powers = st.floats(-10_000, 10_000, allow_nan=False)


def reading(power_w: float | None, at: float, quality: Quality = Quality.GOOD) -> Reading:
    return Reading(power_w, "W", datetime(2026, 1, 1, tzinfo=UTC), at, quality)


def watched(trial: Trial, target_w: float, readings: list[tuple[float, float]], begun: float = 0.0) -> Trial:
    trial = trial.judge(target_w, LATENCY_S, begun, None)
    for at, power_w in readings:
        trial = trial.judge(target_w, LATENCY_S, at, reading(power_w, at))
    return trial


@pytest.mark.parametrize(("target_w", "left"), [(800.0, Direction.CHARGE), (-800.0, Direction.DISCHARGE)])
def test_a_direction_is_proven_by_the_battery(target_w, left):
    trial = watched(Trial(digest="d"), target_w, [(WAIT_S, target_w * 0.9)])
    assert trial.unproven == {left}
    assert not trial.failed


def test_both_directions_pass():
    trial = watched(Trial(digest="d"), 800.0, [(WAIT_S, 790.0)])
    trial = watched(trial, -800.0, [(3 * WAIT_S, -790.0)], begun=2 * WAIT_S)
    assert trial.passed


def test_the_wrong_way_fails_it_after_some_readings():
    wrong = [(WAIT_S + n, -700.0) for n in range(WRONG_READINGS)]
    assert not watched(Trial(digest="d"), 800.0, wrong[:-1]).failed
    assert watched(Trial(digest="d"), 800.0, wrong).failed


def test_one_reading_is_judged_once():
    same = [(WAIT_S, -700.0)] * (WRONG_READINGS + 2)
    assert not watched(Trial(digest="d"), 800.0, same).failed


@pytest.mark.parametrize(
    ("target_w", "readings"),
    [
        (800.0, [(1.0, -700.0), (2.0, -700.0), (3.0, -700.0), (4.0, -700.0)]),  # before the latency has passed
        (200.0, [(WAIT_S + n, -700.0) for n in range(5)]),  # too small a command
        (800.0, [(WAIT_S + n, 50.0) for n in range(5)]),  # a full battery moves neither way
        (800.0, [(WAIT_S + n, -100.0) for n in range(5)]),  # its electronics
        (0.0, [(WAIT_S + n, -700.0) for n in range(5)]),  # a zero proves no direction
    ],
)
def test_what_proves_nothing_decides_nothing(target_w, readings):
    trial = watched(Trial(digest="d"), target_w, readings)
    assert trial.unproven == {Direction.CHARGE, Direction.DISCHARGE}
    assert not trial.failed


def test_a_stale_reading_is_no_evidence():
    trial = Trial(digest="d").judge(800.0, LATENCY_S, 0.0, None)
    for n in range(5):
        trial = trial.judge(800.0, LATENCY_S, WAIT_S + n, reading(-700.0, WAIT_S + n, Quality.STALE))
    assert not trial.failed


def test_a_reversal_starts_the_wait_again():
    trial = watched(Trial(digest="d"), 800.0, [(WAIT_S, 100.0)])
    trial = trial.judge(-800.0, LATENCY_S, WAIT_S + 1, None)
    trial = watched_on(trial, -800.0, [(WAIT_S + 2 + n, 800.0) for n in range(4)])
    assert not trial.failed, "the battery had no time to turn"


def watched_on(trial: Trial, target_w: float, readings: list[tuple[float, float]]) -> Trial:
    for at, power_w in readings:
        trial = trial.judge(target_w, LATENCY_S, at, reading(power_w, at))
    return trial


@given(powers)
def test_an_unproven_direction_gets_little_and_never_another_sign(target_w):
    bounded = Trial(digest="d").bound(target_w)
    assert abs(bounded) <= min(abs(target_w), TRIAL_W)
    assert bounded * target_w >= 0


@given(powers, st.lists(st.tuples(powers, st.floats(0, 100)), max_size=30))
def test_a_trial_never_gets_harder(target_w, steps):
    """Whatever is measured, a proven direction stays proven and an unproven one stays bounded."""
    trial, now = Trial(digest="d"), 0.0
    for power_w, pause_s in steps:
        now += pause_s
        after = trial.judge(target_w, LATENCY_S, now, reading(power_w, now))
        assert after.unproven <= trial.unproven
        trial = after
