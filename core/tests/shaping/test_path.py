"""Properties of the whole path below admission: control, every filter, gate and a device, over arbitrary sequences of
commands, clocks and link faults in simulated time.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .rig import DWELL_S, GATE, HOLD_S, NOW_S, SPACING_S, TICK_S, run

POWERS = st.one_of(st.sampled_from([0, 1000, 1040, 1100, -2000]), st.integers(-6000, 6000)).map(float)
ACTS = st.one_of(
    *[st.tuples(st.just("power"), st.tuples(POWERS, st.sampled_from([3.0, 30.0, 120.0])))] * 4,
    st.tuples(st.sampled_from(["stop", "release", "cut", "mend", "mend"]), st.none()),
    st.tuples(st.just("clock"), st.sampled_from([-86400.0, 3600.0, 86400.0])),
    st.tuples(st.just("house"), st.floats(-30, 30)),
)
STEPS = st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.7, 3.0, 12.0]), ACTS), max_size=14)
relaxed = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@relaxed
@given(STEPS, st.sampled_from([3, 10_000]))
def test_a_stop_is_the_first_write_on_a_usable_link(steps, budget):
    """Whatever the filters, the gate, the spent budget and the clock say: at once, and before anything else."""
    rig = run(steps, budget)
    for asked_at in rig.stops:
        down_at = max((at for at in rig.cuts if at <= asked_at), default=-1.0)
        up_at = next((at for at in rig.ups if at > asked_at), None)
        is_down = down_at >= max((at for at in rig.ups if at <= asked_at), default=0.0)
        if is_down and up_at is None:
            continue
        from_s = up_at if is_down else asked_at
        first = next(iter(rig.driver.log[rig.logged[from_s] :]), None)
        overtaken = any(asked_at <= at <= from_s + NOW_S for at in (*rig.ended, *rig.cuts))
        if not overtaken:
            assert first is not None
            assert first.what == "stop"
            assert first.at <= from_s + NOW_S


@relaxed
@given(STEPS)
def test_after_a_stop_nothing_moves_the_battery_until_it_is_ended(steps):
    rig = run(steps)
    for asked_at in rig.stops:
        until = next((at for at in rig.ended if at >= asked_at), float("inf"))
        moves = [one for one in rig.driver.log if asked_at < one.at < until and one.what == "write"]
        assert moves == []


@relaxed
@given(STEPS)
def test_nothing_past_its_deadline_is_written(steps):
    rig = run(steps)
    for one in rig.driver.log:
        assert one.at <= one.not_after
        if one.what == "write" or (one.what == "feed" and one.power_w):
            ends_at = {end for at in rig.deadlines for end in (at, at + HOLD_S)}
            assert one.not_after in ends_at, "each carries its command's own; a feed of zero may be a stop's"


@relaxed
@given(STEPS)
def test_no_new_power_after_every_deadline(steps):
    """What is held after it is what stood; only hard limits make it less."""
    rig = run(steps)
    begun, stands_w = sorted(rig.asked), 0.0
    for one in rig.driver.log:
        if one.what == "write" and abs(one.power_w) > abs(stands_w):
            assert any(at <= one.at <= deadline for at, deadline in begun)
        if one.what != "feed":
            stands_w = one.power_w


@relaxed
@given(STEPS)
def test_what_is_written_is_what_was_shaped(steps):
    """Never a power that the filters had not just said, or that is more than the contract allows."""
    rig = run(steps)
    said = [(at, target_w) for at, target_w, _ in rig.shaped]
    for one in rig.driver.log:
        if one.what == "write":
            assert abs(one.power_w) <= 4000
            assert any(target_w == one.power_w and 0 <= one.at - at <= NOW_S for at, target_w in said)


@relaxed
@given(STEPS)
def test_the_wire_keeps_to_the_shaped_target(steps):
    """While the link is up: after the gate's time without a write there is no difference, after the spacing no large
    one. A target that keeps moving is written again and again.
    """
    rig = run(steps)
    since: dict[str, float | None] = {"small": None, "large": None}
    before_w: float | None = None
    for at, target_w, written_w in rig.shaped:
        if written_w != before_w:
            since, before_w = dict.fromkeys(since), written_w
        troubled = any(at - 3 * TICK_S <= one <= at for one in (*rig.cuts, *rig.ups, *rig.stops, *rig.ended))
        off_w = 0.0 if written_w is None or troubled else abs(target_w - written_w)
        for kind, least_w, most_s in (("small", 1.0, GATE.time_s), ("large", GATE.delta_w, SPACING_S)):
            since[kind] = None if off_w < least_w else at if since[kind] is None else since[kind]
            assert since[kind] is None or at - since[kind] <= most_s + 2 * TICK_S


@relaxed
@given(STEPS)
def test_no_reversal_without_its_rest(steps):
    """From the write of zero to the first write of the other direction; a release in between gives the battery back."""
    rig = run(steps)
    moved_w, still_at = 0.0, None
    for one in rig.driver.log:
        if one.what == "release":
            moved_w, still_at = 0.0, None
        elif one.what == "stop" or (one.what == "write" and not one.power_w):
            still_at = one.at if still_at is None else still_at
        elif one.what == "write":
            if one.power_w * moved_w < 0:
                assert still_at is not None
                assert one.at - still_at >= DWELL_S
            moved_w, still_at = one.power_w, None


@pytest.mark.parametrize("budget", [2, 10_000])
def test_a_spent_budget_is_zero_then_no_take_and_stops_go_on(budget):
    """Acting and not acting, over the whole path."""
    steps = [(1.0, ("power", (1000.0, 30.0))), (8.0, ("power", (2000.0, 30.0))), (8.0, ("power", (3000.0, 5.0)))]
    steps += [(20.0, ("power", (1000.0, 30.0))), (5.0, ("stop", None))]
    rig = run(steps, budget)
    done = [(one.what, one.power_w) for one in rig.driver.log if one.what != "feed"]
    spent = rig.headroom
    faults = [fault.code.value for fault in rig.device.faults.standing]
    if budget == 2:
        assert ("write", 0.0) in done
        assert ("write", 3000.0) not in done
        after = done[done.index(("write", 0.0)) + 1 :]
        assert after == [("release", 0.0), ("stop", 0.0)], "no take, so nothing else is written"
        assert (spent.charge_w, spent.discharge_w, spent.writes_left) == (0.0, 0.0, 0)
        assert "write_budget" in spent.why
        assert faults == ["control.write_budget"]
    else:
        assert ("write", 3000.0) in done
        assert spent.writes_left == budget - rig.driver.persistent_writes
        assert faults == []
