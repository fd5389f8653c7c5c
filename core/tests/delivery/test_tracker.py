"""Delivery: what counts, what does not, and what it adds up to."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samspel.contract.outcome import Evidence
from samspel.contract.telemetry import Quality, Reading
from samspel.delivery.tracker import Delivery, Tolerance, evidence, follow

AT = datetime(2026, 1, 1, tzinfo=UTC)
START = Delivery(before=Evidence(battery_power_w=12.0), written_at=100.0)


def reading(value: float | None, at: float, quality: Quality = Quality.GOOD) -> Reading:
    return Reading(value, "W", AT, at, quality)


def through(*points: tuple[float, float], target_w: float = 3000.0) -> Delivery:
    state = START
    for at, watts in points:
        state = follow(state, target_w, reading(watts, at), Tolerance())
    return state


@pytest.mark.parametrize(
    ("target_w", "battery_w", "holds"),
    [
        (3000, 3150, True),
        (3000, 3151, False),
        (1000, 900, True),
        (1000, 899, False),
        (-3000, 3000, False),
        (0, 50, True),
    ],
)
def test_tolerance(target_w, battery_w, holds):
    assert Tolerance().holds(target_w, battery_w) == holds


def test_a_ramp_is_delivered_when_it_arrives_and_adds_up():
    state = through((101, 0), (102, 1500), (103, 3000), (105, 3000))
    assert state.delivered
    assert (state.observed_s, state.in_tolerance_s) == (4, 3)
    assert state.in_tolerance_pct == 75
    assert state.energy_wh == pytest.approx((750 + 2250 + 6000) / 3600)
    assert state.before == START.before


def test_a_charge_counts_negative():
    assert through((101, -3600), (102, -3600), target_w=-3600).energy_wh == pytest.approx(-1)


def test_what_was_measured_before_the_write_delivers_nothing():
    assert through((99.0, 3000), (100.0, 3000)) == START


def test_a_reading_counts_once():
    once = through((101, 3000), (102, 3000))
    assert follow(once, 3000, reading(0, 102), Tolerance()) == once
    assert follow(once, 3000, reading(0, 101), Tolerance()) == once


@pytest.mark.parametrize(
    "bad",
    [None, reading(None, 101, Quality.INVALID), reading(3000, 101, Quality.STALE), reading(3000, 101, Quality.FROZEN)],
)
def test_what_is_not_a_good_reading_counts_for_nothing(bad):
    assert follow(START, 3000, bad, Tolerance()) == START


def test_delivered_stays_delivered():
    state = through((101, 3000), (102, 0))
    assert state.delivered
    assert state.in_tolerance_pct == 0


def test_nothing_is_said_of_one_reading():
    assert through((101, 3000)).in_tolerance_pct is None


@given(st.lists(st.tuples(st.floats(0.01, 100), st.floats(-1e4, 1e4)), max_size=30), st.floats(-1e4, 1e4))
def test_the_share_is_a_share_and_the_energy_within_the_readings(steps, target_w):
    state, at = START, 100.0
    for seconds, watts in steps:
        at += seconds
        state = follow(state, target_w, reading(watts, at), Tolerance())
    assert state.in_tolerance_pct is None or 0 <= state.in_tolerance_pct <= 100
    bound = max((abs(watts) for _, watts in steps), default=0.0) * state.observed_s / 3600
    assert abs(state.energy_wh) <= bound * (1 + 1e-9) + 1e-9


def test_evidence_is_what_was_measured_and_nothing_else():
    readings = {
        "battery_power_w": reading(1000, 7.5),
        "pv_power_w": reading(None, 9, Quality.ABSENT),
        "soc_pct": reading(55, 9),
    }
    assert evidence(readings, 10.0) == Evidence(battery_power_w=1000, soc_pct=55, age_s=2.5)
    assert evidence({}, 10.0) == Evidence()


def test_all_of_the_time_is_a_hundred_percent_to_the_last_bit():
    always = Delivery(before=Evidence(), observed_s=3.103947297759582, in_tolerance_s=3.103947297759582)
    assert always.in_tolerance_pct == 100
