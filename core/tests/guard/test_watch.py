"""Watching, with children that are lines of a script, in a time of their own."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samspel.guard import watch
from samspel.guard.duty import HOLDS, Role
from samspel.guard.watch import FAREWELL_S, PAUSE_MAX_S, START_S, STEADY_S, Guard, Heard

SILENCE_S = 15.0
HANGS = None
KILLED_BY_HAND = -9


@dataclass(frozen=True)
class Script:
    """Beats once a second from `first_s` until `until_s`, then ends with `code`, or hangs."""

    first_s: float = 2.0
    until_s: float = 100.0
    code: int | None = HANGS
    obeys: bool = True


DONE = Script(until_s=0.0, first_s=math.inf, code=0)
LEFT_SOMETHING = Script(until_s=4.0, code=HOLDS)


@dataclass
class World:
    """Time, and what was done when."""

    scripts: list[Script]
    rescuers: list[Script] = field(default_factory=list)
    told_at: float = math.inf
    now: float = 1000.0
    log: list[tuple[float, str]] = field(default_factory=list)
    stays: list[float] = field(default_factory=list)
    stopped: tuple[float, float] = (math.inf, 0.0)
    """When the guard itself is stopped, and for how long: that time passes without it."""
    with_child: bool = False
    """Whether its child is stopped with it."""
    answers: int = 0
    living: int = 0
    said: list[tuple[str, bool, dict[str, object]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.began, self.told_at = self.now, self.now + self.told_at

    def monotonic(self) -> float:
        return self.now

    def pause(self, seconds: float) -> bool:
        self.now = min(self.now + seconds, max(self.told_at, self.now))
        return self.now >= self.told_at

    def spawn(self, role: Role, stay_s: float) -> Child:
        assert self.living == 0, "two at once would both write"
        self.living = 1
        if role is Role.RESCUER:
            self.stays.append(stay_s)
            script = self.rescuers.pop(0) if self.rescuers else DONE
        else:
            script = self.scripts.pop(0)
        self.note(role.value)
        return Child(self, script, self.now)

    def report(self, event: str, *, is_trouble: bool, **values: object) -> None:
        self.said.append((event, is_trouble, values))

    def leap(self) -> float:
        """The time that passes while the guard is stopped, when its moment has come."""
        at, seconds = self.stopped
        if self.now - self.began < at:
            return 0.0
        self.stopped = (math.inf, 0.0)
        self.now += seconds
        return seconds

    def note(self, what: str) -> None:
        self.log.append((self.now - self.began, what))

    @property
    def story(self) -> list[str]:
        return [what for _, what in self.log]

    def at(self, what: str) -> list[float]:
        return [at for at, one in self.log if one == what]


@dataclass
class Child:
    world: World
    script: Script
    born: float
    heard: int = 0

    def listen(self, within_s: float) -> Heard:
        beat_at = self.born + self.script.first_s + self.heard
        end_at = self.born + self.script.until_s
        events = [(self.world.told_at, Heard.TOLD), (self.world.now + within_s, Heard.NOTHING)]
        if beat_at <= end_at:
            events.append((beat_at, Heard.BEAT))
        elif self.script.code is not HANGS:
            events.append((end_at, Heard.GONE))
        at, heard = min(events, key=lambda event: event[0])
        self.world.now = max(self.world.now, at)
        self.heard += heard is Heard.BEAT
        slept_s = self.world.leap()
        self.born += slept_s if self.world.with_child else 0.0
        return heard

    def answer(self) -> None:
        self.world.answers += 1

    def tell(self, within_s: float) -> int:
        self.world.note("told")
        self.world.living = 0
        if self.script.obeys:
            return 0
        self.world.now += within_s
        return KILLED_BY_HAND

    def kill(self) -> None:
        self.world.note("killed")
        self.world.living = 0

    def gone(self) -> int:
        self.world.note("gone")
        self.world.living = 0
        assert self.script.code is not None
        return self.script.code


def run(*scripts: Script, **world: object) -> tuple[World, int]:
    made = World([*scripts], **world)  # type: ignore[arg-type]
    return made, Guard(made, SILENCE_S).run()


# --- acting ---------------------------------------------------------------------------------------------------------


def test_silence_is_a_kill_first_then_a_rescuer_then_a_new_edge():
    world, _ = run(Script(until_s=100.0), Script(), told_at=150.0)
    assert world.story == ["edge", "killed", "rescuer", "gone", "edge", "told"]
    assert world.at("killed") == [pytest.approx(100.0 + SILENCE_S, abs=1.0)]


def test_an_edge_that_ends_by_itself_is_looked_after_at_once():
    world, _ = run(Script(until_s=30.0, code=-9), Script(), told_at=50.0)
    assert world.story == ["edge", "gone", "rescuer", "gone", "edge", "told"]
    assert world.at("rescuer") == [30.0]


def test_one_that_never_beats_is_killed_after_its_start_time():
    world, _ = run(Script(first_s=math.inf), Script(), told_at=START_S + 20.0)
    assert world.at("killed") == [START_S]


def test_a_rescuer_that_hangs_is_killed_too_and_the_edge_is_started():
    world, _ = run(
        Script(until_s=30.0, code=1), Script(), rescuers=[Script(first_s=1.0, until_s=3.0, code=HANGS)], told_at=100.0
    )
    assert world.story == ["edge", "gone", "rescuer", "killed", "edge", "told"]


def test_every_beat_is_answered():
    world, _ = run(Script(first_s=1.0, until_s=math.inf), told_at=100.5)
    assert world.answers == 100


# --- not acting -----------------------------------------------------------------------------------------------------


def test_an_edge_that_beats_is_left_alone_for_as_long_as_it_likes():
    world, code = run(Script(until_s=math.inf), told_at=100_000.0)
    assert (world.story, code) == (["edge", "told"], 0)


def test_a_start_that_takes_long_is_no_silence():
    world, _ = run(Script(first_s=START_S - 1.0, until_s=math.inf), told_at=1000.0)
    assert world.story == ["edge", "told"]


def test_told_to_end_nobody_is_rescued():
    """the edge hands over; what it holds is its successor's"""
    world, code = run(Script(until_s=math.inf), told_at=60.0)
    assert (world.story, code) == (["edge", "told"], 0)


