"""Topics are built and taken apart in one place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samspel.contract.errors import ConfigError
from samspel.transport.topics import Address, Leaf, Topics, parse_topic

TOPICS = Topics("home-7")


def test_the_topics_are_those_of_the_design():
    assert TOPICS.command_filter() == "samspel/v1/home-7/+/command"
    assert TOPICS.command("battery") == "samspel/v1/home-7/battery/command"
    assert TOPICS.outcome("battery") == "samspel/v1/home-7/battery/outcome"
    assert TOPICS.telemetry("battery") == "samspel/v1/home-7/battery/telemetry"
    assert TOPICS.fault("battery") == "samspel/v1/home-7/battery/fault"
    assert TOPICS.headroom() == "samspel/v1/home-7/headroom"
    assert TOPICS.birth() == "samspel/v1/home-7/birth"
    assert TOPICS.status() == "samspel/v1/home-7/status"


def test_a_command_topic_says_what_the_command_must_be_addressed_to():
    address = parse_topic(TOPICS.command("battery"))
    assert address == Address("home-7", "battery", Leaf.COMMAND)
    assert address.target == "home-7/battery"


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "samspel/v1",
        "samspel/v1/",
        "samspel/v1/home/",
        "samspel/v2/home/battery/command",
        "samspel/v1/home/battery/explode",
        "samspel/v1/home/command",
        "samspel/v1/home/battery/status",
        "samspel/v1//battery/command",
        "samspel/v1/home//command",
        "samspel/v1/home/battery/x/command",
        "x/samspel/v1/home/battery/command",
        "samspel/v1/home/" + "x" * 64 + "/command",
    ],
)
def test_other_topics_are_none_of_ours(topic):
    assert parse_topic(topic) is None


@pytest.mark.parametrize("name", ["", "a/b", "a+", "#", "a\0", "a\nb", "x" * 64])
def test_names_that_cannot_stand_in_a_topic_are_refused(name):
    with pytest.raises(ConfigError, match="site name"):
        Topics(name)
    with pytest.raises(ConfigError, match="device name"):
        TOPICS.command(name)


@given(st.text(max_size=80))
def test_any_topic_can_be_looked_at(topic):
    parse_topic(topic)
    parse_topic("samspel/v1/" + topic)
