"""Real processes, small ones: what the guard hears, how it kills, and what it is made of."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from samspel.guard import duty
from samspel.guard.duty import Role, announce, take_duty
from samspel.guard.processes import Process
from samspel.guard.watch import Heard

CHILD = """
import os, socket, sys, time
role, stay_s, line = os.environ["SAMSPEL_GUARD"].split()
line = socket.socket(fileno=int(line))
line.send(b".")
{then}
"""
GO = "line.recv(1)\n"
"""Nothing more of it before the first beat has been answered."""

PATIENCE_S = 30.0
STOPPED = "T"


@pytest.fixture
def told():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@pytest.fixture
def start(told):
    """A child under guard, whose first beat has been heard."""
    children = []

    def start(then: str) -> Process:
        ours, theirs = socket.socketpair()
        with theirs:
            theirs.set_inheritable(True)
            command = [sys.executable, "-S", "-c", CHILD.format(then=GO + then)]
            pid = os.posix_spawn(sys.executable, command, announce(Role.EDGE, 0.0, theirs.fileno()))
        child = Process(pid, ours, told[0])
        children.append(child)
        assert child.listen(PATIENCE_S) is Heard.BEAT
        child.answer()
        return child

    yield start
    for child in children:
        child.kill()


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_silence(start):
    child = start("time.sleep(600)")
    assert child.listen(0.05) is Heard.NOTHING
    assert is_alive(child.pid)


def test_the_end_and_its_code(start):
    child = start("sys.exit(7)")
    assert child.listen(PATIENCE_S) is Heard.GONE
    assert child.gone() == 7


def test_a_beat_that_waits_is_heard_although_no_time_is_left(start):
    child = start("line.send(b'..'); time.sleep(600)")
    until(lambda: child.listen(0.0) is Heard.BEAT)


def test_being_told_goes_first(start, told):
    child = start("line.send(b'.'); time.sleep(600)")
    told[1].send(b"!")
    assert child.listen(PATIENCE_S) is Heard.TOLD
    assert child.listen(PATIENCE_S) is Heard.TOLD


def test_an_answer_keeps_nobody_waiting_whether_the_child_reads_or_is_gone(start):
    child = start("time.sleep(600)")
    for _ in range(20_000):
        child.answer()
    os.kill(child.pid, signal.SIGKILL)
    until(lambda: child.listen(PATIENCE_S) is Heard.GONE)
    child.answer()


def test_told_it_may_end_in_order(start):
    child = start(
        "import signal; signal.signal(signal.SIGTERM, lambda *_: os._exit(3)); line.send(b'.')\n"
        "while True: time.sleep(600)"
    )
    assert child.listen(PATIENCE_S) is Heard.BEAT
    assert child.tell(PATIENCE_S) == 3


def test_one_that_does_not_end_is_killed(start):
    child = start("import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); line.send(b'.'); time.sleep(600)")
    assert child.listen(PATIENCE_S) is Heard.BEAT
    assert child.tell(0.1) == -signal.SIGKILL


def test_a_stopped_process_is_killed_all_the_same(start):
    child = start("time.sleep(600)")
    os.kill(child.pid, signal.SIGSTOP)
    until(lambda: state_of(child.pid) == STOPPED)
    child.kill()
    assert not is_alive(child.pid)


def test_whoever_hangs_up_and_lives_on_is_killed(start, monkeypatch):
    monkeypatch.setattr("samspel.guard.processes.GONE_S", 0.1)
    child = start("line.close(); time.sleep(600)")
    assert child.listen(PATIENCE_S) is Heard.GONE
    assert child.gone() == -signal.SIGKILL


def state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]


def until(holds: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < give_up_at
        time.sleep(0.01)


# --- duty -----------------------------------------------------------------------------------------------------------


def test_a_duty_is_taken_once_and_its_socket_is_not_handed_on():
    ours, theirs = socket.socketpair()
    environment = announce(Role.RESCUER, 2.5, theirs.detach())
    taken = take_duty(environment)
    assert taken is not None
    with ours, taken.line:
        assert (taken.role, taken.stay_s) == (Role.RESCUER, 2.5)
        assert not taken.line.get_inheritable()
        taken.line.send(b".")
        assert ours.recv(9) == b"."
    assert duty.VARIABLE not in environment
    assert take_duty(environment) is None


# --- the guard as a process -----------------------------------------------------------------------------------------

IMPORTED = """
import sys
import samspel.guard.__main__
print(*sorted(name for name in sys.modules if name.partition(".")[0] not in sys.stdlib_module_names))
"""


def test_the_guard_is_made_of_the_standard_library():
    """small, and nothing of ours that could hang"""
    done = subprocess.run(
        [sys.executable, "-S", "-c", IMPORTED], capture_output=True, text=True, check=True, env=paths()
    )
    names = {name for name in done.stdout.split() if not name.endswith("__main__")}
    assert names == {
        "samspel",
        "samspel.guard",
        "samspel.guard.duty",
        "samspel.guard.processes",
        "samspel.guard.silence",
        "samspel.guard.watch",
        "samspel.log_lines",
    }


def paths() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(duty.__file__).parents[2])}


def guard(
    then: str, silence_s: float = 600.0, child: str = CHILD, how: str = 'exec "$@"', cwd: Path | None = None
) -> subprocess.Popen[str]:
    command = [sys.executable, "-S", "-c", child.format(then=then)]
    watching = [sys.executable, "-S", "-m", "samspel.guard", str(silence_s), "json", *command]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        ["/bin/sh", "-c", how, "sh", *watching], env=paths(), stdout=pipe, stderr=pipe, text=True, cwd=cwd
    )


SAYS_WHO = "print(role, os.getpid(), flush=True)\n"
# Short sleeps: a signal that comes between the last instruction and a long one is acted on when that ends.
OBEYS = "import signal; signal.signal(signal.SIGTERM, lambda *_: os._exit(0)); {ready}\nwhile True: time.sleep(0.05)"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_sigterm_and_sigint_are_passed_on_and_nobody_is_rescued(number):
    with guard(OBEYS.format(ready=SAYS_WHO.strip())) as watching:
        assert watching.stdout.readline().startswith("edge ")
        watching.send_signal(number)
        out, err = watching.communicate(timeout=PATIENCE_S)
    assert (watching.returncode, out, err) == (0, "", "")


def test_silence_kills_and_a_rescuer_comes_before_the_next_edge():
    hangs = SAYS_WHO + "if role == 'rescuer': sys.exit(0)\ntime.sleep(600)"
    with guard(hangs, silence_s=2.0) as watching:
        said = [watching.stdout.readline().split() for _ in range(3)]
        roles, pids = zip(*said, strict=True)
        assert roles == ("edge", "rescuer", "edge")
        assert not is_alive(int(pids[0]))
        watching.terminate()
        watching.wait(PATIENCE_S)
        killed, looked_after = map(json.loads, watching.stderr.read().splitlines())
    assert killed.pop("at").endswith("Z")
    expected = {
        "level": "error",
        "station": "guard",
        "event": "killed for its silence",
        "role": "edge",
        "silent_s": 2.0,
    }
    assert killed == expected
    assert (looked_after["level"], looked_after["event"], looked_after["held"]) == ("info", "looked after", False)
    assert not is_alive(int(pids[2]))


@pytest.mark.parametrize("nowhere", ["2>/dev/full", "2>&-"])
def test_a_log_that_cannot_be_written_is_no_reason_to_end(nowhere, tmp_path):
    once = "if role == 'edge' and not os.path.exists('once'): open('once', 'w'); print(role, flush=True); os._exit(3)\n"
    then = once + "if role == 'rescuer': print(role, flush=True); os._exit(0)\n" + OBEYS.format(ready=SAYS_WHO.strip())
    with guard(then, how=f'exec "$@" {nowhere}', cwd=tmp_path) as watching:
        assert [watching.stdout.readline().split()[0] for _ in range(3)] == ["edge", "rescuer", "edge"]
        watching.terminate()
        assert watching.wait(PATIENCE_S) == 0


def test_what_cannot_run_ends_it_with_its_own_code():
    """no beat, and 2: wrong configuration"""
    with guard("", silence_s=600.0, child="import sys; sys.exit(2)") as watching:
        assert watching.wait(PATIENCE_S) == 2