def test_an_edge_that_cannot_hand_over_is_killed_and_still_not_rescued():
    world, code = run(Script(until_s=10.0, obeys=False), told_at=12.0)
    assert (world.story, code) == (["edge", "told"], 1)
    assert world.now - world.began == 12.0 + FAREWELL_S


def test_told_while_a_rescuer_works():
    world, code = run(Script(until_s=5.0, code=1), rescuers=[Script()], told_at=10.0)
    assert (world.story, code) == (["edge", "gone", "rescuer", "told"], 0)


def test_told_in_a_pause():
    dies = Script(first_s=0.5, until_s=1.0, code=1)
    world, code = run(dies, dies, dies, dies, told_at=5.0)
    assert code == 0
    assert world.story[-1] == "gone"
    assert world.now - world.began == 5.0


# --- a guard that was itself stopped --------------------------------------------------------------------------------

AN_HOUR_S = 3600.0


@pytest.mark.parametrize("with_child", [False, True])
@pytest.mark.parametrize("at_s", [0.0, 1.0, 30.0, 30.5])
def test_continued_it_kills_no_healthy_child(at_s, with_child):
    """the beats that came meanwhile are read first; and where the child was stopped too, it may beat again"""
    stopped = {"stopped": (at_s, AN_HOUR_S), "with_child": with_child}
    world, code = run(Script(until_s=math.inf), told_at=2 * AN_HOUR_S, **stopped)
    assert (world.story, code) == (["edge", "told"], 0)


def test_continued_just_when_its_patience_had_ended_it_looks_once_more():
    """the child was silent for long, and then beat while nobody listened"""
    slow = Script(first_s=START_S + 5.0, until_s=math.inf)
    world, _ = run(slow, stopped=(START_S, AN_HOUR_S), told_at=2 * AN_HOUR_S)
    assert world.story == ["edge", "told"]


