"""Fuse, AC and export: bounded by what is measured, the battery's own share taken out; acting and not acting."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samspel.contract.telemetry import Quality
from samspel.shaping.fuse import Fuse
from samspel.shaping.inverter import AcLimit, ExportLimit

from .kit import context, reading

FUSE = Fuse(rating_a=20, margin_pct=0)
ONE_PHASE = Fuse(rating_a=20, margin_pct=0, phases=("l2",))
AMPERE_W = 230.0 * 3


def amps(l1, l2, l3):
    return {"grid_current_l1_a": l1, "grid_current_l2_a": l2, "grid_current_l3_a": l3}


def shaped(one, wanted_w, **more):
    return one.apply(one.initial(), wanted_w, context(**more))


# --- fuse -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("currents", "battery_w", "wanted_w", "target_w"),
    [
        ((5, 5, 5), 0, -5000, -5000),
        ((5, 15, 5), 0, -5000, -5 * AMPERE_W),
        ((5, 25, 5), 0, -5000, 0),
        ((25, 5, 5), 0, 5000, 5000),
        ((-15, 0, 0), 0, 5000, 5 * AMPERE_W),
        ((-25, 0, 0), 0, 5000, 0),
        ((-25, 0, 0), 0, -5000, -5000),
        # It charges with 10 A a phase: the house itself draws 5 A.
        ((15, 15, 15), -10 * AMPERE_W, -12 * AMPERE_W, -12 * AMPERE_W),
        ((15, 15, 15), -10 * AMPERE_W, -20 * AMPERE_W, -15 * AMPERE_W),
        # It discharges with 5 A a phase: the house draws 15 A.
        ((10, 10, 10), 5 * AMPERE_W, -20 * AMPERE_W, -5 * AMPERE_W),
        ((5, 5, 5), 0, 0, 0),
    ],
)
def test_the_narrowest_phase_counts_and_the_own_share_does_not(currents, battery_w, wanted_w, target_w):
    found = shaped(FUSE, wanted_w, **amps(*currents), battery_power_w=battery_w)
    assert found.target_w == pytest.approx(target_w)
    assert [note.reason for note in found.notes] == ([] if found.target_w == wanted_w else ["fuse"])


def test_the_room_stands_still_while_the_battery_moves():
    """Taking the share out is the point: without it the room shrinks by what the battery takes, and swings."""
    rooms = set()
    for own_a in range(0, 12, 2):
        meter = amps(*(5 + own_a for _ in range(3)))
        found = shaped(FUSE, -99999, **meter, battery_power_w=-own_a * AMPERE_W)
        rooms.add(round(found.target_w))
    assert rooms == {round(-15 * AMPERE_W)}


def test_only_the_phases_that_it_feeds():
    found = shaped(ONE_PHASE, -5000, **amps(19, 10, 19), battery_power_w=0)
    assert found.target_w == -10 * 230


def test_active_power_serves_where_there_is_no_current():
    powers = {f"grid_power_l{phase}_w": 2300 for phase in (1, 2, 3)}
    assert shaped(FUSE, -9000, **powers, battery_power_w=0).target_w == pytest.approx(-10 * AMPERE_W)


def test_margin_and_share():
    cautious = Fuse(rating_a=20, margin_pct=10, share=0.5)
    assert shaped(cautious, -9000, **amps(8, 8, 8), battery_power_w=0).target_w == pytest.approx(-5 * AMPERE_W)


STALE = [
    {"now": 15.1},
    {"meter_online": 0},
    {"grid_current_l2_a": reading(5, quality=Quality.FROZEN)},
    {"grid_current_l2_a": reading(5, at=-16)},
    {"battery_power_w": reading(0, quality=Quality.INVALID)},
    {"battery_power_w": reading(0, at=-6)},
]


@pytest.mark.parametrize("wrong", STALE, ids=[str(one) for one in STALE])
def test_a_stale_meter_means_no_charging(wrong):
    known = amps(5, 5, 5) | {"battery_power_w": 0, "meter_online": 1}
    assert shaped(FUSE, -3000, **known).target_w == -3000
    found = shaped(FUSE, -3000, **(known | wrong))
    assert (found.target_w, found.notes[0].reason) == (0, "meter_stale")
    assert shaped(FUSE, 3000, **(known | wrong)).target_w == 3000
    assert shaped(FUSE, 30000, **(known | wrong)).target_w == 20 * AMPERE_W


@given(*[st.floats(-60, 60) for _ in range(3)], st.floats(-9000, 9000), st.floats(-20000, 20000))
def test_no_phase_is_ever_asked_to_carry_more_than_its_fuse(l1, l2, l3, battery_w, wanted_w):
    """With the battery at the answer instead of where it is, in that direction."""
    target_w = shaped(FUSE, wanted_w, **amps(l1, l2, l3), battery_power_w=battery_w).target_w
    assert abs(target_w) <= abs(wanted_w)
    assert target_w * wanted_w >= 0
    then = [one + (battery_w - target_w) / AMPERE_W for one in (l1, l2, l3)]
    if target_w < 0:
        assert max(then) <= 20 + 1e-6
    if target_w > 0:
        assert min(then) >= -20 - 1e-6


# --- ac -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit_w", "readings", "wanted_w", "target_w"),
    [
        (6000, {"pv_power_w": 4000}, 5000, 2000),
        (6000, {"pv_power_w": 1000}, 5000, 5000),
        (6000, {"pv_power_w": 7000}, 5000, 0),
        (6000, {}, 7000, 6000),
        (3000, {"pv_power_w": 2000}, -9000, -5000),
        (3000, {"pv_power_w": 2000}, -4000, -4000),
        (6000, {"pv_power_w": reading(4000, at=-500)}, 5000, 2000),
        (None, {"max_ac_power_w": 5500, "rated_power_w": 5000, "pv_power_w": 500}, 9000, 5000),
        (None, {"rated_power_w": 5000}, 9000, 5000),
        (None, {}, 9000, 9000),
    ],
)
def test_the_inverters_ac_limit_with_pv_on_it(limit_w, readings, wanted_w, target_w):
    found = shaped(AcLimit(limit_w=limit_w), wanted_w, **readings)
    assert found.target_w == target_w
    assert [note.reason for note in found.notes] == ([] if target_w == wanted_w else ["ac_limit"])


# --- export ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit_w", "grid_w", "battery_w", "wanted_w", "target_w"),
    [
        (0, 2000, 0, 3000, 2000),
        (500, 2000, 0, 3000, 2500),
        (0, 0, 2000, 3000, 2000),
        (0, -1000, 0, 3000, 0),
        (0, 4000, 0, 3000, 3000),
        (0, -5000, 0, -3000, -3000),
    ],
)
def test_the_battery_exports_no_more_than_allowed(limit_w, grid_w, battery_w, wanted_w, target_w):
    found = shaped(ExportLimit(limit_w=limit_w), wanted_w, grid_power_w=grid_w, battery_power_w=battery_w)
    assert found.target_w == target_w
    assert [note.reason for note in found.notes] == ([] if target_w == wanted_w else ["export_limit"])


def test_without_a_meter_nothing_is_discharged_and_charging_goes_on():
    found = shaped(ExportLimit(limit_w=0), 3000, grid_power_w=reading(2000, at=-16), battery_power_w=0)
    assert (found.target_w, found.notes[0].reason) == (0, "meter_stale")
    assert shaped(ExportLimit(limit_w=0), -3000).target_w == -3000
