"""How long the battery takes: learned, kept, and never believed too early or too far."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st
from samspel.contract.capability import Direction, Ramp
from samspel.delivery.latency import NO_SAMPLE, Answer, Latencies, Patience, Sample, answered

UP = Direction.DISCHARGE
WAY_W = 2000.0


def after(*seconds: float, way_w: float = WAY_W) -> Latencies:
    return after_all(*(Answer(one, way_w) for one in seconds))


def after_all(*answers: Answer) -> Latencies:
    learned = Latencies()
    for answer in answers:
        learned = learned.add(UP, answer)
    return learned


def patience_s(learned: Latencies, declared_s: float | None, way_w: float = WAY_W) -> float:
    return learned.patience(UP, declared_s).for_way(way_w)


def test_the_declared_latency_stands_until_there_are_enough_answers():
    assert patience_s(after(*[5.0] * 7), 20.0) == 20.0
    assert patience_s(after(*[5.0] * 8), 20.0) == 6.2
    assert patience_s(after(), None) == 30.0


def test_each_direction_learns_for_itself():
    assert after(*[5.0] * 8).learned() == {"discharge": 6.2}


def test_one_odd_answer_moves_nothing():
    assert after(*[5.0] * 10, 300.0).learned_s(UP) == after(*[5.0] * 11).learned_s(UP)


def test_a_battery_that_gets_slower_and_slower_is_noticed_in_the_end():
    assert patience_s(after(*[500.0] * 10), 20.0) == 80.0


def test_what_is_old_is_forgotten():
    assert after(*[50.0] * 20, *[5.0] * 20).learned_s(UP) == 6.2


def test_a_longer_way_than_enough_answers_tell_of_has_the_declared_latency():
    learned = after_all(*[Answer(2.0, 600.0)] * 8, *[Answer(2.0, 3000.0)] * 7)
    assert [patience_s(learned, 20.0, way_w) for way_w in (600.0, 750.0, 751.0, 3000.0)] == [3.0, 3.0, 20.0, 20.0]
    assert patience_s(learned.add(UP, Answer(2.0, 3000.0)), 20.0, 3000.0) == 3.0


def test_a_longer_way_never_has_less_than_what_was_learned():
    assert patience_s(after(*[30.0] * 8, way_w=600.0), 20.0, 5000.0) == 37.5


def test_a_route_that_steps_has_one_latency_for_every_way():
    assert after(*[2.0] * 8, way_w=600.0).patience(UP, 20.0, Ramp.STEP).for_way(9000.0) == 3.0
    assert after(*[2.0] * 8, way_w=600.0).patience(UP, 20.0, Ramp.LINEAR).for_way(9000.0) == 20.0


def test_what_is_learned_of_a_linear_ramp_holds_as_far_as_it_is_believed():
    rate_w, ways_w = 250.0, [500.0 + 100.0 * step for step in range(20)]
    patience = after_all(*(Answer(way_w / rate_w, way_w) for way_w in ways_w)).patience(UP, 30.0)
    assert patience.known_w / rate_w <= patience.learned_s


answers = st.builds(Answer, st.floats(0, 3000), st.floats(500, 20000))


@given(st.dictionaries(st.sampled_from(Direction), st.lists(answers, max_size=25)))
def test_it_survives_the_journal(by_direction):
    learned = Latencies()
    for direction, all_of_it in by_direction.items():
        for answer in all_of_it:
            learned = learned.add(direction, answer)
    assert Latencies.from_json(learned.to_json()).answers == learned.answers


def test_a_journal_that_holds_nonsense_teaches_nothing():
    nonsense = [-1.0, "y", 1e9, 5.0, [5.0], [-1.0, 600.0], [5.0, "w"], [1e9, 600.0], [5.0, -1.0], [5.0, math.inf]]
    kept = Latencies.from_json({"charge": "x", "sideways": [[1.0, 600.0]], "discharge": nonsense * 9})
    assert kept.learned() == {}
    assert kept.patience(UP, 20.0) == Patience(20.0)


def test_an_answer_is_ninety_percent_of_the_way_and_counts_once():
    sample, answer = answered(Sample(10.0, 0.0, 2000.0), 15.0, 1700.0, 20.0)
    assert answer is None
    sample, answer = answered(sample, 17.0, 1850.0, 20.0)
    assert answer == Answer(7.0, 2000.0)
    assert answered(sample, 19.0, 2000.0, 20.0)[1] is None


def test_a_small_step_tells_nothing():
    assert answered(Sample(10.0, 1800.0, 2000.0), 12.0, 2000.0, 20.0)[1] is None


def test_an_answer_later_than_four_declared_latencies_is_none():
    for declared_s, last_s in ((20.0, 80.0), (None, 120.0)):
        assert answered(Sample(10.0, 0.0, 2000.0), 10.0 + last_s, 2000.0, declared_s)[1] is not None
        assert answered(Sample(10.0, 0.0, 2000.0), 10.1 + last_s, 2000.0, declared_s)[1] is None


def test_without_a_step_there_is_no_answer():
    assert answered(NO_SAMPLE, 12.0, 0.0, 20.0) == (NO_SAMPLE, None)