@pytest.mark.parametrize("with_child", [False, True])
def test_continued_it_still_kills_a_child_that_hangs(with_child):
    hung = Script(until_s=40.0)
    healthy = Script(until_s=math.inf)
    world, _ = run(hung, healthy, stopped=(45.0, AN_HOUR_S), with_child=with_child, told_at=2 * AN_HOUR_S)
    assert world.story[:3] == ["edge", "killed", "rescuer"]
    assert world.at("killed") == [pytest.approx(40.0 + AN_HOUR_S + SILENCE_S, abs=6.0)]


# --- what cannot run ------------------------------------------------------------------------------------------------


def test_a_wrong_configuration_is_told_once_and_its_code_is_ours():
    world, code = run(Script(first_s=math.inf, until_s=1.0, code=2))
    assert (world.story, code) == (["edge", "gone", "rescuer", "gone"], 2)


def test_but_not_while_something_is_held():
    bad = Script(first_s=math.inf, until_s=1.0, code=2)
    world, code = run(bad, bad, rescuers=[LEFT_SOMETHING])
    assert (world.story, code) == (["edge", "gone", "rescuer", "gone"] * 2, 2)


def test_a_code_2_of_an_edge_that_has_run_is_no_configuration():
    world, _ = run(Script(until_s=20.0, code=2), Script(), told_at=60.0)
    assert world.story[-2:] == ["edge", "told"]


# --- pauses ---------------------------------------------------------------------------------------------------------


def test_pauses_grow_to_a_bound_and_a_rescuer_may_stay_through_them():
    dies = Script(first_s=0.5, until_s=1.0, code=1)
    world, _ = run(*[dies] * 9, Script(until_s=math.inf), told_at=400.0)
    assert world.stays == [0.0, 1.0, 2.0, 4.0, 8.0, 16.0, PAUSE_MAX_S, PAUSE_MAX_S, PAUSE_MAX_S]
    edges = world.at("edge")
    gaps = [after - before - 1.0 for before, after in itertools.pairwise(edges)]
    assert gaps == [0.0, 1.0, 2.0, 4.0, 8.0, 16.0, PAUSE_MAX_S, PAUSE_MAX_S, PAUSE_MAX_S]


def test_a_steady_life_begins_the_pauses_anew():
    dies = Script(first_s=0.5, until_s=1.0, code=1)
    steady = Script(until_s=STEADY_S + 1.0, code=1)
    world, _ = run(dies, dies, steady, dies, Script(until_s=math.inf), told_at=400.0)
    assert world.stays == [0.0, 1.0, 0.0, 1.0]


# --- whatever happens -----------------------------------------------------------------------------------------------

SCRIPTS = st.builds(
    Script,
    first_s=st.sampled_from([0.5, 5.0, START_S - 1, START_S + 1, math.inf]),
    until_s=st.floats(0, 200),
    code=st.sampled_from([HANGS, 0, 1, 2, HOLDS, -9, -11]),
    obeys=st.booleans(),
)


@given(st.lists(SCRIPTS, min_size=1, max_size=8), st.lists(SCRIPTS, max_size=8), st.floats(0, 600))
def test_one_at_a_time_and_never_an_edge_before_its_dead_one_was_looked_after(edges, rescuers, told_at):
    """`World.spawn` refuses a second living child"""
    world, code = run(*edges, *[Script(until_s=math.inf)] * 400, rescuers=rescuers, told_at=told_at)
    assert 0 <= code <= 128
    roles = [what for what in world.story if what in ("edge", "rescuer")]
    assert all(one != other for one, other in itertools.pairwise(roles))
    assert world.story.count("told") <= 1
    assert "told" not in world.story[:-1]
    assert world.now <= world.told_at + FAREWELL_S


def test_the_module_of_the_guard_says_what_it_protects_from():
    for word in ("Unsafe condition", "Limit", "Reaction", "Recovery", "outranks"):
        assert word in (watch.__doc__ or "")


def test_it_says_how_each_of_them_ended():
    world, _ = run(Script(until_s=5.0, code=-9), Script(until_s=5.0), Script(), rescuers=[LEFT_SOMETHING], told_at=60.0)
    assert world.said == [
        ("ended by itself", True, {"role": "edge", "code": -9}),
        ("looked after", False, {"held": True}),
        ("killed for its silence", True, {"role": "edge", "silent_s": SILENCE_S}),
        ("looked after", False, {"held": False}),
    ]
