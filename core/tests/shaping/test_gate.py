"""The gate by power and time: what is small and soon waits; what is large, late, urgent or demanded does not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samspel.contract.capability import Deadman, Route
from samspel.contract.errors import ConfigError
from samspel.shaping.chain import Chain
from samspel.shaping.gate import OPEN, Action, Gate, decide
from samspel.shaping.limits import BatteryLimits, ContractLimits
from samspel.shaping.wire import ASK_AGAIN_S, Change, Wire

from ..routes import route  # noqa: TID252 - the tests of every station share it
from .kit import context

BATTERY = BatteryLimits(soc_min_pct=10, soc_max_pct=90)
ROUTE = route(deadman=Deadman.TIMEOUT, feed_s=8.0)


@pytest.mark.parametrize(
    ("target_w", "quiet_left_s", "limited", "action"),
    [
        (1040, 10, False, Action.SUPPRESS),
        (1040, 0, False, Action.WRITE),
        (960, 10, False, Action.SUPPRESS),
        (1050, 10, False, Action.WRITE),
        (950, 10, False, Action.WRITE),
        (960, 10, True, Action.WRITE),
        (999.5, 10, True, Action.WRITE),
        (1040, 10, True, Action.SUPPRESS),
        (1000.5, 0, False, Action.SUPPRESS),
        (0, 10, False, Action.WRITE),
        (-1, 10, False, Action.WRITE),
    ],
)
def test_small_and_recent_together(target_w, quiet_left_s, limited, action):
    how = {"written_w": 1000, "force": False, "granularity_w": 1, "delta_w": 50, "quiet_left_s": quiet_left_s}
    assert decide(target_w, **how, limited=limited, feed_due=False) is action
    fed = Action.FEED if action is Action.SUPPRESS else action
    assert decide(target_w, **how, limited=limited, feed_due=True) is fed
    assert decide(target_w, **(how | {"force": True}), feed_due=False) is Action.WRITE
    assert decide(target_w, **(how | {"written_w": None}), feed_due=False) is Action.WRITE


class Ticks:
    """A wire, an edge that ticks, and a log of what came of it."""

    def __init__(self, gate: Gate, route: Route = ROUTE, ceiling_w: float = float("inf")) -> None:
        self.gate, self.route, self.wire, self.ceiling_w = gate, route, Wire(), ceiling_w
        self.written_w: float | None = None
        self.fed_at = float("-inf")
        self.writes: list[tuple[float, float]] = []

    def tick(self, now: float, target_w: float, *, force: bool = False, limited: bool = False) -> Action:
        change = Change(
            command_id="c",
            target_w=target_w,
            written_w=self.written_w,
            force=force,
            limited=limited,
            fed_at=self.fed_at,
        )
        action = self.wire.decide(change, self.gate, self.route, now)
        if action is Action.WRITE:
            self.written_w = min(target_w, self.ceiling_w)
            self.wire.wrote(now, target_w, self.written_w)
            self.writes.append((now, target_w))
        if action is not Action.SUPPRESS:
            self.fed_at = now
        return action


def test_a_slow_legitimate_ramp_arrives():
    """One watt a second: never more than 50 W behind, and at most as many writes as that takes."""
    ticks = Ticks(Gate(delta_w=50, time_s=600))
    for now in range(1001):
        ticks.tick(now, 1000 + now)
        assert abs(ticks.written_w - (1000 + now)) < 50
    assert len(ticks.writes) == 21


def test_a_last_small_step_comes_when_the_time_has_passed():
    ticks = Ticks(Gate(delta_w=50, time_s=60))
    ticks.tick(0, 1000)
    for now in range(1, 60):
        assert ticks.tick(now, 1010) is not Action.WRITE
    assert ticks.tick(60, 1010) is Action.WRITE


def test_what_the_device_makes_less_of_is_not_asked_again_at_every_tick():
    """Its own ceiling is asked again once a minute; a power below it is written at once."""
    ticks = Ticks(Gate(delta_w=50, time_s=0), ceiling_w=2000)
    for now in range(130):
        ticks.tick(now, 3000 + now % 2 * 0.5)
    assert [at for at, _ in ticks.writes] == [0, ASK_AGAIN_S, 2 * ASK_AGAIN_S]
    assert ticks.tick(130, 1900) is Action.WRITE
    assert ticks.tick(131, 1960) is Action.WRITE, "what stands is what was asked for again"


def test_noise_is_fed_and_not_written():
    ticks = Ticks(Gate(delta_w=50, time_s=60))
    actions = [ticks.tick(now, 1000 + 20 * (-1) ** now) for now in range(60)]
    assert actions.count(Action.WRITE) == 1
    assert actions.count(Action.FEED) == 7, "the device's own timer is fed all the same"


def test_a_small_change_that_waits_is_no_command_that_waits():
    """The battery follows by what is in force: it is judged by that, and nothing is announced late."""
    ticks = Ticks(Gate(delta_w=50, time_s=60))
    ticks.tick(0, 1000)
    ticks.tick(1, 1040)
    assert ticks.wire.waiting is None
    spaced = Ticks(Gate(delta_w=50, time_s=60), replace(ROUTE, spacing_s=30))
    spaced.tick(0, 1000)
    spaced.tick(1, 2000)
    assert spaced.wire.waiting == "c"


targets = st.one_of(st.sampled_from([0.0, 1000.0, -1000.0]), st.floats(-3000, 3000))
ticks_of = st.lists(st.tuples(targets, st.integers(1, 12), st.booleans(), st.booleans()), max_size=25)


@given(ticks_of, st.floats(0, 300), st.integers(0, 60), st.integers(0, 20))
def test_the_wire_never_differs_by_more_than_the_delta_for_longer_than_the_time(walk, delta_w, time_s, spacing_s):
    """Time: the gate's for a small difference, the route's spacing for a large one; a tick a second."""
    ticks = Ticks(Gate(delta_w=delta_w, time_s=time_s), replace(ROUTE, spacing_s=spacing_s))
    now, wrote_at = 0, 0
    for target_w, seconds, force, _ in walk:
        for number in range(seconds):
            before_w = ticks.written_w
            action = ticks.tick(now, target_w, force=force and number == 0)
            wrote_at = now if action is Action.WRITE else wrote_at
            off_w, since_s = abs(ticks.written_w - target_w), now - wrote_at
            assert off_w < max(delta_w, ROUTE.granularity_w) or since_s < spacing_s
            assert off_w < ROUTE.granularity_w or since_s < max(time_s, spacing_s)
            assert not (target_w == 0 and ticks.written_w != 0), "zero never waits"
            assert ticks.written_w * target_w >= 0, "nor does a change of sign"
            assert action is Action.WRITE or not (force and number == 0)
            assert action is Action.WRITE or before_w is not None
            assert now - ticks.fed_at < ROUTE.feed_s
            now += 1


@given(st.floats(1, 5000), st.floats(1, 5000), st.floats(0, 500), st.floats(0, 100), st.floats(0, 100))
def test_less_because_of_a_limit_never_waits(written_w, limit_w, delta_w, spacing_left_s, quiet_left_s):
    """The chain says that the power in force is beyond the limit, whatever is wanted now."""
    chain = Chain([ContractLimits(charge_w=9000, discharge_w=9000), Gate(delta_w=delta_w), BATTERY])
    for wanted_w in (9000.0, limit_w / 2):
        shaped = chain.shape(wanted_w, context(soc_pct=50, discharge_limit_w=limit_w, written_w=written_w))
        action = decide(
            shaped.target_w,
            written_w=written_w,
            force=False,
            granularity_w=0.01,
            feed_due=False,
            spacing_left_s=spacing_left_s,
            quiet_left_s=quiet_left_s,
            delta_w=delta_w,
            limited=shaped.limited,
        )
        assert action is Action.WRITE or written_w <= limit_w + 0.01
        assert shaped.limited == (limit_w < written_w and shaped.target_w != written_w)


# --- in the list ----------------------------------------------------------------------------------------------------


def test_the_list_names_the_gate_and_may_leave_it_out():
    gate = Gate(delta_w=5, time_s=1)
    assert Chain([gate, BATTERY]).gate is gate
    assert Chain([BATTERY]).gate is OPEN
    with pytest.raises(ConfigError, match="'gate' stands after a hard limit"):
        Chain([BATTERY, gate])
