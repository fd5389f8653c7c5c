"""What caps a battery's power in every brand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samspel_sim.limits import EndStops, derating, under_cap

powers_w = st.floats(0, 20_000)


def test_an_end_stop_is_left_only_beyond_its_hysteresis():
    stops, seen = EndStops(hysteresis_pct=2.0), []
    for soc_pct in (50, 90, 88.5, 88, 11, 10, 11.5, 12):
        stops.look(soc_pct, full_pct=90, empty_pct=10)
        seen.append((stops.full, stops.empty))
    no, full, empty = (False, False), (True, False), (False, True)
    assert seen == [no, full, full, no, no, empty, empty, no]


@pytest.mark.parametrize(
    ("temperature_c", "left"),
    [(-5, (1, 0)), (0, (1, 0)), (5, (1, 0.5)), (10, (1, 1)), (45, (1, 1)), (50, (0.5, 1)), (55, (0, 1)), (70, (0, 1))],
)
def test_heat_and_cold_take_more_and_more(temperature_c, left):
    assert derating(temperature_c, (45, 55), (0, 10)) == left


def test_the_battery_yields_down_to_its_floor_and_the_panels_the_rest():
    assert under_cap(3000, 2000, 6000, -1000) == under_cap(3000, 2000, 5000, -1000)
    for cap_w, battery_w, pv_w in [(4000, 2000, 2000), (1000, -1000, 2000), (500, -1000, 1500), (-2000, -1000, 0)]:
        target = under_cap(3000, 2000, cap_w, -1000)
        assert (target.battery_w, target.pv_w) == (battery_w, pv_w), cap_w


@given(battery_w=st.floats(-20_000, 20_000), pv_w=powers_w, cap_w=powers_w, room_w=powers_w)
def test_the_cap_holds_unless_the_floor_is_above_it(battery_w, pv_w, cap_w, room_w):
    floor_w = battery_w - room_w
    target = under_cap(battery_w, pv_w, cap_w, floor_w)
    assert floor_w - 1e-6 <= target.battery_w <= battery_w
    assert 0 <= target.pv_w <= pv_w
    assert target.battery_w + target.pv_w <= max(cap_w, floor_w) + 1e-6
