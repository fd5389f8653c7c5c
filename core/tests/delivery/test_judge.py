"""The judge: what is said, when, and what is not."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samspel.contract.capability import Authority
from samspel.contract.outcome import Deviation
from samspel.contract.telemetry import Quality, Reading
from samspel.delivery.judge import Judged, Sight, idle, judge
from samspel.delivery.latency import Patience

AT = datetime(2026, 1, 1, tzinfo=UTC)
PATIENCE_S, CYCLE_S = 20.0, 2.0


def good(value: float | str, at: float, quality: Quality = Quality.GOOD) -> Reading:
    return Reading(value, "", AT, at, quality)


class Watch:
    """A judge that is shown a reading every cycle."""

    def __init__(self, **always):
        self.state, self.now, self.said, self.always = Judged(), 0.0, [], always
        self.target_w, self.aimed_at = 0.0, 0.0

    def aim(self, target_w):
        self.target_w, self.aimed_at = target_w, self.now

    def see(self, battery_w, *, quality=Quality.GOOD, after_s=CYCLE_S, **others):
        self.now += after_s
        readings = {name: good(value, self.now) for name, value in others.items()}
        readings["battery_power_w"] = good(battery_w, self.now, quality)
        sight = Sight(
            now=self.now,
            target_w=self.target_w,
            aimed_at=self.aimed_at,
            patience=Patience(PATIENCE_S),
            readings=readings,
            **self.always,
        )
        self.state, found = judge(self.state, sight)
        self.said += [(self.now, one.deviation.value, one.reason) for one in found]

    def see_for(self, seconds, battery_w, **others):
        for _ in range(round(seconds / CYCLE_S)):
            self.see(battery_w(self.now) if callable(battery_w) else battery_w, **others)

    @property
    def words(self):
        return [f"{deviation}: {reason}" for _, deviation, reason in self.said]


@pytest.fixture
def told():
    """A battery at rest that is told to discharge 2000 W."""
    watch = Watch()
    watch.see_for(10, 0.0)
    watch.aim(2000.0)
    return watch


def test_nothing_is_said_of_a_battery_that_follows_and_holds(told):
    told.see_for(20, lambda now: 2000.0 * (1 - math.exp(-(now - 10) / 8)))
    told.see_for(600, 1980.0)
    assert told.said == []


def test_a_ramp_that_takes_the_whole_latency_is_no_alarm(told):
    told.see_for(22, lambda now: min(2000.0, 100.0 * (now - 10)))
    told.see_for(60, 2000.0)
    assert told.said == []


def test_no_answer_is_unresponsive_once_the_latency_has_passed(told):
    told.see_for(120, 0.0)
    assert told.said == [(10 + PATIENCE_S + CYCLE_S - CYCLE_S, "unresponsive", "unchanged")]


@pytest.mark.parametrize("followed_s", [0, 40])
@given(phase_s=st.floats(0.0, CYCLE_S), jitters_s=st.lists(st.floats(-0.2, 0.2), min_size=20, max_size=20))
def test_it_is_called_by_its_name_within_latency_and_a_cycle_however_the_readings_fall(followed_s, phase_s, jitters_s):
    """Told and not followed, or followed and left; each reading comes a little earlier or later than its cycle."""
    watch = Watch()
    watch.see_for(10, 0.0)
    watch.aimed_at, watch.target_w = watch.now + (phase_s if not followed_s else 0.0), 2000.0
    watch.see_for(followed_s, 2000.0)
    before, began = watch.now, watch.now + phase_s
    for number, jitter_s in enumerate(jitters_s, start=1):
        watch.see(0.0, after_s=before + number * CYCLE_S + jitter_s - watch.now)
    (said_at, *_), *more = watch.said
    assert more == []
    since = before if followed_s else began
    # Half a cycle, and the jitter of the next reading, of the one just too early (1.5 times) and half of that before.
    latest = began + PATIENCE_S + CYCLE_S / 2 + (1 + 1.5 + 0.5) * 0.2
    assert since + 0.95 * PATIENCE_S <= said_at <= latest + 1e-9 < began + PATIENCE_S + CYCLE_S


def test_until_the_first_command_takes_hold_its_own_logic_may_do_anything():
    watch = Watch()
    watch.see(1200.0)
    watch.state = idle({"battery_power_w": good(1200.0, watch.now)})
    watch.aim(2000.0)
    watch.see_for(PATIENCE_S - CYCLE_S, 3800.0)
    watch.see_for(60, 2000.0)
    assert watch.said == []


def test_an_episode_is_said_once_ends_silently_and_may_come_again(told):
    told.see_for(60, 0.0)
    told.see_for(60, 2000.0)
    told.see_for(60, 0.0)
    assert told.words == ["unresponsive: unchanged", "unresponsive: no_power"]


@pytest.mark.parametrize(
    ("battery_w", "words"), [(-2000.0, "reversed: sign"), (1000.0, "clamped: unknown"), (-700.0, "unresponsive: other")]
)
def test_what_it_does_instead_has_a_name(told, battery_w, words):
    told.see_for(60, battery_w)
    assert told.words == [words]


def test_a_small_target_the_other_way_is_reversed_too_unless_the_battery_was_there():
    for target_w, battery_w, from_w, words in (
        (110.0, -110.0, 0.0, ["reversed: sign"]),
        (-150.0, 150.0, 0.0, ["reversed: sign"]),
        (200.0, -200.0, 0.0, ["reversed: sign"]),
        (150.0, -150.0, -150.0, ["unresponsive: unchanged"]),
        (150.0, 0.0, 0.0, ["unresponsive: unchanged"]),
        (50.0, -50.0, 0.0, []),
    ):
        watch = Watch()
        watch.see_for(10, from_w)
        watch.aim(target_w)
        watch.see_for(60, battery_w)
        assert watch.words == words, target_w


@pytest.mark.parametrize(
    ("others", "reason"),
    [
        ({"soc_pct": 10.4, "soc_floor_pct": 10.0}, "soc"),
        ({"battery_temperature_c": 51.0}, "temperature"),
        ({"discharge_limit_w": 1000.0}, "live_limit"),
        ({"max_ac_power_w": 6000.0, "pv_power_w": 5000.0}, "ac_limit"),
    ],
)
def test_a_limit_that_the_device_states_is_named(told, others, reason):
    told.see_for(60, 1000.0, **others)
    assert told.words == [f"clamped: {reason}"]


def test_its_own_logic_after_it_followed_is_an_override(told):
    told.see_for(60, 2000.0, grid_power_w=-1500.0)
    told.see_for(60, 480.0 - 1000.0, grid_power_w=20.0)
    assert told.words == ["overridden: own_logic"]


def test_a_dip_shorter_than_the_latency_is_no_alarm(told):
    told.see_for(60, 2000.0)
    told.see_for(PATIENCE_S - CYCLE_S, 500.0)
    told.see_for(60, 2000.0)
    assert told.said == []


def test_one_single_reading_proves_nothing_even_where_the_cycle_is_longer_than_the_latency(told):
    told.see_for(60, 2000.0)
    told.now += 100.0
    told.see(0.0)
    assert told.said == []
    told.see(0.0)
    assert told.words == ["unresponsive: no_power"]


def test_a_battery_that_says_it_sleeps_is_believed_at_the_second_reading(told):
    told.see_for(60, 2000.0)
    told.see(0.0, battery_state="sleep")
    told.see(0.0, battery_state="sleep")
    assert told.words == ["unresponsive: sleep"]


def test_a_target_that_always_moves_is_followed_with_the_latency_and_missed_without():
    for follows in (True, False):
        watch = Watch()
        watch.see_for(10, 0.0)
        for step in range(120):
            watch.aim(3000.0 * math.sin(step / 30))
            watch.see(3000.0 * math.sin(max(step - 4, 0) / 30) if follows else 0.0)
        assert set(watch.words) <= (set() if follows else {"unresponsive: unchanged", "unresponsive: no_power"}), (
            follows
        )
        assert bool(watch.words) is not follows


def test_following_the_house_below_the_target_is_as_told_and_leaving_it_to_the_grid_is_not():
    for authority, battery_w, grid_w, words in (
        (Authority.LOAD_FOLLOWING, 700.0, 30.0, []),
        (Authority.LOAD_FOLLOWING, 700.0, 2500.0, ["clamped: unknown"]),
        (Authority.UPPER_BOUND, 700.0, 2500.0, []),
        (Authority.UPPER_BOUND, -700.0, 2500.0, ["unresponsive: other"]),
    ):
        watch = Watch(authority=authority)
        watch.see_for(10, 0.0, grid_power_w=700.0)
        watch.aim(2000.0)
        watch.see_for(60, battery_w, grid_power_w=grid_w)
        assert watch.words == words, (authority, battery_w)


def test_a_device_that_rests_before_it_reverses_says_dwell_and_is_late_only_after_it():
    watch = Watch(reversal_dwell_s=60.0)
    watch.aim(-2000.0)
    watch.see_for(40, -2000.0)
    watch.aim(2000.0)
    watch.see_for(120, 0.0)
    assert [(at - watch.aimed_at, deviation) for at, deviation, _ in watch.said] == [
        (20.0, "dwell"),
        (80.0, "unresponsive"),
    ]


@pytest.mark.parametrize("watts_a_second", [30.0, 100.0, 1000.0])
def test_a_battery_that_has_rested_before_it_reverses_has_its_latency_after_the_rest(watts_a_second):
    watch = Watch(reversal_dwell_s=60.0)
    watch.aim(-600.0)
    watch.see_for(40, -600.0)
    watch.aim(600.0)
    watch.see_for(56, 0.0)
    began = watch.now
    watch.see_for(60, lambda now: min(600.0, watts_a_second * (now - began)))
    assert watch.words == ["dwell: reversal"]


def test_a_battery_that_reverses_and_then_stays_short_is_said_to_be_clamped():
    watch = Watch(reversal_dwell_s=60.0)
    watch.aim(-2000.0)
    watch.see_for(40, -2000.0)
    watch.aim(2000.0)
    watch.see_for(40, 0.0)
    watch.see_for(60, 1000.0)
    assert [(at - watch.aimed_at, deviation) for at, deviation, _ in watch.said] == [(20.0, "dwell"), (62.0, "clamped")]


def test_a_slow_battery_that_only_passes_zero_has_not_rested():
    watch = Watch(reversal_dwell_s=60.0)
    watch.aim(-2000.0)
    watch.see_for(40, -2000.0)
    watch.aim(3000.0)
    watch.see_for(40, lambda now: 3000.0 - 5000.0 * math.exp(-(now - 40) / 30.0))
    assert [(at - watch.aimed_at, reason) for at, _, reason in watch.said] == [(20.0, "slow")]


def test_a_sleeping_battery_has_its_time_to_wake():
    for wake_s, said in ((0.0, 1), (100.0, 0)):
        watch = Watch(wake_s=wake_s)
        watch.see_for(10, 0.0, battery_state="sleep")
        watch.aim(2000.0)
        watch.see_for(80, 0.0)
        assert len(watch.said) == said


def test_without_a_good_reading_nobody_can_say_that_it_came(told):
    told.see_for(60, 0.0, quality=Quality.FROZEN)
    assert told.words == ["unresponsive: unmeasured"]


def test_a_reading_that_fails_after_it_came_is_no_deviation(told):
    told.see_for(60, 2000.0)
    told.see_for(300, 2000.0, quality=Quality.INVALID)
    assert told.said == []


def test_panels_that_fall_with_the_command_are_a_side_effect_and_later_a_cloud():
    for delay_s, words in ((0.0, ["side_effect: pv"]), (60.0, [])):
        watch = Watch()
        watch.see_for(10, 0.0, pv_power_w=4000.0, ac_power_w=4000.0)
        watch.aim(-1000.0)
        watch.see_for(delay_s, -1000.0, pv_power_w=4000.0, ac_power_w=3000.0)
        watch.see_for(90, -1000.0, pv_power_w=900.0, ac_power_w=-100.0)
        assert watch.words == words, delay_s


def test_an_ac_terminal_that_carries_something_else_is_a_side_effect(told):
    told.see_for(60, 2000.0, pv_power_w=3000.0, ac_power_w=1500.0)
    assert told.words == ["side_effect: ac"]


def test_while_somebody_moves_the_battery_away_nothing_is_a_side_effect(told):
    """The battery's reading is of another moment than the others'."""
    told.see_for(PATIENCE_S - 2 * CYCLE_S, 2000.0, pv_power_w=0.0, ac_power_w=2000.0)
    told.see_for(3 * CYCLE_S, -1000.0, pv_power_w=0.0, ac_power_w=2000.0)
    told.see_for(20, -1000.0, pv_power_w=0.0, ac_power_w=-1000.0)
    assert not any("side_effect" in word for word in told.words)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(-5000, 5000), st.integers(1, 60)), min_size=1, max_size=12), st.floats(0.5, 6.0))
def test_a_battery_that_keeps_its_latency_is_never_accused(steps, tau_s):
    """Whatever is commanded and however often: 90 % within a third of the latency, and not one word."""
    watch, power_w = Watch(), 0.0
    watch.see_for(4, 0.0)
    for target_w, readings in steps:
        watch.aim(target_w)
        for _ in range(readings):
            power_w += (target_w - power_w) * (1 - math.exp(-CYCLE_S / tau_s))
            watch.see(power_w)
    assert watch.said == []


@settings(max_examples=60, deadline=None)
@given(st.floats(-5000, 5000), st.floats(-5000, 5000), st.integers(0, 100))
def test_a_battery_that_stays_where_it_should_not_be_is_always_named(target_w, battery_w, noise_w):
    watch = Watch()
    watch.see_for(4, battery_w)
    watch.aim(target_w)
    watch.see_for(2 * PATIENCE_S + 2 * CYCLE_S, lambda now: battery_w + noise_w * math.sin(now))
    far = abs(target_w - battery_w) > 2 * max(100.0, 0.05 * abs(target_w)) + noise_w
    assert bool(watch.said) or not far
    assert len({deviation for _, deviation, _ in watch.said}) == len(watch.said), "one word an episode"
    assert Deviation.DWELL.value not in {deviation for _, deviation, _ in watch.said}
