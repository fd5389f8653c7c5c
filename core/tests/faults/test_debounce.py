"""Debounce and restarts: raised once, kept, never lost, and cleared only when it has been gone long enough."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samspel.contract.driver import ActiveFault
from samspel.contract.fault import Effect, FaultCode, FaultState, Severity
from samspel.faults.debounce import USUAL, Debounce
from samspel.faults.tracker import RECONFIRM_S, FaultTracker

AT = datetime(2026, 1, 1, tzinfo=UTC)
HALF_MINUTE = Debounce(raise_s=dict.fromkeys(Severity, 20.0), clear_s=dict.fromkeys(Severity, 30.0))


def fault(name: str = "a", severity: Severity = Severity.MINOR) -> ActiveFault:
    return ActiveFault(code=FaultCode.GRID_LOST, severity=severity, effect=Effect.NONE, text=name, raw=name)


class Life:
    """A tracker that looks every 10 s; `restart` is a new one on what the old one kept."""

    def __init__(self, debounce: Debounce = HALF_MINUTE) -> None:
        self.debounce, self.now, self.said = debounce, 0.0, []
        self.tracker = FaultTracker("battery", debounce)

    def look(self, *names: str) -> None:
        self.now += 10.0
        at = AT + timedelta(seconds=self.now)
        changes = self.tracker.observe([fault(name) for name in names], at, self.now)
        self.said += [(self.now, one.detail.raw, one.state) for one in changes]

    def dark(self, for_s: float) -> None:
        self.now += for_s
        self.tracker.lose_sight()

    def restart(self) -> None:
        self.tracker = FaultTracker("battery", self.debounce, self.tracker.to_json())


def test_a_blink_is_no_fault_and_what_stands_is_dated_from_its_first_sighting():
    life = Life()
    for names in ((), ("a",), (), ("a",), ("a",)):
        life.look(*names)
    assert life.said == []
    life.look("a")
    assert life.said == [(60.0, "a", FaultState.RAISED)]
    assert life.tracker.standing[0].since == AT + timedelta(seconds=40)


def test_it_is_cleared_only_when_it_has_been_gone_without_a_break():
    life = Life()
    for names in (("a",), ("a",), ("a",), (), (), ("a",), (), (), ()):
        life.look(*names)
    assert [state for _, _, state in life.said] == [FaultState.RAISED]
    life.look()
    assert life.said[-1] == (100.0, "a", FaultState.CLEARED)


def test_over_a_restart_it_is_neither_lost_nor_raised_again_and_keeps_its_time():
    life = Life()
    for _ in range(3):
        life.look("a")
    life.restart()
    assert [one.detail.raw for one in life.tracker.standing] == ["a"]
    assert life.tracker.standing[0].since == AT + timedelta(seconds=10)
    life.look("a")
    assert len(life.said) == 1
    for _ in range(4):
        life.look()
    assert [state for _, _, state in life.said] == [FaultState.RAISED, FaultState.CLEARED]


def test_an_alarm_of_control_that_nobody_raises_again_after_a_restart_is_over():
    for again, left in ((False, []), (True, [FaultCode.SITE_STORE])):
        life = Life()
        life.tracker.alarm(FaultCode.SITE_STORE, Severity.MAJOR, "full", AT)
        life.restart()
        if again:
            assert life.tracker.alarm(FaultCode.SITE_STORE, Severity.MAJOR, "full", AT) == []
        for _ in range(int(RECONFIRM_S / 10) + 1):
            life.look()
        assert [one.code for one in life.tracker.standing] == left


def test_what_is_grave_counts_at_once():
    tracker = FaultTracker("battery", USUAL)
    grave = tracker.observe([fault("x", Severity.CRITICAL), fault("y", Severity.WARNING)], AT, 0.0)
    assert [one.detail.raw for one in grave] == ["x"]


@pytest.mark.parametrize("kept", [{}, {"standing": "x"}, {"standing": [1, {}, {"code": "no.such"}]}])
def test_what_cannot_be_read_back_is_left_to_the_device(kept):
    assert FaultTracker("battery", USUAL, kept).standing == ()


LOOKS = st.lists(st.one_of(st.just("restart"), st.frozensets(st.sampled_from("abc"))), max_size=60)


@settings(max_examples=150, deadline=None)
@given(LOOKS)
def test_whatever_comes_raises_and_clears_take_turns_and_each_has_waited(looks):
    life, seen = Life(), {name: [] for name in "abc"}
    for look in looks:
        if look == "restart":
            life.restart()
            continue
        life.look(*look)
        for name, history in seen.items():
            history.append((life.now, name in look))
    for name, history in seen.items():
        states = [state for _, raw, state in life.said if raw == name]
        assert _alternates(states)
        for at, raw, state in life.said:
            if raw == name:
                before = [there for when, there in history if at - 20.0 <= when <= at]
                assert set(before) == {state is FaultState.RAISED}, (at, state, history)
        standing = name in {one.detail.raw for one in life.tracker.standing}
        assert standing is (bool(states) and states[-1] is FaultState.RAISED), "nothing is lost, nothing invented"


def _alternates(states: list[FaultState]) -> bool:
    return all(state is (FaultState.RAISED, FaultState.CLEARED)[place % 2] for place, state in enumerate(states))


def test_a_look_on_each_side_of_an_outage_proves_nothing_about_the_time_between():
    life = Life()
    life.look("a")
    life.dark(3600)
    life.look("a")
    assert life.said == []
    for _ in range(2):
        life.look("a")
    assert life.said == [(3640.0, "a", FaultState.RAISED)]
    assert life.tracker.standing[0].since == AT + timedelta(seconds=3620)
    life.look()
    life.dark(3600)
    life.look()
    assert len(life.said) == 1
    for _ in range(3):
        life.look()
    assert life.said[-1] == (life.now, "a", FaultState.CLEARED)


def test_an_alarm_of_control_is_not_over_because_the_device_was_dark_after_a_restart():
    life = Life()
    life.tracker.alarm(FaultCode.CONTROL_RELEASE_FAILED, Severity.MAJOR, "refused", AT)
    life.restart()
    life.look()
    for _ in range(3):
        life.dark(RECONFIRM_S)
        life.look()
    assert [one.code for one in life.tracker.standing] == [FaultCode.CONTROL_RELEASE_FAILED]
    for _ in range(int(RECONFIRM_S / 10)):
        life.look()
    assert life.tracker.standing == ()
