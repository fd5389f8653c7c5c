"""A broken core, driver or map is caught in simulation, and by the invariant that it breaks."""

from __future__ import annotations

import shutil
from importlib.resources import files
from pathlib import Path

import pytest
from samspel_contract.simulation.plan import Commands, Outage, Plan, SiteRules
from samspel_contract.simulation.report import invariant_names
from samspel_contract.simulation.run import simulate
from samspel_contract.target import loose

from . import broken

GOOD = Path(str(files("samspel_contract") / "toys" / "good"))
TWIN = "samspel_contract.toys.good.twin:twin"
HOUR_S = 3600.0
SEED = 3

LIVELY = Plan(
    title="lively",
    starts_at_h=8,
    site=SiteRules(soc_pct=20, stop_hold_max_s=900),
    commands=Commands(
        set_power=60, stop=6, release=4, stale=20, unknown_issuer=20, wrong_address=10, most_w=4500, resting_share=0
    ),
    outages={"sigterm": Outage(per_day=240, seconds=[1, 10])},
)
IDLE = Plan(title="idle", site=SiteRules(soc_pct=50), commands=Commands(set_power=4, stop=0, release=0, ttl_s=[30, 60]))
EMPTY = Plan(
    title="empty",
    site=SiteRules(soc_pct=5.5),
    commands=Commands(set_power=5, stop=0, release=0, ttl_s=[700, 900], resting_share=0),
)

STOPPED = Plan(
    title="stopped",
    starts_at_h=12,
    commands=Commands(set_power=6, stop=4, release=2, resting_share=0),
    outages={"sigterm": Outage(per_day=200, seconds=[1, 10])},
)

RIVALS = Plan(
    title="rivals",
    starts_at_h=8,
    commands=Commands(
        set_power=80, stop=20, release=20, replayed=20, wrong_epoch=20, new_epoch=6, ttl_s=[60, 600], resting_share=0
    ),
)

BROKEN = {
    "writes_where_nothing_is_declared": (LIVELY, "only_declared_registers"),
    "knows_no_contract": (LIVELY, "no_limit_passed_on_the_wire"),
    "knows_no_battery": (EMPTY, "charge_window_kept"),
    "takes_any_age": (LIVELY, "nothing_stale_written"),
    "obeys_anybody": (LIVELY, "only_who_may_command"),
    "knows_no_rank": (RIVALS, "higher_rank_kept"),
    "knows_no_epoch": (RIVALS, "older_epoch_silent"),
    "lets_anybody_end_a_stop": (RIVALS, "stop_ended_by_who_may"),
    "refuses_and_obeys": (IDLE, "nothing_written_after_its_end"),
    "stops_in_name_only": (STOPPED, "stop_within_its_bound"),
    "forgets_stops": (STOPPED, "stop_ended_by_who_may"),
    "never_gives_back": (IDLE, "released_when_nobody_commands"),
    "swallows_ends": (IDLE, "one_end_for_every_command"),
    "ends_twice": (LIVELY, "one_end_for_every_command"),
}


@pytest.fixture(scope="module")
def target():
    return loose(GOOD / "driver.toml", TWIN)


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_one_is_caught_by_the_invariant_that_it_breaks(target, monkeypatch, name):
    plan, invariant = BROKEN[name]
    getattr(broken, name)(monkeypatch)
    outcome = simulate(target, plan, SEED, until_s=1.5 * HOUR_S)
    assert {one.invariant for one in outcome.violations} == {invariant}
    assert outcome.violations[0].before


ELSEWHERE = {"no_limit_passed_by_the_battery", "rests_before_it_reverses"}
"""Broken below, on another toy."""


def test_every_invariant_is_broken_by_something():
    broken_here = {invariant for _, invariant in BROKEN.values()}
    assert broken_here | ELSEWHERE == set(invariant_names())


@pytest.fixture
def other(tmp_path):
    """The toy with pieces of its files replaced."""
    shutil.copytree(GOOD, tmp_path / "toy", ignore=shutil.ignore_patterns("*.py", "__pycache__"))

    def change(file, piece, instead):
        text = (tmp_path / "toy" / file).read_text(encoding="utf-8")
        assert piece in text
        (tmp_path / "toy" / file).write_text(text.replace(piece, instead), encoding="utf-8")

    return tmp_path / "toy" / "driver.toml", change


@pytest.fixture
def resting(other):
    """A toy that has to rest for two minutes before it reverses."""
    driver, change = other
    change("driver.toml", "\nlatency_s = 5\n", "\nlatency_s = 5\nreversal_dwell_s = 120\n")
    change("map.toml", "\nzero = [{ rung", '\nreverse = [{ write = "mode", value = "hold" }]\nzero = [{ rung')
    return loose(driver, TWIN)


def test_a_reversal_without_its_rest_is_caught(resting, monkeypatch):
    broken.never_rests(monkeypatch)
    outcome = simulate(resting, LIVELY, SEED, until_s=1.5 * HOUR_S)
    assert {one.invariant for one in outcome.violations} == {"rests_before_it_reverses"}


def test_a_sound_one_rests_and_that_has_been_judged(resting):
    outcome = simulate(resting, LIVELY, SEED, until_s=1.5 * HOUR_S)
    assert outcome.violations == ()
    assert outcome.checked["rests_before_it_reverses"] > 0


def test_a_map_with_a_wrong_scale_is_caught_by_the_battery_itself(other):
    driver, change = other
    right = 'discharge_power = { address = 202, type = "u32", unit = "W",'
    change("map.toml", right, right + " scale = 0.5,")
    outcome = simulate(loose(driver, TWIN), LIVELY, SEED, until_s=1.5 * HOUR_S)
    assert {one.invariant for one in outcome.violations} == {"no_limit_passed_by_the_battery"}


@pytest.mark.parametrize("plan", [LIVELY, IDLE, STOPPED, RIVALS], ids=lambda plan: plan.title)
def test_a_sound_one_passes_and_what_breaks_there_has_been_judged(target, plan):
    outcome = simulate(target, plan, SEED, until_s=0.75 * HOUR_S)
    assert outcome.violations == ()
    judged = {name for name, times in outcome.checked.items() if times}
    assert judged >= {invariant for other, invariant in BROKEN.values() if other is plan}
