"""The synthetic grid wanders as a grid does, and the same way each time."""

import numpy as np
import pytest
from samspel_prequal.plant import GridFrequency


def test_one_seed_one_history():
    assert GridFrequency(3).sample(60, 10).tolist() == GridFrequency(3).sample(60, 10).tolist()
    assert GridFrequency(3).sample(60, 10).tolist() != GridFrequency(4).sample(60, 10).tolist()


def test_it_stays_near_50_hz_and_moves_slowly():
    frequency = GridFrequency(1).sample(20_000, 10)
    assert abs(frequency.mean() - 50) < 0.02
    assert 0.02 < frequency.std() < 0.06
    assert np.abs(np.diff(frequency)).max() < 0.01


@pytest.mark.parametrize("event_hz", [-0.35, 0.35])
def test_an_event_falls_in_seconds_and_comes_back_in_minutes(event_hz):
    calm = GridFrequency(1).sample(3600, 10)
    event = GridFrequency(1, event_hz=event_hz).sample(3600, 10) - calm
    assert np.abs(event[:18_000]).max() == 0
    deepest = np.argmax(np.abs(event))
    assert event[deepest] == pytest.approx(event_hz, abs=1e-6)
    assert 1800 < deepest / 10 < 1830
    assert abs(event[-1]) < 0.001
