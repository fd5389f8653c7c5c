"""What faults forbid: a direction, or the whole device for a while."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samspel.contract.fault import Effect
from samspel.faults.service import (
    CALM_S,
    PAUSE_FIRST_S,
    PAUSE_MOST_S,
    Service,
    bounded_w,
    judge_service,
    kept_service,
    service_of,
)

OFF, ON = Effect.OFFLINE, Effect.NONE
AT = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_device_is_out_while_its_fault_stands_and_a_pause_longer():
    service = judge_service(Service(), OFF, 100.0)
    assert service.is_out(1e9)
    service = judge_service(service, ON, 200.0)
    assert service.is_out(200.0 + PAUSE_FIRST_S - 1)
    assert not service.is_out(200.0 + PAUSE_FIRST_S)


@pytest.mark.parametrize("effect", [Effect.NONE, Effect.DERATED, Effect.NO_CHARGE, Effect.NO_DISCHARGE])
def test_a_milder_effect_takes_nothing_out(effect):
    assert not judge_service(Service(), effect, 100.0).is_out(100.0)


def test_the_pause_doubles_each_time_it_comes_back_up_to_a_limit_and_begins_anew_after_calm():
    service, now, pauses = Service(), 0.0, []
    for _ in range(9):
        service = judge_service(service, OFF, now)
        service = judge_service(service, ON, now + 10)
        pauses.append(service.back_at - now - 10)
        now = service.back_at + 60
    assert pauses[:3] == [PAUSE_FIRST_S, 2 * PAUSE_FIRST_S, 4 * PAUSE_FIRST_S]
    assert pauses[-1] == PAUSE_MOST_S
    service = judge_service(service, OFF, now + CALM_S)
    assert judge_service(service, ON, now + CALM_S).back_at == now + CALM_S + PAUSE_FIRST_S


@pytest.mark.parametrize(
    ("effects", "power_w", "left_w"),
    [
        ({Effect.NO_CHARGE}, -1000.0, 0.0),
        ({Effect.NO_CHARGE}, 1000.0, 1000.0),
        ({Effect.NO_DISCHARGE}, 1000.0, 0.0),
        ({Effect.NO_DISCHARGE}, -1000.0, -1000.0),
        ({Effect.OFFLINE}, -1000.0, 0.0),
        ({Effect.DERATED, Effect.NONE}, 1000.0, 1000.0),
        (set(), 1000.0, 1000.0),
    ],
)
def test_a_forbidden_direction_is_zero(effects, power_w, left_w):
    assert bounded_w(power_w, effects) == left_w


def restarted(service: Service, now: float, dark_s: float, step_s: float = 0.0) -> Service:
    """The same after a new boot, whose monotonic clock begins at 5 s."""
    kept = {"service": kept_service(service, now, AT)}
    return service_of(kept, 5.0, AT + timedelta(seconds=dark_s + step_s))


def test_a_restart_shortens_no_pause_and_forgets_no_round():
    service, now = Service(), 1000.0
    for _ in range(3):
        service = judge_service(judge_service(service, OFF, now), ON, now)
    again = restarted(service, now, dark_s=20.0)
    assert again.back_at == pytest.approx(5.0 + 4 * PAUSE_FIRST_S - 20.0)
    again = judge_service(judge_service(again, OFF, 6.0), ON, 6.0)
    assert again.back_at == 6.0 + 8 * PAUSE_FIRST_S
    calm = restarted(service, now, dark_s=CALM_S + 1)
    assert judge_service(calm, OFF, 5.0).times == 1


def test_a_restart_while_it_is_out_is_not_another_round():
    service = judge_service(Service(), OFF, 1000.0)
    again = judge_service(restarted(service, 1000.0, dark_s=20.0), OFF, 5.0)
    assert (again.offline, again.times) == (True, 1)


@given(step_s=st.floats(-1e8, 1e8), rounds=st.integers(1, 9))
def test_whatever_the_wall_clock_does_the_pause_is_no_longer_than_the_longest(step_s, rounds):
    service = Service()
    for _ in range(rounds):
        service = judge_service(judge_service(service, OFF, 1000.0), ON, 1000.0)
    assert not restarted(service, 1000.0, 0.0, step_s).is_out(5.0 + PAUSE_MOST_S)


@pytest.mark.parametrize("kept", [{}, {"service": 1}, {"service": {"times": "x"}}])
def test_a_document_without_service_is_a_device_in_service(kept):
    assert service_of(kept, 5.0, AT) == Service()


@pytest.mark.parametrize("text", [1, "soon", "2026-01-01T00:00:00"])
def test_times_that_cannot_be_read_are_none(text):
    assert not service_of({"service": {"times": 2, "back_at": text, "left_at": text}}, 5.0, AT).is_out(5.0)
