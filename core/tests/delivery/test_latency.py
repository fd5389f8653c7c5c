"""How long the battery takes: learned, kept, and never believed too early or too far."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from samspel.contract.capability import Direction
from samspel.delivery.latency import Latencies, Sample, answered

UP = Direction.DISCHARGE


def after(*answers: float) -> Latencies:
    learned = Latencies()
    for seconds in answers:
        learned = learned.add(UP, seconds)
    return learned


def test_the_declared_latency_stands_until_there_are_enough_answers():
    assert after(*[5.0] * 7).patience_s(UP, 20.0) == 20.0
    assert after(*[5.0] * 8).patience_s(UP, 20.0) == 6.2
    assert after().patience_s(UP, None) == 30.0


def test_each_direction_learns_for_itself():
    assert after(*[5.0] * 8).learned() == {"discharge": 6.2}


def test_one_odd_answer_moves_nothing():
    assert after(*[5.0] * 10, 300.0).learned_s(UP) == after(*[5.0] * 11).learned_s(UP)


def test_a_battery_that_gets_slower_and_slower_is_noticed_in_the_end():
    assert after(*[500.0] * 10).patience_s(UP, 20.0) == 80.0


def test_what_is_old_is_forgotten():
    assert after(*[50.0] * 20, *[5.0] * 20).learned_s(UP) == 6.2


@given(st.dictionaries(st.sampled_from(Direction), st.lists(st.floats(0, 3000), max_size=25)))
def test_it_survives_the_journal(answers):
    learned = Latencies()
    for direction, all_s in answers.items():
        for seconds in all_s:
            learned = learned.add(direction, seconds)
    assert Latencies.from_json(learned.to_json()).learned() == learned.learned()


def test_a_journal_that_holds_nonsense_teaches_nothing():
    assert Latencies.from_json({"charge": "x", "sideways": [1.0], "discharge": [-1.0, "y", 1e9]}).learned() == {}


def test_an_answer_is_ninety_percent_of_the_way_and_counts_once():
    sample, seconds = answered(Sample(10.0, 0.0, 2000.0), 15.0, 1700.0)
    assert seconds is None
    sample, seconds = answered(sample, 17.0, 1850.0)
    assert seconds == 7.0
    assert answered(sample, 19.0, 2000.0)[1] is None


def test_a_small_step_tells_nothing():
    assert answered(Sample(10.0, 1800.0, 2000.0), 12.0, 2000.0)[1] is None
