"""The play meets every expectation in a home that behaves, and the right one fails in a home that does not."""

import pytest
from samspel_sim.demo.play import SCENES
from samspel_sim.demo.truth import Truth

from .demo_home import Home


@pytest.fixture(scope="module")
def good():
    home = Home()
    return home, home.play()


def test_a_good_home_meets_everything(good):
    _, record = good
    assert [(one.text, one.seen) for one in record.results if not one.met] == []


def test_every_scene_expects_something(good):
    home, record = good
    assert len(home.scenes) == SCENES
    assert list(dict.fromkeys(one.scene for one in record.results)) == home.scenes


def test_the_play_takes_about_three_minutes_at_most(good):
    home, _ = good
    assert home.now_s - 100.0 < 180.0


SINS = {
    "wrong sign": {"the battery really charges", "it charges within 10 s of being found"},
    "measures the wrong sign": {"telemetry says the same, in sign and size"},
    "slow to follow": {"it charges within 10 s of being found"},
    "follows the stale": {
        "it is refused as stale",
        "nothing of it reached the inverter",
        "the battery goes on as before",
    },
    "fault stays": {"the fault is cleared", "no fault is left"},
    "late stop": {"its first write came within 3 s"},
    "ignores the stop": {"the battery comes to rest", "and stays there"},
    "does not clamp": {"the battery gets less", "it is called clamped in time"},
    "hides the clamp": {"it is called clamped in time"},
    "drops on kill": {"the battery noticed nothing"},
    "gives way for a moment": {"the battery noticed nothing"},
    "the guard sleeps": {"the guard has noticed", "its successor adopts the command"},
    "does not see the other": {"our command is overridden", "and ends", "a set-point meanwhile is refused"},
    "fights the other": {"nothing is written by us", "the battery follows the other"},
    "forgets a register": {"every register written is as it was"},
    "ends twice": {"each command ended exactly once"},
    "never ends": {"each command ended exactly once"},
}


@pytest.mark.parametrize("sin", SINS)
def test_each_sin_is_seen(sin):
    missed = {one.text for one in Home(sin).play().results if not one.met}
    assert missed >= SINS[sin]


def test_a_repeated_write_is_none_of_the_stale_command(monkeypatch):
    """A device with a timer is fed all the time; that is no new write."""
    home = Home()
    step = home._step

    def feeding() -> None:
        step()
        if home.write_log and home.linked and home.latched is None and home.target_w is not None:
            home.write(home.target_w)

    monkeypatch.setattr(home, "_step", feeding)
    assert all(one.met for one in home.play().results if "nothing of it" in one.text)


def test_a_route_that_follows_the_load_is_asked_for_no_more():
    home = Home()
    home.routes[1]["authority"] = "load_following"
    home.play()
    asked = {command["power_w"]: command.get("accept") for command in home.dispatcher.said if "power_w" in command}
    assert asked[1500.0] == "load_following"
    assert asked[-2000.0] == "exact"


def test_who_must_rest_long_before_turning_goes_on_the_same_way():
    home = Home()
    home.routes[1]["reversal_dwell_s"] = 300.0
    assert all(one.met for one in home.play().results)
    assert [command["power_w"] for command in home.dispatcher.said if "ends_stop" in command] == [-1500.0]


def test_a_timer_may_be_fed_while_a_stale_command_is_refused():
    home = Home()
    home.routes[0]["deadman"] = "timeout"
    texts = [one.text for one in home.play().results]
    assert "nothing of it reached the inverter but for what feeds its timer" in texts


@pytest.mark.parametrize(("last", "left"), [(20, []), (15, ["timer"])])
def test_what_counts_down_by_itself_is_given_back_when_it_was_last_written_so(last, left):
    def state(value, *writes):
        log = [{"at_s": 1.0, "name": "timer", "values": [one]} for one in writes]
        return Truth({"registers": {"timer": value}, "write_log": log})

    assert state(17, 5, last).not_restored_since(state(20)) == left


def test_what_was_commanded_is_told_in_the_order_of_its_last_writes():
    log = [{"name": name} for name in ("trigger", "power+mode", None, "trigger", "write_only")]
    truth = Truth({"registers": {"trigger": 1, "mode": 2, "power": 3, "other": 4}, "write_log": log})
    assert list(truth.commanded().items()) == [("power", 3), ("mode", 2), ("trigger", 1)]


def test_nothing_else_happens_while_a_command_has_its_latency():
    """Side effects of a command are judged when its latency is over."""
    home = Home()
    home.routes[0]["latency_s"] = 19.7
    disturbed, misbehave = [], home.misbehave
    home.misbehave = lambda name, **rest: (disturbed.append((name, home.now_s)), misbehave(name, **rest))[1]
    home.play()
    for name, power_w in (("clamp", -3500.0), ("second_master", -2000.0)):
        at_s = next(at_s for one, at_s in disturbed if one == name)
        written = [one for one in home.inbox.outcomes() if one.get("stage") == "written" and one["monotonic_s"] < at_s]
        assert written[-1]["target_power_w"] == power_w
        assert at_s - written[-1]["monotonic_s"] > 19.7
