"""Homes that are wrong: what the sum makes of them, and whether they are named."""

from dataclasses import replace

import numpy as np
import pytest
from samspel_prequal.aggregate import GapRule, Gaps, HomeTrace, Population, SimulatedFleet, aggregate, draw
from samspel_prequal.aggregate.block import gather_block
from samspel_prequal.errors import AggregateError
from samspel_prequal.evaluate.options import EvaluationOptions
from samspel_prequal.product import Product

from .fleets import HOME_W, homes, with_gain

UP = Product.FCR_D_UP
SECONDS_MS = np.arange(101) * 1000.0


def _fleet_with(**wrong: object) -> SimulatedFleet:
    group = homes(UP, 8)
    return SimulatedFleet(UP, (*group[:-1], replace(group[-1], **wrong)))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"clock_s": 1.5}, "clock 1.5 s ahead"),
        ({"clock_s": -2.0}, "clock 2.0 s behind"),
        ({"missing": 0.2, "seed": 3}, "of samples missing"),
        ({"stale": 0.4, "seed": 5}, "stale for"),
    ],
)
def test_a_wrong_home_is_named(wrong: dict[str, float], said: str) -> None:
    found = aggregate(_fleet_with(**wrong), 8 * HOME_W)
    (bad,) = [home for home in found.homes if home.home == "H7"]
    assert any(said in text for text in bad.suspicions), bad
    assert all(home.suspicions == () for home in found.homes if home is not bad)


def test_silent_weak_and_strong_homes_are_named() -> None:
    group = homes(UP, 9)
    gains = {0: 0.01, 1: 0.603, 2: 1.403}
    fleet = SimulatedFleet(UP, tuple(with_gain(home, gains.get(at, 1.0)) for at, home in enumerate(group)))
    said = {home.home: home.suspicions for home in aggregate(fleet, 9 * HOME_W).homes}
    assert [said[f"H{at}"] for at in range(4)] == [("silent",), ("weak: gain 0.60",), ("strong: gain 1.40",), ()]


def test_a_clock_that_is_off_turns_the_home_like_a_delay_and_shows_as_a_clock() -> None:
    options = EvaluationOptions(t_fme_s=0.0)
    off, late = (
        aggregate(fleet, 8 * HOME_W, options)
        for fleet in (
            _fleet_with(clock_s=1.0),
            SimulatedFleet(UP, homes(UP, 8, [0.2] * 7 + [1.2])),
        )
    )
    shown, expected = ([point.response for point in one.verdict.sine] for one in (off, late))
    assert shown == pytest.approx(expected, abs=2e-3)
    (clock,) = [home.facts for home in off.homes if home.home == "H7"]
    assert (clock.clock_s, clock.delay_s) == (pytest.approx(1.0, abs=0.01), pytest.approx(1.6, abs=0.02))


def test_the_first_clock_being_wrong_moves_nothing() -> None:
    group = homes(UP, 8)
    found = aggregate(SimulatedFleet(UP, (replace(group[0], clock_s=3.0), *group[1:])), 8 * HOME_W)
    clocks_s = {home.home: home.facts.clock_s for home in found.homes}
    assert clocks_s["H0"] == pytest.approx(3.0, abs=0.01)
    assert clocks_s["H5"] == pytest.approx(0.0, abs=0.01)


def _trace(name: str, keep: np.ndarray, frequency: bool = True) -> HomeTrace:
    time_ms, power_w = SECONDS_MS[keep], 10.0 * np.arange(101.0)[keep]
    return HomeTrace(name, time_ms, power_w, np.full(len(time_ms), 50.0) if frequency else None)


@pytest.mark.parametrize(("rule", "at_55_s"), [(GapRule.ABSENT, 0.0), (GapRule.HOLD, 500.0), (GapRule.LINE, 550.0)])
def test_gaps_follow_their_rule_and_are_counted(rule: GapRule, at_55_s: float) -> None:
    everything = np.ones(101, dtype=bool)
    gap = everything.copy()
    gap[51:60] = False
    gap[20] = False  # short: always a straight line
    block = gather_block([_trace("A", everything), _trace("B", gap), _trace("C", everything)], Gaps(rule, 2.5))
    assert block.power_w[1, 55] == pytest.approx(at_55_s)
    assert (block.power_w[1, 20], block.power_w[1, 50], block.power_w[1, 60]) == (200.0, 500.0, 600.0)
    assert block.missing.tolist() == pytest.approx([0.0, 9 / 101, 0.0])


def test_a_log_that_ends_early_is_absent_afterwards() -> None:
    everything = np.ones(101, dtype=bool)
    early = everything & (SECONDS_MS <= 60_000)
    block = gather_block([_trace("A", everything), _trace("B", early), _trace("C", everything)], Gaps())
    assert block.power_w[1, 60] == 600.0
    assert not block.power_w[1, 62:].any()
    assert block.missing[1] == pytest.approx(39 / 101, abs=0.011)


def test_without_any_frequency_nothing_can_be_judged() -> None:
    with pytest.raises(AggregateError, match="ApplFreqSig"):
        gather_block([_trace("A", np.ones(101, dtype=bool), frequency=False)], Gaps())
    with pytest.raises(AggregateError, match="two samples"):
        gather_block([], Gaps())


def test_one_seed_is_one_fleet_and_every_fault_is_in_it() -> None:
    wanted = Population(400, 400 * HOME_W)
    first, again, other = (draw(wanted, UP, seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert sum(home.settings.gain < 0 for home in first) == 2
    assert sum(home.missing > 0 for home in first) == 8
    assert sum(home.stale > 0 for home in first) == 4
    assert sum(abs(home.clock_s) > 1 for home in first) == 4
    for wrong in ({"homes": 0}, {"delay_s": -1.0}, {"late_share": 1.5}):
        with pytest.raises(AggregateError):
            Population(**wrong)
