"""Wear: what is counted, what a spent budget does and does not do, and when a new day begins."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samspel.shaping.chain import Chain
from samspel.shaping.limits import BatteryLimits
from samspel.shaping.wear import WearBudget, WearMeter

from .kit import context

BUDGET = WearBudget(writes_per_day=100)


class Clock:
    def __init__(self) -> None:
        self.now, self.wall_at, self.synced = 0.0, datetime(2026, 3, 1, 12, tzinfo=UTC), True

    def monotonic(self):
        return self.now

    def wall(self):
        return self.wall_at

    def synchronised(self):
        return self.synced

    def boot_id(self):
        return "boot"

    def wait(self, hours):
        self.now += 3600 * hours
        self.wall_at += timedelta(hours=hours)


def meter(clock, found=None, budget=BUDGET):
    kept = []
    made = WearMeter(budget, found, clock, kept.append)
    made.kept = kept
    return made


@pytest.mark.parametrize(
    ("worn", "wanted_w", "target_w"), [(0, 3000, 3000), (99, 3000, 3000), (100, 3000, 0), (150, -3000, 0), (100, 0, 0)]
)
def test_a_spent_budget_is_zero(worn, wanted_w, target_w):
    shaped = Chain([BUDGET, BatteryLimits(soc_min_pct=10, soc_max_pct=90)]).shape(
        wanted_w, context(worn=worn, soc_pct=50)
    )
    assert shaped.target_w == target_w
    assert [note.reason for note in shaped.notes] == (["write_budget"] if target_w != wanted_w else [])


def test_writes_are_counted_and_kept():
    found = meter(clock := Clock())
    assert [found.note(sent) for sent in (0, 3, 3, 10)] == [0, 3, 3, 10]
    assert found.kept == [{"day": "2026-03-01", "writes": 3}, {"day": "2026-03-01", "writes": 10}]
    assert (found.left, found.spent) == (90, "")
    found.note(100)
    assert found.left == 0
    assert "100 a day" in found.spent
    assert found.note(101) == 101, "stop and release are counted on"
    clock.wait(12)
    assert (found.note(101), found.left, found.spent) == (0, 100, "")


def test_a_restart_does_not_reset_it():
    clock = Clock()
    first = meter(clock)
    first.note(100)
    second = meter(clock, first.kept[-1])
    assert second.spent
    assert second.note(1) == 101, "its driver begins to count at nothing"


def test_another_driver_object_begins_at_nothing():
    found = meter(Clock())
    found.note(7)
    assert found.note(2) == 9


def test_a_restart_on_a_later_day_begins_a_new_one():
    assert meter(Clock(), {"day": "2026-02-27", "writes": 100}).note(0) == 0


def test_a_clock_that_nobody_vouches_for_begins_no_day_until_one_has_passed():
    clock = Clock()
    clock.synced = False
    found = meter(clock)
    found.note(100)
    clock.wall_at += timedelta(days=40)
    clock.now += 10
    assert found.note(100) == 100, "a clock that steps buys nothing"
    clock.now += 86400
    assert found.note(100) == 0


@pytest.mark.parametrize(
    "nonsense", [None, {}, {"day": "tomorrow", "writes": 4}, {"day": "2026-03-01", "writes": "many"}]
)
def test_nonsense_on_disk_counts_as_nothing(nonsense):
    assert meter(Clock(), nonsense).note(0) == 0


def test_without_a_budget_it_only_counts():
    found = meter(Clock(), budget=None)
    assert (found.note(10**6), found.left, found.spent) == (10**6, None, "")


@given(st.lists(st.tuples(st.integers(0, 30), st.floats(0, 30), st.booleans()), max_size=40))
def test_no_day_ever_has_more_than_its_writes(steps):
    """Whatever the pauses and restarts: the sum of what was noted is the sum of what the days were given."""
    clock, sent, total = Clock(), 0, 0
    disk, days = None, {}
    found = meter(clock)
    for writes, hours, restart in steps:
        clock.wait(hours)
        if restart:
            found, sent = meter(clock, disk), 0
        sent, total = sent + writes, total + writes
        found.note(sent)
        if found.kept:
            disk = found.kept[-1]
            days[disk["day"]] = disk["writes"]
    assert sum(days.values()) == total
