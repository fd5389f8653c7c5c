"""Values of `POST /set`: taken as they are, or refused in a sentence."""

import pytest
from samspel_sim import wanted
from samspel_sim.behaviour import OptionError


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


def test_a_key_that_nobody_takes_is_said_and_its_value_is_not_looked_at():
    taken = []
    assert wanted.apply({"colour": taken.append}, "colour", "red")
    assert not wanted.apply({"colour": taken.append}, "size", "red")
    assert taken == ["red"]
