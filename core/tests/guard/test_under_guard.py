"""The edge's side: when it beats, how it learns of the guard's death, what it gives back then."""

from __future__ import annotations

import asyncio
import io
import logging
import shutil
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samspel import logs
from samspel.cli import edge_process, run, under_guard
from samspel.clock import SystemClock
from samspel.contract.capability import Capabilities, Deadman, Direction
from samspel.contract.command import Accept, OnExpiry, Rank
from samspel.contract.errors import StoreError
from samspel.control.journal import Documents, doubted, load, project
from samspel.control.state import Action, GiveBackOrder, Lease, Phase, State, StopLatch
from samspel.control.untimed import stands_without_timer
from samspel.guard import become, orphan, rescue
from samspel.guard.disk import doubt_the_old, readable_store
from samspel.guard.duty import Duty
from samspel.guard.lifeline import Lifeline
from samspel.guard.pulse import ACTION_S, Progress, Pulse
from samspel.guard.rescue import Nobody, is_held, is_settled
from samspel.logs import LogFormat
from samspel.store.store import Store

from ..routes import route  # noqa: TID252 - the tests of every station share it

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)

# --- pulse ----------------------------------------------------------------------------------------------------------


def test_one_device_that_turns_alone_is_no_beat():
    """one device's control hangs: silence, however lively the other is"""
    beats = []
    pulse = Pulse(["one", "other"], lambda: beats.append(1))
    for _ in range(100):
        pulse.turned("one")
    assert beats == []
    pulse.turned("other")
    assert beats == [1]


@given(st.lists(st.sampled_from("abc")))
def test_between_two_beats_every_device_has_turned(turns):
    since: set[str] = set()
    beats = []

    def beat() -> None:
        assert since == set("abc")
        since.clear()
        beats.append(1)

    pulse = Pulse("abc", beat)
    for device in turns:
        since.add(device)
        pulse.turned(device)
    assert len(beats) <= min(turns.count(device) for device in "abc")


