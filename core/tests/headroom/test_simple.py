"""Headroom: what the battery could do now, with the reason for every clip."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samspel.contract.capability import Direction
from samspel.contract.fault import Effect
from samspel.contract.site import DeviceHeadroom
from samspel.contract.telemetry import Quality, Reading
from samspel.headroom.simple import device_headroom

AT = datetime(2026, 1, 1, tzinfo=UTC)


def headroom(values: dict[str, float | None], **changes: Any) -> tuple[float, float, tuple[str, ...]]:
    readings = {
        name: Reading(value, "", AT, 0.0, Quality.GOOD if value is not None else Quality.INVALID)
        for name, value in values.items()
    }
    usual: dict[str, Any] = {
        "charge_w": 4000.0,
        "discharge_w": 5000.0,
        "soc_min_pct": 10.0,
        "soc_max_pct": 90.0,
        "effect": Effect.NONE,
        "available": True,
        "refused": {},
    }
    found: DeviceHeadroom = device_headroom(readings, **(usual | changes))
    return found.charge_w, found.discharge_w, found.why


@pytest.mark.parametrize(
    ("values", "changes", "expected"),
    [
        ({"soc_pct": 50}, {}, (4000, 5000, ())),
        ({"soc_pct": 50}, {"available": False}, (0, 0, ("unavailable",))),
        ({}, {}, (0, 0, ("soc_unknown",))),
        ({"soc_pct": None}, {}, (0, 0, ("soc_unknown",))),
        ({"soc_pct": 90}, {}, (0, 5000, ("charge_soc",))),
        ({"soc_pct": 10}, {}, (4000, 0, ("discharge_soc",))),
        ({"soc_pct": 50, "charge_limit_w": 1000}, {}, (1000, 5000, ("charge_live_limit",))),
        ({"soc_pct": 50, "discharge_limit_w": 1000}, {}, (4000, 1000, ("discharge_live_limit",))),
        ({"soc_pct": 50, "charge_limit_w": -7}, {}, (0, 5000, ("charge_live_limit",))),
        ({"soc_pct": 50, "charge_limit_w": 9000}, {}, (4000, 5000, ())),
        ({"soc_pct": 50}, {"effect": Effect.NO_CHARGE}, (0, 5000, ("charge_fault",))),
        ({"soc_pct": 50}, {"effect": Effect.NO_DISCHARGE}, (4000, 0, ("discharge_fault",))),
        ({"soc_pct": 50}, {"effect": Effect.OFFLINE}, (0, 0, ("charge_fault", "discharge_fault"))),
        ({"soc_pct": 50}, {"effect": Effect.DERATED}, (4000, 5000, ())),
        ({"soc_pct": 50}, {"refused": {Direction.CHARGE: "route"}}, (0, 5000, ("charge_route",))),
        ({"soc_pct": 50}, {"refused": {Direction.DISCHARGE: "guard_lost"}}, (4000, 0, ("discharge_guard_lost",))),
        (
            {"soc_pct": 50},
            {"effect": Effect.NO_CHARGE, "refused": {Direction.CHARGE: "fault"}},
            (0, 5000, ("charge_fault",)),
        ),
    ],
)
def test_headroom(values, changes, expected):
    assert headroom(values, **changes) == expected


@given(
    st.dictionaries(
        st.sampled_from(["soc_pct", "charge_limit_w", "discharge_limit_w"]), st.none() | st.floats(-1e6, 1e6)
    ),
    st.sampled_from(list(Effect)),
    st.booleans(),
    st.dictionaries(st.sampled_from(list(Direction)), st.sampled_from(["route", "fault", "guard_lost"])),
)
def test_every_clip_has_a_reason_and_no_promise_exceeds_the_contract(values, effect, available, refused):
    charge_w, discharge_w, why = headroom(values, effect=effect, available=available, refused=refused)
    assert not any((Direction.CHARGE in refused and charge_w, Direction.DISCHARGE in refused and discharge_w))
    assert 0 <= charge_w <= 4000
    assert 0 <= discharge_w <= 5000
    assert bool(why) == (charge_w < 4000 or discharge_w < 5000)
