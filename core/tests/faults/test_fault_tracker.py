"""Faults: raised once, since when, cleared once; the device's and control's own apart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from samspel.contract.driver import ActiveFault
from samspel.contract.fault import Effect, FaultCode, FaultState, Severity
from samspel.faults.tracker import FaultTracker

AT = datetime(2026, 1, 1, tzinfo=UTC)
LATER = AT + timedelta(minutes=5)


def active(
    code: FaultCode = FaultCode.GRID_LOST, effect: Effect = Effect.NONE, raw: str = "bit 3", text: str = "grid lost"
) -> ActiveFault:
    return ActiveFault(code=code, severity=Severity.MAJOR, effect=effect, text=text, raw=raw)


def test_a_fault_is_raised_once_and_cleared_once_with_its_first_time():
    tracker = FaultTracker("battery")
    (raised,) = tracker.observe([active()], AT)
    assert (raised.code, raised.state, raised.since, raised.device) == (
        FaultCode.GRID_LOST,
        FaultState.RAISED,
        AT,
        "battery",
    )
    assert (raised.detail.text, raised.detail.raw) == ("grid lost", "bit 3")
    assert tracker.observe([active()], LATER) == []
    (cleared,) = tracker.observe([], LATER)
    assert (cleared.code, cleared.state, cleared.since) == (FaultCode.GRID_LOST, FaultState.CLEARED, AT)
    assert tracker.observe([], LATER) == []
    assert tracker.standing == ()


def test_two_bits_with_one_code_stand_apart():
    tracker = FaultTracker("battery")
    assert len(tracker.observe([active(raw="a"), active(raw="b")], AT)) == 2
    (cleared,) = tracker.observe([active(raw="b")], LATER)
    assert cleared.detail.raw == "a"


@pytest.mark.parametrize("raw", ["bit 3", ""])
def test_the_device_does_not_clear_control_and_control_not_the_device(raw):
    tracker = FaultTracker("battery")
    code = FaultCode.COMMS_DEVICE_LOST
    assert len(tracker.alarm(code, Severity.MAJOR, "no answer", AT)) == 1
    assert len(tracker.observe([active(code, raw=raw)], AT)) == 1
    (cleared,) = tracker.observe([], LATER)
    assert cleared.detail.text == "grid lost"
    assert [fault.detail.text for fault in tracker.standing] == ["no answer"]
    assert len(tracker.clear(code)) == 1


def test_repeating_and_clearing_in_vain_is_harmless():
    tracker = FaultTracker("battery")
    assert tracker.clear(FaultCode.SITE_STORE) == []
    assert len(tracker.alarm(FaultCode.SITE_STORE, Severity.MAJOR, "full", AT)) == 1
    assert tracker.alarm(FaultCode.SITE_STORE, Severity.MAJOR, "full", LATER) == []


def test_a_fault_that_comes_again_has_a_new_time():
    tracker = FaultTracker("battery")
    tracker.observe([active()], AT)
    tracker.observe([], AT)
    assert tracker.observe([active()], LATER)[0].since == LATER


@pytest.mark.parametrize(
    ("effects", "together"),
    [
        ([], Effect.NONE),
        ([Effect.NONE], Effect.NONE),
        ([Effect.DERATED, Effect.NO_CHARGE], Effect.NO_CHARGE),
        ([Effect.NO_DISCHARGE, Effect.DERATED], Effect.NO_DISCHARGE),
        ([Effect.NO_CHARGE, Effect.NO_DISCHARGE], Effect.OFFLINE),
        ([Effect.OFFLINE, Effect.NO_CHARGE], Effect.OFFLINE),
    ],
)
def test_the_effect_of_all_that_stands(effects, together):
    tracker = FaultTracker("battery")
    tracker.observe([active(effect=effect, raw=str(number)) for number, effect in enumerate(effects)], AT)
    assert tracker.effect is together


def test_what_stands_is_told_oldest_first():
    tracker = FaultTracker("battery")
    tracker.observe([active(raw="new")], LATER)
    tracker.alarm(FaultCode.SITE_STORE, Severity.MAJOR, "old", AT)
    assert [fault.since for fault in tracker.standing] == [AT, LATER]
