"""Slew: the rate is kept, and nothing is starved by targets that keep changing."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samspel.shaping.chain import Chain
from samspel.shaping.limits import BatteryLimits
from samspel.shaping.slew import FIRST_STEP_S, LONGEST_STEP_S, Slew

from .kit import context

EPSILON_W = 1e-6


def walk(chain, targets, *, step_s=1.0, **more):
    return [chain.shape(target_w, context(now=tick * step_s, **more)).target_w for tick, target_w in enumerate(targets)]


def test_a_step_becomes_a_ramp_that_arrives():
    assert walk(Chain([Slew(w_per_s=400)]), [1000] * 5) == [400, 800, 1000, 1000, 1000]


def test_it_begins_at_what_stands_on_the_wire():
    assert Chain([Slew(w_per_s=400)]).shape(1000, context(written_w=2000)).target_w == 1600


def test_zero_and_the_other_side_are_reached_through_zero():
    assert walk(Chain([Slew(w_per_s=1000)]), [1000, 0, -1500, -1500]) == [1000, 0, -1000, -1500]


def test_a_continuously_falling_target_is_followed_within_the_rate_and_never_starved():
    """A new command every 0.1 s on the falling side of a 10 s sine: the clock of the ramp belongs to no command."""
    wanted = [3000 * math.cos(2 * math.pi * tick / 100) for tick in range(51)]
    got = walk(Chain([Slew(w_per_s=2000)]), [3000] * 60 + wanted, step_s=0.1)[60:]
    steps = [late - early for early, late in pairwise(got)]
    assert min(steps) >= -200 - EPSILON_W
    assert max(abs(a - b) for a, b in zip(wanted, got, strict=True)) < 10, "this sine is slower than the rate"


def test_a_target_that_falls_faster_than_the_rate_is_followed_at_the_rate():
    falling = walk(Chain([Slew(w_per_s=500)]), [3000 - 100 * n for n in range(30)], step_s=0.1, written_w=3000)
    assert falling[-1] == pytest.approx(falling[0] - 500 * 2.9)


def test_a_hard_limit_is_not_slewed_and_lets_go_without_a_step():
    chain = Chain([Slew(w_per_s=100), BatteryLimits(soc_min_pct=10, soc_max_pct=90)])
    for now in range(30):
        chain.shape(2500, context(now=now, soc_pct=50))
    assert chain.shape(2500, context(now=30, soc_pct=50, discharge_limit_w=300)).target_w == 300
    assert chain.shape(2500, context(now=31, soc_pct=50, discharge_limit_w=4000)).target_w == 400


def test_a_pause_is_no_run_up():
    chain = Chain([Slew(w_per_s=100)])
    chain.shape(5000, context(now=0))
    assert chain.shape(5000, context(now=600)).target_w == 100 + 100 * LONGEST_STEP_S


def test_a_reset_begins_anew():
    chain = Chain([Slew(w_per_s=100)])
    walk(chain, [5000] * 20)
    chain.reset()
    assert chain.shape(5000, context(now=30, written_w=0.0)).target_w == 100 * FIRST_STEP_S


def test_what_is_on_its_way_is_said():
    assert Chain([Slew(w_per_s=10)]).shape(50, context()).notes[0].reason == "slew"
    assert Chain([Slew(w_per_s=100)]).shape(50, context()).notes == ()


@given(
    st.lists(st.tuples(st.floats(-1e4, 1e4), st.floats(0, 20)), min_size=2, max_size=40),
    st.floats(1, 5000),
)
def test_never_faster_than_the_rate_and_always_nearer(walked, w_per_s):
    chain, now, before = Chain([Slew(w_per_s=w_per_s)]), 0.0, 0.0
    for number, (target_w, pause_s) in enumerate(walked):
        now += pause_s
        got_w = chain.shape(target_w, context(now=now)).target_w
        may_w = w_per_s * (FIRST_STEP_S if number == 0 else pause_s)
        assert abs(got_w - before) <= may_w + EPSILON_W
        assert abs(target_w - got_w) <= abs(target_w - before) + EPSILON_W
        assert min(before, target_w) - EPSILON_W <= got_w <= max(before, target_w) + EPSILON_W
        before = got_w
