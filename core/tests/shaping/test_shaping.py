"""Shaping: only ever toward zero, hard limits last, and what a missing reading does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samspel.contract.errors import ConfigError
from samspel.contract.telemetry import Quality, Reading
from samspel.shaping.chain import Chain
from samspel.shaping.filter import Shaped, ShapingContext
from samspel.shaping.gate import Action, decide
from samspel.shaping.limits import BatteryLimits, ContractLimits

AT = datetime(2026, 1, 1, tzinfo=UTC)
CONTRACT = ContractLimits(charge_w=4000, discharge_w=5000)
BATTERY = BatteryLimits(soc_min_pct=10, soc_max_pct=90)


def reading(value: float | None, *, at: float = 0.0, quality: Quality = Quality.GOOD) -> Reading:
    return Reading(value, "", AT, at, quality)


def context(*, now: float = 0.0, **readings: Reading | float) -> ShapingContext:
    made = {name: value if isinstance(value, Reading) else reading(value) for name, value in readings.items()}
    return ShapingContext(now=now, written_w=None, readings=made)


@dataclass
class Counting:
    """A soft filter that counts in its state, and tells."""

    name: str = "counting"
    hard: bool = False

    def initial(self) -> int:
        return 0

    def apply(self, state, target_w, context):
        return Shaped(state + 1, min(target_w, 1000.0 * (state + 1)))


# --- chain ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("filters", "allowed"),
    [
        ([CONTRACT, BATTERY], True),
        ([BATTERY], True),
        ([CONTRACT], True),
        ([], True),
        ([BATTERY, CONTRACT], False),
        ([CONTRACT, BATTERY, BATTERY], True),
        ([BATTERY, BATTERY, CONTRACT], False),
        ([CONTRACT, BATTERY, CONTRACT], False),
    ],
)
def test_hard_limits_come_last(filters, allowed):
    if allowed:
        Chain(filters)
        return
    with pytest.raises(ConfigError, match="'contract_limits' stands after a hard limit"):
        Chain(filters)


def test_the_chain_keeps_each_filters_state_until_it_is_reset():
    chain = Chain([Counting(), CONTRACT])
    assert [chain.shape(9000, context()).target_w for _ in range(3)] == [1000, 2000, 3000]
    chain.reset()
    assert chain.shape(9000, context()).target_w == 1000


def test_every_reason_is_told_in_order():
    result = Chain([CONTRACT, BATTERY]).shape(9000, context(soc_pct=50, discharge_limit_w=2000))
    assert (result.wanted_w, result.target_w) == (9000, 2000)
    assert [note.reason for note in result.notes] == ["contract", "live_limit"]


values = st.one_of(st.floats(-1e6, 1e6), st.just(float("nan")), st.just(float("inf")), st.none())
readings = st.dictionaries(
    st.sampled_from(["soc_pct", "charge_limit_w", "discharge_limit_w"]),
    st.builds(
        lambda value, at, quality: reading(value, at=at, quality=quality),
        values,
        st.floats(-1000, 0),
        st.sampled_from(list(Quality)),
    ),
)


@pytest.mark.parametrize("limit_w", [0.0, -1.0])
@pytest.mark.parametrize(("wanted_w", "reasons"), [(0.0, []), (-500.0, ["live_limit"])])
def test_a_battery_that_takes_nothing_clamps_what_moves_it_and_leaves_zero_alone(limit_w, wanted_w, reasons):
    result = Chain([CONTRACT, BATTERY]).shape(wanted_w, context(soc_pct=50, charge_limit_w=limit_w))
    assert str(result.target_w) == "0.0"
    assert [note.reason for note in result.notes] == reasons


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), readings), max_size=20))
def test_the_limits_only_ever_move_a_target_toward_zero(targets):
    chain = Chain([CONTRACT, BATTERY])
    for wanted_w, at_hand in targets:
        result = chain.shape(wanted_w, ShapingContext(now=0.0, written_w=None, readings=at_hand))
        assert abs(result.target_w) <= abs(wanted_w)
        assert result.target_w * wanted_w >= 0
        assert -4000 <= result.target_w <= 5000
        assert bool(result.notes) == (result.target_w != wanted_w), "every change is told, and nothing else"


# --- limits ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("wanted_w", "target_w"), [(9000, 5000), (-9000, -4000), (5000, 5000), (-1, -1), (0, 0)])
def test_contract_limits(wanted_w, target_w):
    assert Chain([CONTRACT]).shape(wanted_w, context()).target_w == target_w


def test_the_floor_closes_and_opens_with_hysteresis():
    chain = Chain([BATTERY])
    walk = [(10.5, 3000), (10.0, 0), (10.9, 0), (11.0, 0), (11.1, 3000), (10.1, 3000), (9.0, 0)]
    for soc, target_w in walk:
        assert chain.shape(3000, context(soc_pct=soc)).target_w == target_w, soc


def test_the_ceiling_closes_and_opens_with_hysteresis():
    chain = Chain([BATTERY])
    for soc, target_w in [(89.5, -3000), (90.0, 0), (89.1, 0), (89.0, 0), (88.9, -3000), (89.9, -3000), (95, 0)]:
        assert chain.shape(-3000, context(soc_pct=soc)).target_w == target_w, soc


@pytest.mark.parametrize(("soc", "wanted_w"), [(5, -3000), (95, 3000)])
def test_a_closed_end_leaves_the_other_direction_open(soc, wanted_w):
    assert Chain([BATTERY]).shape(wanted_w, context(soc_pct=soc)).target_w == wanted_w


def test_a_reset_opens_the_window():
    chain = Chain([BATTERY])
    chain.shape(3000, context(soc_pct=10))
    chain.reset()
    assert chain.shape(3000, context(soc_pct=10.5)).target_w == 3000


@pytest.mark.parametrize("quality", [quality for quality in Quality if quality is not Quality.GOOD])
def test_without_a_good_state_of_charge_nothing_moves(quality):
    result = Chain([BATTERY]).shape(3000, context(soc_pct=reading(50, quality=quality)))
    assert (result.target_w, result.notes[0].reason) == (0, "soc_unknown")
    assert Chain([BATTERY]).shape(3000, context()).target_w == 0


@pytest.mark.parametrize(("age_s", "target_w"), [(120, 3000), (120.1, 0)])
def test_an_old_state_of_charge_counts_as_none(age_s, target_w):
    assert Chain([BATTERY]).shape(3000, context(now=age_s, soc_pct=50)).target_w == target_w


@pytest.mark.parametrize(
    ("wanted_w", "limits", "target_w"),
    [
        (3000, {"discharge_limit_w": 2000}, 2000),
        (-3000, {"charge_limit_w": 2000}, -2000),
        (3000, {"charge_limit_w": 0}, 3000),
        (3000, {"discharge_limit_w": 0}, 0),
        (3000, {"discharge_limit_w": -500}, 0),
        (-3000, {"charge_limit_w": -500}, 0),
        (3000, {"discharge_limit_w": reading(0, at=-301)}, 3000),
        (3000, {"discharge_limit_w": reading(0, quality=Quality.INVALID)}, 3000),
    ],
)
def test_live_ceilings(wanted_w, limits, target_w):
    assert Chain([BATTERY]).shape(wanted_w, context(soc_pct=50, **limits)).target_w == target_w


# --- gate -----------------------------------------------------------------------------------------------------------


def test_a_ceiling_of_a_sleeping_battery_is_none():
    """It would never be woken: some devices state 0 W until current flows."""
    limits = BatteryLimits(soc_min_pct=10, soc_max_pct=90)
    asleep = Reading("sleep", "", datetime(2026, 1, 1, tzinfo=UTC), 0.0, Quality.GOOD)
    shaped = limits.apply(limits.initial(), 1000.0, context(soc_pct=50.0, discharge_limit_w=0.0, battery_state=asleep))
    assert shaped.target_w == 1000.0


def test_that_a_battery_slept_long_ago_lifts_no_ceiling():
    limits = BatteryLimits(soc_min_pct=10, soc_max_pct=90)
    asleep = Reading("sleep", "", datetime(2026, 1, 1, tzinfo=UTC), 0.0, Quality.GOOD)
    now = limits.ceiling_stale_s + 1
    fresh = {
        name: replace(reading(value), monotonic_s=now) for name, value in (("soc_pct", 50), ("discharge_limit_w", 500))
    }
    shaped = limits.apply(limits.initial(), 1000.0, context(now=now, battery_state=asleep, **fresh))
    assert shaped.target_w == 500.0


@pytest.mark.parametrize(
    ("target_w", "written_w", "force", "feed_due", "action"),
    [
        (1000, None, False, False, Action.WRITE),
        (1000, 1000, True, False, Action.WRITE),
        (1000, 1000, False, False, Action.SUPPRESS),
        (1000, 1000, False, True, Action.FEED),
        (1004, 1000, False, True, Action.FEED),
        (1005, 1000, False, False, Action.WRITE),
        (0, 1, False, False, Action.WRITE),
        (1, 0, False, False, Action.SUPPRESS),
        (-1, 1, False, False, Action.WRITE),
        (0, 0, False, False, Action.SUPPRESS),
    ],
)
def test_gate(target_w, written_w, force, feed_due, action):
    found = decide(target_w, written_w=written_w, force=force, granularity_w=5, feed_due=feed_due)
    assert found is action


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.floats(0.1, 1000), st.booleans())
def test_zero_a_change_of_sign_and_a_real_change_are_always_written(target_w, written_w, granularity_w, feed_due):
    action = decide(target_w, written_w=written_w, force=False, granularity_w=granularity_w, feed_due=feed_due)
    must = written_w not in (target_w, 0) and (target_w == 0 or (target_w > 0) != (written_w > 0))
    assert action is Action.WRITE or not (must or abs(target_w - written_w) >= granularity_w)


# --- spacing ---


@pytest.mark.parametrize(
    ("target_w", "written_w", "force", "limited", "action"),
    [
        (2000, 1000, False, False, Action.SUPPRESS),
        (500, 1000, False, False, Action.SUPPRESS),
        (500, 1000, False, True, Action.WRITE),
        (2000, 1000, False, True, Action.SUPPRESS),
        (0, 1000, False, False, Action.WRITE),
        (-1, 1000, False, False, Action.WRITE),
        (1000, 0, False, False, Action.SUPPRESS),
        (2000, 1000, True, False, Action.WRITE),
        (2000, None, False, False, Action.WRITE),
    ],
)
def test_only_a_changed_magnitude_waits_for_the_spacing(target_w, written_w, force, limited, action):
    how = {"written_w": written_w, "force": force, "granularity_w": 5, "limited": limited}
    assert decide(target_w, **how, feed_due=False, spacing_left_s=0.1) is action
    fed = Action.FEED if action is Action.SUPPRESS else action
    assert decide(target_w, **how, feed_due=True, spacing_left_s=0.1) is fed
    assert decide(target_w, **how, feed_due=True, spacing_left_s=0.0) is Action.WRITE


targets = st.lists(st.tuples(st.sampled_from([-3000, -1000, 0, 1000, 1003, 2500]), st.integers(1, 30)), max_size=12)


@given(targets, st.integers(0, 20), st.integers(1, 60))
def test_nothing_is_starved_and_nothing_urgent_waits(changes, spacing_s, feed_s):
    """A tick a second, as the edge has it; the newest target is asked for at each."""
    written_w, wrote_at, fed_at = None, float("-inf"), float("-inf")
    asked_w = [target_w for target_w, ticks in changes for _ in range(ticks)]
    steady = 0
    for now, target_w in enumerate(asked_w):
        steady = steady + 1 if now and asked_w[now - 1] == target_w else 0
        action = decide(
            target_w,
            written_w=written_w,
            force=False,
            granularity_w=5,
            feed_due=now - fed_at >= feed_s,
            spacing_left_s=wrote_at + spacing_s - now,
        )
        urgent = written_w is None or (target_w != written_w and (target_w == 0 or target_w * written_w < 0))
        assert action is Action.WRITE or not urgent
        if action is Action.WRITE:
            assert urgent or now - wrote_at >= spacing_s
            written_w, wrote_at, fed_at = target_w, now, now
        if action is Action.FEED:
            fed_at = now
        assert now - fed_at < feed_s, "a change that waits does not starve the device's timer"
        if steady >= spacing_s:
            assert abs(written_w - target_w) < 5, "it arrives at the first tick after it is due"
