"""The sum of a fleet against closed forms, and leave-one-out against doing it all again."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from samspel_prequal import rules
from samspel_prequal.aggregate import Gaps, Population, SimulatedFleet, aggregate, draw
from samspel_prequal.aggregate.block import gather_block
from samspel_prequal.aggregate.ranking import RANKED
from samspel_prequal.errors import AggregateError
from samspel_prequal.evaluate.frequency_response import omega
from samspel_prequal.evaluate.options import EvaluationOptions
from samspel_prequal.product import FCR_PRODUCTS, Product, TestType

from .fleets import HOME_W, Chosen, exact_response, homes, sine_label, with_gain

N, UP, DOWN = FCR_PRODUCTS
BEHIND_METER = EvaluationOptions(t_fme_s=0.0)


def _response(found) -> np.ndarray:
    return np.array([point.response for point in found.verdict.sine])


@pytest.mark.parametrize("product", FCR_PRODUCTS)
def test_equal_homes_are_one_home(product: Product) -> None:
    many = aggregate(SimulatedFleet(product, homes(product, 7)), 7 * HOME_W, BEHIND_METER)
    one = aggregate(SimulatedFleet(product, homes(product, 1)), HOME_W, BEHIND_METER)
    assert _response(many) == pytest.approx(_response(one), abs=1e-6)
    assert _response(many) == pytest.approx(exact_response(product, 0.2), abs=2e-3)
    for name, requirement in one.verdict.requirements.items():
        if not name.startswith("M-"):
            assert many.verdict.requirements[name].value == pytest.approx(requirement.value, abs=1e-5), name
            assert many.verdict.requirements[name].passed == requirement.passed, name
    for home in many.homes:
        assert home.suspicions == ()
        assert home.cost == pytest.approx(dict.fromkeys(home.cost, 0.0), abs=1e-5)


@pytest.mark.parametrize("product", [UP, DOWN])
@pytest.mark.parametrize("count", [5, 12])
def test_one_reversed_home_costs_two_of_all(product: Product, count: int) -> None:
    group = homes(product, count)
    good = aggregate(SimulatedFleet(product, group), count * HOME_W, BEHIND_METER)
    turned = (*group[:-1], with_gain(group[-1], -1.0))
    bad = aggregate(SimulatedFleet(product, turned), count * HOME_W, BEHIND_METER)
    left = 1 - 2 / count
    assert _response(bad) == pytest.approx(left * _response(good), abs=1e-6)
    for name in ("R2", "R3"):
        shown, before = (one.verdict.requirements[name].value for one in (bad, good))
        assert shown == pytest.approx(left * before, rel=1e-5)
    worst = bad.homes[0]
    assert (worst.home, worst.suspicions) == (group[-1].name, ("reversed",))
    room = 1 - rules.ACTIVATION_POWER_SHARE
    assert worst.cost["R2"] * room == pytest.approx(2 / count * good.verdict.requirements["R2"].value, rel=1e-4)


def test_random_delays_are_the_mean_of_their_turns() -> None:
    delays_s = np.random.default_rng(5).gamma(4.0, 0.2, 40)
    found = aggregate(SimulatedFleet(UP, homes(UP, 40, delays_s)), 40 * HOME_W, BEHIND_METER)
    expected = np.mean([exact_response(UP, one) for one in delays_s], axis=0)
    assert _response(found) == pytest.approx(expected, abs=2e-3)
    assert [home.facts.delay_s for home in found.homes] == pytest.approx(
        [delays_s[int(home.home[1:])] + 0.4 for home in found.homes], abs=0.05
    )


def test_delays_on_a_lattice_are_the_known_mean_of_an_even_spread() -> None:
    width_s, count = 4.0, 50
    delays_s = (np.arange(count) + 0.5) / count * width_s
    found = aggregate(SimulatedFleet(UP, homes(UP, count, delays_s)), count * HOME_W, BEHIND_METER)
    speed = omega(np.array([row.period_s for row in rules.sine_periods(UP)]))
    spread = (1 - np.exp(-1j * speed * width_s)) / (1j * speed * width_s)
    assert _response(found) == pytest.approx(spread / (1 + 1j * speed * 0.4), abs=2e-3)


@pytest.mark.parametrize("product", [N, DOWN])
def test_leaving_one_out_is_doing_it_all_again_without_it(product: Product) -> None:
    random = np.random.default_rng(11)
    group = [with_gain(home, random.normal(1, 0.1)) for home in homes(product, 5, random.uniform(0.1, 1.5, 5))]
    group[2] = with_gain(group[2], -0.8)
    group[4] = replace(group[4], settings=replace(group[4].settings, noise=0.02, backlash=0.1))
    fleet = SimulatedFleet(product, tuple(group))
    tests = [str(label) for label in fleet.labels]
    whole = aggregate(fleet, 5 * HOME_W, BEHIND_METER)
    scale = {name: whole.verdict.requirements[name].margin / whole.room[name] for name in whole.room}
    for home in whole.homes:
        rest = aggregate(Chosen(fleet, tests, without=home.home), 4 * HOME_W, BEHIND_METER)
        assert set(home.cost) == {name for name in RANKED if name in rest.verdict.requirements}
        for name, cost in home.cost.items():
            again = rest.verdict.requirements[name].margin - whole.verdict.requirements[name].margin
            # R10 of a noisy sum may rest on other periods than that of the sum without its noisy home.
            slack = 0.02 if name == "R10" else 1e-3
            assert cost * scale[name] == pytest.approx(again, abs=slack), (home.home, name)


def test_capacities_follow_the_logs_where_all_note_them() -> None:
    small, large = homes(UP, 2)
    large = replace(large, settings=replace(large.settings, capacity_w=3 * HOME_W))
    found = aggregate(SimulatedFleet(UP, (small, large)), 4 * HOME_W, BEHIND_METER)
    assert found.capacities_noted
    assert {home.home: home.capacity_w for home in found.homes} == {"H0": HOME_W, "H1": 3 * HOME_W}
    assert [home.facts.gain for home in found.homes] == pytest.approx([1.0, 1.0], abs=5e-3)


def test_ranking_by_a_requirement_of_choice() -> None:
    late = homes(UP, 3, [0.2, 0.2, 3.0])
    found = aggregate(SimulatedFleet(UP, late), 3 * HOME_W, rank_by="R8")
    assert (found.decided_by, found.homes[0].home) == ("R8", "H2")
    assert found.homes[0].suspicions == ("2.8 s later than the others",)
    with pytest.raises(AggregateError, match="cannot be ranked by R7"):
        aggregate(SimulatedFleet(UP, late), 3 * HOME_W, rank_by="R7")


def test_memory_is_that_of_one_test_whatever_the_number_of_tests() -> None:
    """A row a home in single precision, a few numbers a home beside it; the homes are made one after the other."""
    count = 40
    fleet = SimulatedFleet(UP, draw(Population(count, count * HOME_W), UP, 1))
    (longest,) = [label for label in fleet.labels if label.test_type is TestType.RAMP]
    samples = gather_block(Chosen(fleet, [str(longest)]).traces(longest), Gaps()).grid.count
    aggregate(Chosen(fleet, ["Ramp"]), count * HOME_W)  # whatever is loaded once is not counted
    peaks = []
    for tests in (["Ramp"], [str(label) for label in fleet.labels]):
        tracemalloc.start()
        aggregate(Chosen(fleet, tests), count * HOME_W)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    row_bytes = 4 * samples
    assert peaks[0] < 4 * count * row_bytes + 30e6
    assert peaks[1] < 1.5 * peaks[0]


def test_a_fleet_needs_a_test() -> None:
    fleet = SimulatedFleet(UP, homes(UP, 2))
    with pytest.raises(AggregateError, match="no step, ramp or sine"):
        aggregate(Chosen(fleet, []), HOME_W)
    twice = SimulatedFleet(UP, (*homes(UP, 2), homes(UP, 1)[0]))
    with pytest.raises(AggregateError, match="twice"):
        aggregate(Chosen(twice, [str(sine_label(25.0))]), HOME_W)
