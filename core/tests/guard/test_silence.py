"""Silence is counted in the time of the one who listens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samspel.guard.silence import COUNTED_S, LISTENING_S, Silence


def listened(steps, silence=None, now=1000.0):
    silence = silence or Silence(now)
    for step_s in steps:
        now += step_s
        silence.goes_on(now)
    return silence, now


def test_it_lasts_as_long_as_somebody_listens():
    silence, _ = listened([LISTENING_S] * 15)
    assert silence.lasted_s == pytest.approx(15 * LISTENING_S)


def test_a_word_breaks_it():
    silence, now = listened([LISTENING_S] * 15)
    silence.broken(now)
    assert silence.lasted_s == 0.0
    listened([LISTENING_S], silence, now)
    assert silence.lasted_s == pytest.approx(LISTENING_S)


def test_an_hour_in_which_nobody_listened_is_no_hour_of_silence():
    silence, _ = listened([LISTENING_S, 3600.0, LISTENING_S])
    assert silence.lasted_s == pytest.approx(2 * LISTENING_S + COUNTED_S)


@given(st.lists(st.floats(0, 1e6)))
def test_it_never_counts_more_than_has_passed_nor_more_than_was_looked_for(steps):
    silence, now = listened(steps)
    assert silence.lasted_s <= now - 1000.0 + 1e-6
    assert silence.lasted_s <= len(steps) * COUNTED_S
