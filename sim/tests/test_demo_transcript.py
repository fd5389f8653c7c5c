"""Homes that say the same are the same; what differs needs a reason, and the reason must be real."""

import pytest
from samspel_sim.demo.transcript import Line, differences, transcript

CHARGE = {"id": "c-1", "kind": "set_power", "power_w": -2000.0}
STOP = {"id": "c-2", "kind": "stop"}


def outcome(command, **fields):
    return {"command_id": command["id"], **fields}


def test_a_line_for_each_command_in_words_without_numbers():
    said = [
        outcome(CHARGE, stage="received"),
        outcome(CHARGE, stage="accepted"),
        outcome(STOP, stage="written", target_power_w=0.0),
        outcome(CHARGE, stage="written", target_power_w=-2000.0),
        outcome(CHARGE, stage="verified", verification="read_back"),
        outcome(CHARGE, deviation="clamped", reason="soc"),
        outcome(CHARGE, deviation="clamped", reason="soc"),
        outcome(CHARGE, stage="write_suppressed"),
        outcome(CHARGE, end="completed"),
    ]
    assert transcript([CHARGE, STOP], said) == [
        Line("2000 W", ("accepted", "written", "verified by read_back", "clamped (soc)", "completed")),
        Line("stop", ("written",)),
    ]


def test_whether_an_overtaken_command_was_delivered_is_chance():
    early = [outcome(CHARGE, stage="delivered"), outcome(CHARGE, end="superseded", reason="newer")]
    assert transcript([CHARGE], early) == transcript([CHARGE], early[1:])


ROUTES = {"a": [{"verify": "read_back"}], "b": [{"verify": "effect"}]}
SAME = {"a": [{"verify": "read_back"}], "b": [{"verify": "read_back"}]}


def lines(*words):
    return [Line("stop", words)]


def test_the_same_words_are_no_difference():
    assert differences({"a": lines("written"), "b": lines("written")}, ROUTES) == []


@pytest.mark.parametrize(("routes", "because"), [(ROUTES, "verify differs"), (SAME, "")])
def test_what_the_record_explains_is_explained_and_nothing_else(routes, because):
    said = {"a": lines("written", "verified by read_back"), "b": lines("written", "verified by effect")}
    (found,) = differences(said, routes)
    assert found.because == because


@pytest.mark.parametrize(
    "words",
    [("written", "failed (refused)"), ("written", "verified by effect", "interrupted"), ("verified by effect",)],
)
def test_a_word_outside_the_table_is_never_explained(words):
    (found,) = differences({"a": lines("written", "verified by read_back"), "b": lines(*words)}, ROUTES)
    assert found.because == ""


def test_another_order_of_the_same_words_is_a_difference():
    (found,) = differences({"a": lines("written", "accepted"), "b": lines("accepted", "written")}, ROUTES)
    assert found.because == ""


def test_a_home_that_says_less_is_told():
    (found,) = differences({"a": lines("written"), "b": []}, ROUTES)
    assert found.said == {"a": ("written",), "b": ()}
