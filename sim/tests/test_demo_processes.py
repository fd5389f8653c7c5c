"""Nothing of the demo stays behind; both brokers serve; wrong options are told, and nothing is started for them."""

import contextlib
import importlib
import io
import os
import select
import signal
import socket
import subprocess
import sys
import time

import paho.mqtt.publish
import pytest
from samspel_sim.demo import children, command
from samspel_sim.demo.broker import open_broker

module = importlib.import_module("samspel_sim.demo.command")  # the package shows its function under the same name

PARENT = """
import os, subprocess, sys
from samspel_sim.demo.children import start
child = start(["/bin/sh", "-c", "echo $$; exec sleep 60"], stdout=subprocess.PIPE)
assert int(child.stdout.readline()) == child.pid
print(child.pid, flush=True)
sys.stdin.read()
"""


def gone(pid: int, within_s: float = 10.0) -> bool:
    """Whether a process that is not our own child has ended."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, 0)
            time.sleep(0.02)
            continue
        return True
    return False


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel keeps no leash")
def test_a_killed_demo_takes_its_children_along():
    with subprocess.Popen([sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        child = int(parent.stdout.readline())
        os.kill(child, 0)
        parent.kill()
        parent.wait(timeout=10)
    assert gone(child)


def test_a_child_whose_starter_has_gone_does_not_start(tmp_path):
    command = [sys.executable, "-I", "-S", str(children.LEASH), "1", "/bin/touch", str(tmp_path / "started")]
    assert subprocess.run(command, check=False).returncode == 1
    assert not (tmp_path / "started").exists()


def test_what_ignores_sigterm_is_killed(monkeypatch):
    child = children.start(
        ["/bin/sh", "-c", "trap '' TERM; echo ready; while :; do sleep 60; done"], stdout=subprocess.PIPE
    )
    monkeypatch.setattr(children, "PATIENCE_S", 0.3)
    with child.stdout:
        child.stdout.readline()
        children.end(child)
    assert child.returncode == -signal.SIGKILL


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="there is no /proc")
def test_the_edge_alone_is_killed_and_its_guard_starts_another(tmp_path, monkeypatch):
    guard = children.start(["/bin/sh", "-c", "for one in 1 2; do sleep 60; done"])
    monkeypatch.setattr(children, "start", lambda *_, **__: guard)
    guard.stderr = io.StringIO()
    edge = children.Edge(tmp_path / "site.toml", tmp_path)
    assert edge.child is None
    edge.start()
    with contextlib.closing(edge):
        first = next(found for found in iter(lambda: edge.child, 0) if found)
        assert edge.kill_child() == first
        second = next(found for found in iter(lambda: edge.child, 0) if found not in (None, first))
        assert (gone(first), guard.poll()) == (True, None)
        edge.kill()
        assert gone(second)


def test_a_twin_that_does_not_start_says_so():
    with pytest.raises(RuntimeError, match="was not ready"):
        children.TwinProcess("no-such-brand", soc_pct=50.0, seed=1)


def closed(port: int, within_s: float = 10.0) -> bool:
    """Whether nobody listens there any more."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return True
        time.sleep(0.02)
    return False


def answers(port: int) -> None:
    paho.mqtt.publish.single("hello", "there", qos=1, hostname="127.0.0.1", port=port)


@pytest.mark.mosquitto
def test_mosquitto_serves_and_ends(tmp_path):
    with open_broker(tmp_path, "mosquitto") as broker:
        assert (broker.kind, broker.mqtt5) == ("mosquitto", True)
        answers(broker.port)
    with pytest.raises(OSError, match="refused"):
        answers(broker.port)


def test_without_mosquitto_demanding_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr("samspel_sim.demo.broker.find_mosquitto", lambda: None)
    with pytest.raises(RuntimeError, match="apt-get install mosquitto"), open_broker(tmp_path, "mosquitto"):
        pass


BROKER = """
import pathlib, sys
from samspel_sim.demo import broker
if sys.argv[1] == "absent":
    broker.find_mosquitto = lambda: None
with broker.open_broker(pathlib.Path("."), "auto") as one:
    print(one.kind, one.mqtt5, one.port, flush=True)
    sys.stdin.read()
"""


@contextlib.contextmanager
def broker_process(folder, mosquitto):
    """A process that holds a broker until its standard input is closed."""
    command = [sys.executable, "-c", BROKER, mosquitto]
    with subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert select.select([process.stdout], [], [], 30)[0]
        yield process, *process.stdout.readline().split()


@pytest.mark.mosquitto
def test_mosquitto_does_not_survive_the_demo(tmp_path):
    with broker_process(tmp_path, "present") as (process, kind, _mqtt5, port):
        assert kind == "mosquitto"
        answers(int(port))
        process.kill()
        process.wait(timeout=10)
    assert closed(int(port))


def test_without_mosquitto_amqtt_serves(tmp_path):
    with broker_process(tmp_path, "absent") as (process, kind, mqtt5, port):
        assert (kind, mqtt5) == ("amqtt", "False")
        answers(int(port))
        process.stdin.close()
        assert process.wait(timeout=20) == 0


@pytest.mark.parametrize(("options", "sentence"), [(["--broker", "x"], "auto, mosquitto, amqtt"), (["--nope"], "nope")])
def test_wrong_options_are_told(options, sentence, capsys, monkeypatch):
    entry = type("Entry", (), {"name": "toy"})
    monkeypatch.setattr(module, "entry_points", lambda group: [entry])
    assert command(options) == 2
    assert sentence in capsys.readouterr().err


def test_an_unknown_brand_is_told_which_there_are(capsys, monkeypatch):
    entry = type("Entry", (), {"name": "toy"})
    monkeypatch.setattr(module, "entry_points", lambda group: [entry])
    assert command(["--brand", "acme"]) == 2
    assert "installed: toy" in capsys.readouterr().err


def test_without_any_twin_there_is_a_sentence(capsys, monkeypatch):
    monkeypatch.setattr(module, "entry_points", lambda group: [])
    assert command([]) == 1
    assert "no simulated inverter" in capsys.readouterr().err


class Stage:
    """Stands in for a performance: ends well, badly, or by a signal."""

    def __init__(self, *acts) -> None:
        self.acts = list(acts)

    def __call__(self, *_args, **_options) -> bool:
        act = self.acts.pop(0)
        if isinstance(act, bool):
            return act
        os.kill(os.getpid(), act)
        time.sleep(5)
        raise AssertionError("the signal was not heard")


@pytest.mark.parametrize(
    ("acts", "options", "code"),
    [
        ((True,), [], 0),
        ((False,), [], 1),
        ((signal.SIGINT,), [], 130),
        ((signal.SIGTERM,), [], 130),
        ((signal.SIGHUP,), [], 130),
        ((True, True, signal.SIGINT), ["--forever"], 0),
        ((True, False), ["--forever"], 1),
    ],
)
def test_the_exit_code_tells_how_it_ended(acts, options, code, monkeypatch):
    entry = type("Entry", (), {"name": "toy"})
    monkeypatch.setattr(module, "entry_points", lambda group: [entry])
    stage = Stage(*acts)
    monkeypatch.setattr(module, "play_once", stage)
    monkeypatch.setattr(module, "INTERVAL_S", 0.0)
    before = signal.getsignal(signal.SIGTERM)
    assert command(options) == code
    assert stage.acts == []
    assert signal.getsignal(signal.SIGTERM) is before