class Hand(SystemClock):
    """A clock moved by hand."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


def test_an_action_that_never_ends_is_no_progress():
    clock = Hand()
    progress = Progress(clock)
    acting = changed(action=Action.FOLLOW, action_id=7)
    assert progress.gets_on(acting)
    clock.now = ACTION_S - 1.0
    assert progress.gets_on(acting)
    clock.now = ACTION_S + 1.0
    assert not progress.gets_on(acting)
    assert progress.gets_on(changed(action=Action.GIVE_BACK, action_id=8)), "something took over"


def test_having_nothing_to_do_for_hours_is_progress():
    clock = Hand()
    progress = Progress(clock)
    for clock.now in (0.0, ACTION_S, 10 * ACTION_S):
        assert progress.gets_on(changed(action=None, action_id=7))
    assert progress.gets_on(changed(action=Action.LOOK, action_id=8))


SILENT_S = 30.0

# --- lifeline -------------------------------------------------------------------------------------------------------


@pytest.fixture
async def line():
    guard, ours = socket.socketpair()
    lifeline = Lifeline(ours, SystemClock(), SILENT_S)
    yield guard, lifeline
    guard.close()
    await asyncio.wait_for(lifeline.lost(), 10)
    ours.close()


async def test_beats_arrive_and_a_living_guard_is_not_lost(line):
    guard, lifeline = line
    lifeline.beat()
    lifeline.beat()
    assert guard.recv(9) == b".."
    await asyncio.sleep(0)
    assert not lifeline.is_lost


async def test_the_guard_s_end_is_noticed(line):
    guard, lifeline = line
    guard.close()
    await asyncio.wait_for(lifeline.lost(), 10)
    lifeline.beat()
    assert lifeline.is_lost


async def test_a_guard_that_does_not_read_keeps_nobody_waiting(line):
    _, lifeline = line
    for _ in range(20_000):
        lifeline.beat()
    assert not lifeline.is_lost


# --- a dead guard ---------------------------------------------------------------------------------------------------


MIXED = Capabilities(
    routes=(
        route(Direction.CHARGE, deadman=Deadman.TIMEOUT),
        route(Direction.DISCHARGE),
        route(Direction.ZERO, deadman=Deadman.TIMEOUT),
    )
)
LEASE = Lease(
    command_id="c",
    issuer="fleet",
    rank=Rank.DISPATCHER,
    power_w=1000.0,
    accept=Accept.EXACT,
    on_expiry=OnExpiry.RELEASE,
    hold_s=0.0,
    deadline=100.0,
    issued_at=EPOCH,
    written=True,
)
STOP = StopLatch(command_id="s", issuer="i", rank=Rank.INSTALLER, epoch=1, seq=1, issued_at=EPOCH, since=0.0)
CONTROLLING = State(phase=Phase.CONTROLLING, capabilities=MIXED, lease=LEASE, unsettled=False, link_up=True)


def changed(state: State = CONTROLLING, **values: object) -> State:
    return State(**{name: values.get(name, getattr(state, name)) for name in State.__slots__})


@pytest.mark.parametrize(("written_w", "untimed"), [(1000.0, True), (-1000.0, False), (0.0, False), (None, True)])
def test_what_the_device_would_end_by_itself_is_left(written_w, untimed):
    assert stands_without_timer(changed(written_w=written_w)) is untimed


@pytest.mark.parametrize("phase", [Phase.RELEASED, Phase.FOREIGN, Phase.STOPPED, Phase.RELEASING])
def test_what_is_not_held_or_must_go_on_holding_zero_is_left(phase):
    assert not stands_without_timer(changed(phase=phase, written_w=1000.0))


def test_a_device_that_is_not_known_counts_as_one_without_a_timer():
    assert stands_without_timer(changed(capabilities=None, written_w=-1000.0))


# --- a dead edge ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "held", "settled"),
    [
        (State(unsettled=False), False, True),
        (CONTROLLING, True, True),
        (changed(unsettled=True), True, False),
        (changed(news=True), True, False),
        (changed(phase=Phase.TAKING), True, False),
        (changed(phase=Phase.LOST), True, False),
        (changed(phase=Phase.RELEASED, lease=None), False, True),
        (changed(phase=Phase.FOREIGN, lease=None), False, True),
        (changed(phase=Phase.RELEASING, lease=None, give_back=GiveBackOrder(command_id=None, why="x")), True, False),
        (changed(phase=Phase.STOPPED, lease=None, stop=STOP), True, False),
        (
            changed(
                phase=Phase.STOPPED,
                lease=None,
                stop=StopLatch(**{**{name: getattr(STOP, name) for name in StopLatch.__slots__}, "asserted": True}),
            ),
            True,
            True,
        ),
    ],
)
def test_what_is_held_and_what_is_done(state, held, settled):
    assert (is_held(state), is_settled(state)) == (held, settled)


async def test_nobody_sends_nothing_and_fails_at_nothing():
    nobody = Nobody()
    await nobody.start([], lambda _: None, lambda _: None)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(nobody.publish(None), 0.01)
    await nobody.close(None)


# --- the disk -------------------------------------------------------------------------------------------------------


@pytest.fixture
async def file(tmp_path):
    """A journal as kill -9 leaves it: the newest of it in the write-ahead log alone."""
    store = Store.open(tmp_path / "live.sqlite", SystemClock())
    await store.journal.put("battery/control", {"it": "stands"})
    for suffix in ("", "-wal"):
        shutil.copyfile(f"{store.path}{suffix}", f"{tmp_path}/edge.sqlite{suffix}")
    await store.close()
    return tmp_path / "edge.sqlite"


@contextmanager
def refusing(file):
    """As a full disk does, it refuses everybody else: somebody holds it for himself."""
    with closing(sqlite3.connect(file, isolation_level=None)) as holder:
        holder.execute("PRAGMA locking_mode = EXCLUSIVE")
        holder.execute("BEGIN IMMEDIATE")
        yield


async def test_a_good_disk_is_used_itself(file):
    with readable_store(file, SystemClock()) as store:
        assert store.path == file
        await store.close()


async def test_of_a_disk_that_takes_nothing_a_copy_serves(file):
    with refusing(file), pytest.raises(StoreError):
        Store.open(file, SystemClock())
    with refusing(file), readable_store(file, SystemClock()) as store:
        assert store.journal.get("battery/control") == {"it": "stands"}
        await store.journal.put("battery/control", {"it": "is given back"}, durable=True)
        folder = store.path.parent
        await store.close()
    assert not folder.exists()


async def test_where_nothing_was_ever_kept_nothing_is_held(tmp_path):
    with readable_store(tmp_path / "absent" / "edge.sqlite", SystemClock()) as store:
        assert store.journal.get("battery/control") is None
        await store.close()


@pytest.fixture
async def journaled(file):
    """A store whose journal holds a lease on a trusted clock."""
    store = Store.open(file, SystemClock())
    state = changed(lease=replace(LEASE, deadline=SystemClock().monotonic() + 60.0), stop=STOP, marks=({"r": 1},))
    await store.journal.put("battery/control", project(state, TrustedClock()))
    yield store
    await store.close()


class TrustedClock(SystemClock):
    def synchronised(self) -> bool:
        return True


def found(store) -> State:
    return load(Documents(control=store.journal.get("battery/control")), TrustedClock())


async def test_on_a_disk_that_takes_writes_an_earlier_set_point_may_be_adopted(journaled, file):
    await doubt_the_old(journaled, file, ["battery", "other"], SystemClock())
    assert found(journaled).lease.trusted


async def test_on_one_that_takes_none_it_may_not_and_a_stop_stays(journaled, file):
    journaled._writer._connection.execute("PRAGMA busy_timeout = 0")
    with closing(sqlite3.connect(file, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        await doubt_the_old(journaled, file, ["battery", "other"], SystemClock())
        assert not found(journaled).lease.trusted
        assert found(journaled).stop.command_id == STOP.command_id
        assert found(journaled).marks == ({"r": 1},)


async def test_a_copy_is_no_disk_that_takes_writes(journaled, file):
    await doubt_the_old(journaled, file.with_name("the-real-one.sqlite"), ["battery"], SystemClock())
    assert not found(journaled).lease.trusted


def test_where_nothing_was_promised_nothing_is_doubted():
    document = project(State(), TrustedClock())
    assert doubted(document) == document


# --- how it begins --------------------------------------------------------------------------------------------------

SITE = """
site.name = "home"
mqtt.url = "mqtt://127.0.0.1:1883"
issuers.dispatcher = ["fleet"]
devices.battery = { driver = "acme", url = "modbus-tcp://127.0.0.1:1502?unit=1" }
"""


class InsteadError(Exception):
    """Thus far, and no further."""


@pytest.fixture
def ran(tmp_path, monkeypatch):
    """What `samspel run` does instead of replacing this very process."""
    done = []

    def stop_here(name):
        def call(*arguments):
            done.append((name, *(one for one in arguments if isinstance(one, float))))
            for one in arguments:
                if isinstance(one, Duty):
                    one.line.close()
            raise InsteadError

        return call

    monkeypatch.setenv("SAMSPEL__SITE__DIRECTORY", str(tmp_path / "state"))
    monkeypatch.setattr(run, "become_guard", stop_here("guard"))
    monkeypatch.setattr(edge_process, "_run", stop_here("edge"))
    (tmp_path / "site.toml").write_text(SITE)

    def ran(*words):
        with pytest.raises(InsteadError):
            run.command([str(tmp_path / "site.toml"), *words])
        return done[0]

    return ran


def test_run_is_guarded(ran):
    assert ran() == ("guard", 15.0)


def test_the_site_says_how_long_silence_may_last(ran, monkeypatch):
    monkeypatch.setenv("SAMSPEL__GUARD__SILENCE_S", "40")
    assert ran() == ("guard", 40.0)


def test_unless_told_otherwise(ran):
    assert ran("--no-guard") == ("edge",)


def test_unless_the_site_says_otherwise(ran, monkeypatch):
    monkeypatch.setenv("SAMSPEL__GUARD__ENABLED", "false")
    assert ran() == ("edge",)


def test_the_guard_is_told_what_to_start(monkeypatch):
    seen = []
    monkeypatch.setattr(become.os, "execv", lambda program, words: seen.append((program, words)))
    become.become_guard(15.0, ["an", "edge"])
    guard = [sys.executable, "-P", "-m", "samspel.guard", "15", "text"]
    assert seen == [(sys.executable, [*guard, "an", "edge"])]


def started(*words):
    """A process as a guard starts it: exit code and what it said."""
    ended = subprocess.run(words, check=False, capture_output=True, text=True, timeout=60)
    return ended.returncode, ended.stderr


def test_what_a_guard_starts_complains_as_the_command_does(tmp_path):
    code, said = started(*under_guard.command_line(tmp_path / "none.toml"))
    assert code == 2
    assert said == f"samspel: {tmp_path / 'none.toml'}: cannot be read: No such file or directory\n"


def test_and_keeps_the_traceback_with_debug(tmp_path):
    *command, log_format, _ = under_guard.command_line(tmp_path / "none.toml")
    code, said = started(*command, log_format, str(logging.DEBUG))
    assert code == 1
    assert "Traceback" in said
    assert said.endswith("cannot be read: No such file or directory\n")


@pytest.mark.parametrize(("log_format", "level"), [(LogFormat.TEXT, logging.INFO), (LogFormat.JSON, logging.DEBUG)])
def test_it_logs_as_the_command_was_told_to(tmp_path, log_format, level):
    before = logging.getLogger().level
    try:
        logs.configure(log_format, level=level, stream=io.StringIO())
        assert under_guard.command_line(tmp_path)[-3:] == [str(tmp_path), log_format.value, str(level)]
    finally:
        logs.configure()
        logging.getLogger().setLevel(before)


def test_it_is_the_edge_that_the_guard_started_it_for(tmp_path, monkeypatch, ran):
    guard, ours = socket.socketpair()
    monkeypatch.setenv("SAMSPEL_GUARD", f"edge 0 {ours.detach()}")
    with guard, pytest.raises(InsteadError):
        edge_process.command([str(tmp_path / "site.toml")])


def test_what_an_edge_does_not_use_is_not_in_its_memory():
    loaded = imported_by("samspel.cli.under_guard, samspel.cli.edge_process")
    assert "samspel.edge" in loaded
    assert not loaded & {"typer", "rich", "pydantic_settings"}


def test_who_becomes_a_guard_does_not_import_the_edge_first():
    loaded = imported_by("samspel.cli.run")
    assert "samspel.guard.become" in loaded
    assert not loaded & {"samspel.edge", "pymodbus", "paho"}


def imported_by(modules: str) -> set[str]:
    code = f"import sys, {modules}; print(*sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    return set(ended.stdout.split())


@pytest.mark.parametrize("module", [orphan])
def test_each_protection_says_what_it_is(module):
    for word in ("Unsafe condition", "Limit", "Reaction", "Recovery", "outranks"):
        assert word in module.__doc__


def test_a_rescuer_does_not_wait_for_ever():
    assert rescue.RESCUE_S < 60
