"""What faults forbid: a direction, or the whole device for a while."""

from __future__ import annotations

import pytest
from samspel.contract.fault import Effect
from samspel.faults.service import CALM_S, PAUSE_FIRST_S, PAUSE_MOST_S, Service, bounded_w, judge_service

OFF, ON = Effect.OFFLINE, Effect.NONE


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
