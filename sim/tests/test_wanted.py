"""Names of options and values of `POST /set`: taken as they are, or refused in a sentence."""

from dataclasses import replace

import pytest
from samspel_sim import wanted
from samspel_sim.behaviour import LinkTraits, OptionError


@pytest.mark.parametrize("value", [1, 0, "true", None, []])
def test_only_true_and_false_are_flags(value):
    assert wanted.flag("on", True) is True
    assert wanted.flag("on", False) is False
    with pytest.raises(OptionError, match="on wants true or false, not"):
        wanted.flag("on", value)


@pytest.mark.parametrize("value", [44.9, 55.1, True, "50", None, float("nan")])
def test_a_number_lies_within_its_bounds(value):
    assert [wanted.number("hz", end, 45, 55) for end in (45, 55)] == [45.0, 55.0]
    with pytest.raises(OptionError, match=r"hz wants a number in 45\.\.55, not"):
        wanted.number("hz", value, 45, 55)


@pytest.mark.parametrize("value", [1.5, True, "2", "", float("nan"), float("inf")])
def test_a_whole_number_is_one(value):
    assert wanted.whole("packs", 2.0) == 2
    with pytest.raises(OptionError, match="packs wants a"):
        wanted.whole("packs", value)


@pytest.mark.parametrize("key", ["clients", "connect_wait_s", "pace_s", "answer_s"])
@pytest.mark.parametrize("value", ["x", "", -1.0, float("nan")])
def test_the_link_refuses_what_is_no_number(key, value):
    with pytest.raises(OptionError, match=f"{key} wants a number"):
        wanted.link(LinkTraits(), {key: value})


def test_a_key_that_nobody_takes_is_said_and_its_value_is_not_looked_at():
    taken = []
    assert wanted.apply({"colour": taken.append}, "colour", "red")
    assert not wanted.apply({"colour": taken.append}, "size", "red")
    assert taken == ["red"]


def test_a_name_that_nobody_knows_is_told_with_those_that_there_are():
    assert wanted.one_of("model", "T1", ["T1", "T2"]) == "T1"
    with pytest.raises(OptionError, match=r"^no model 'T3'; there are T1, T2$"):
        wanted.one_of("model", "T3", ["T1", "T2"])
    with pytest.raises(OptionError, match=r"^no firmware '9' for T1; there are 1$"):
        wanted.one_of("firmware", "9", {"1": {}}, whose="for T1")


def test_the_link_takes_its_settings_and_leaves_the_others():
    usual = LinkTraits(clients=2, pace_s=0.5, answer_s=0.1, refresh_s=(2.0, 3.0))
    settings = {"clients": 3, "answer_s": 0, "colour": "red"}
    assert wanted.link(usual, settings) == replace(usual, clients=3, answer_s=0.0)
    assert settings == {"colour": "red"}
    assert wanted.link(usual, settings) == usual
