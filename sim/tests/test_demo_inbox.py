"""Waiting for what a site says, in time that passes only by sleeping; and how a dispatcher writes commands."""

import pytest
from samspel_sim.demo.dispatcher import Dispatcher
from samspel_sim.demo.inbox import Inbox, Message


class Pace:
    """Time by hand; `at` holds what arrives when."""

    def __init__(self) -> None:
        self.now_s, self.at = 0.0, []

    def monotonic(self) -> float:
        return self.now_s

    def sleep(self, seconds: float, /) -> None:
        self.now_s += seconds
        for due_s, message in [one for one in self.at if one[0] <= self.now_s]:
            self.at.remove((due_s, message))
            self.inbox.put(message)


@pytest.fixture
def pace():
    made = Pace()
    made.inbox = Inbox(made)
    return made


@pytest.fixture
def inbox(pace):
    return pace.inbox


def outcome(command_id="c-1", seq=0, boot_id="b", **fields):
    return Message("outcome", {"command_id": command_id, "seq": seq, "boot_id": boot_id, **fields})


def test_what_has_come_already_is_found_without_waiting(inbox, pace):
    inbox.put(outcome(stage="written"))
    assert inbox.outcome("c-1", 5, stage="written")["stage"] == "written"
    assert pace.now_s == 0.0


def test_what_comes_in_time_is_found(inbox, pace):
    pace.at = [(1.0, outcome(stage="accepted")), (2.0, outcome(stage="written"))]
    assert inbox.outcome("c-1", 5, stage="written") is not None
    assert pace.now_s == pytest.approx(2.0, abs=0.1)


def test_what_comes_too_late_is_not(inbox, pace):
    pace.at = [(6.0, outcome(stage="written"))]
    assert inbox.outcome("c-1", 5, stage="written") is None
    assert pace.now_s == pytest.approx(5.0, abs=0.1)


def test_no_time_left_still_means_a_look(inbox):
    inbox.put(outcome(stage="written"))
    assert inbox.outcome("c-1", -1, stage="written") is not None


def test_another_commands_outcome_and_another_field_do_not_count(inbox):
    inbox.put(outcome("c-2", stage="written"))
    inbox.put(outcome(stage="accepted", reason="first"))
    assert inbox.outcome("c-1", 0, stage="written") is None
    assert inbox.outcome("c-1", 0, stage="accepted", reason="adopted") is None


def test_only_later_ones_when_asked(inbox):
    inbox.put(outcome(stage="accepted"))
    since = inbox.position()
    assert inbox.outcome("c-1", 0, since=since, stage="accepted") is None
    inbox.put(outcome(stage="accepted", seq=1))
    assert inbox.outcome("c-1", 0, since=since, stage="accepted")["seq"] == 1


def test_a_message_that_was_sent_again_counts_once(inbox):
    for seq, boot_id in ((1, "a"), (1, "a"), (1, "b")):
        inbox.put(outcome(seq=seq, boot_id=boot_id))
    assert len(inbox.outcomes()) == 2


def test_the_newest_good_reading_is_found_behind_a_cycle_without_it(inbox):
    inbox.put(Message("telemetry", {"readings": {"soc_pct": {"value": 60.0, "quality": "good"}}}))
    inbox.put(Message("telemetry", {"readings": {"battery_temperature_c": {"value": 20.0, "quality": "good"}}}))
    assert inbox.reading("soc_pct") == 60.0
    assert inbox.reading("grid_power_w") is None


def test_a_stale_reading_is_none(inbox):
    inbox.put(Message("telemetry", {"readings": {"soc_pct": {"value": 60.0, "quality": "good"}}}))
    inbox.put(Message("telemetry", {"readings": {"soc_pct": {"value": 60.0, "quality": "stale"}}}))
    assert inbox.reading("soc_pct") is None


def test_a_command_carries_the_nonce_of_the_moment_it_was_written(inbox):
    published = []
    dispatcher = Dispatcher(inbox, published.append, target="home/battery", issuer="me")
    inbox.put(Message("status", {"nonce": "old"}))
    written = dispatcher.write("set_power", power_w=5.0)
    inbox.put(Message("status", {"nonce": "new"}))
    assert (dispatcher.deliver(written), dispatcher.send("stop")) == ("me-1", "me-2")
    shown = [(one["kind"], one["nonce"], one["seq"]) for one in published]
    assert shown == [("set_power", "old", 1), ("stop", "new", 2)]
    assert dispatcher.sent == ["me-1", "me-2"]


def test_without_a_nonce_there_is_none(inbox):
    written = Dispatcher(inbox, print, target="home/battery", issuer="me").write("stop")
    assert "nonce" not in written
