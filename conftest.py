"""What the tests of every distribution share: tools that may be absent, and a real broker.

A test that needs mosquitto carries `@pytest.mark.mosquitto`, or just uses one of the fixtures here.
Where mosquitto is absent such tests are left out, and the run ends with a line that says so. Under
`SAMSPEL_REQUIRE=mosquitto` (comma separated, as more tools join) an absent tool fails the run.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import hypothesis
import pytest

HOST = "127.0.0.1"
START_TIMEOUT_S = 10.0
# Below the kernel's range for outgoing connections: nobody else takes the port while the broker is down.
PORTS = range(20_000, 32_000)

# A shell that starts tests in the background has them ignore Ctrl-C, and everything that they start: what is tested
# with a Ctrl-C of its own needs the usual answer to it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# An example may take its time on a busy machine; a hang is pytest-timeout's business.
hypothesis.settings.register_profile("samspel", parent=hypothesis.settings(), deadline=None)
hypothesis.settings.load_profile("samspel")


@dataclass(frozen=True)
class Tool:
    """What some tests need and `make test` may have to do without: a program, or a module of Python."""

    name: str
    install: str
    folders: tuple[str, ...] = ("/usr/sbin", "/usr/local/sbin")
    module: str = ""
    python: tuple[int, int] = (3, 11)
    """The oldest Python that it can be had for; on an older one nobody can require it."""

    def find(self) -> str | None:
        """Where it is: PATH first, then the folders that an ordinary user's PATH leaves out."""
        if self.module:
            found = importlib.util.find_spec(self.module)
            return found.origin if found else None
        return shutil.which(self.name) or shutil.which(self.name, path=os.pathsep.join(self.folders))


TOOLS = {
    tool.name: tool
    for tool in [
        Tool("mosquitto", install="sudo apt-get install mosquitto"),
        Tool("huawei-solar", install="pip install huawei-solar", module="huawei_solar"),
        Tool("sungrow-modbus", install="pip install sungrow-modbus", module="sungrow_modbus", python=(3, 13)),
    ]
}
LEFT_OUT = pytest.StashKey[dict[str, int]]()


def pytest_configure(config: pytest.Config) -> None:
    """Fail before the first test when a required tool is absent, or its name is a slip of the pen."""
    config.stash[LEFT_OUT] = {}
    # looptime asks every plain test for the current event loop; unless one was set, even to none, that
    # makes a loop which nobody closes, and some later test fails for it.
    asyncio.set_event_loop(None)
    required = {name for name in os.environ.get("SAMSPEL_REQUIRE", "").replace(" ", "").split(",") if name}
    if unknown := sorted(required - TOOLS.keys()):
        raise pytest.UsageError(f"SAMSPEL_REQUIRE names {unknown}; known are {sorted(TOOLS)}")
    for name in sorted(required):
        if TOOLS[name].find() is None and sys.version_info >= TOOLS[name].python:
            where = f"installed as {TOOLS[name].module}" if TOOLS[name].module else f"in PATH or {TOOLS[name].folders}"
            raise pytest.UsageError(f"SAMSPEL_REQUIRE={name}, but {name} is not {where}: {TOOLS[name].install}")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Using the path fixture is as good as the marker, and cannot be forgotten."""
    for name in TOOLS:
        if f"{name}_path" in getattr(item, "fixturenames", ()):
            item.add_marker(name)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs an absent tool."""
    del config
    for name, tool in TOOLS.items():
        needing = [item for item in items if item.get_closest_marker(name)]
        if needing and tool.find() is None:
            for item in needing:
                item.add_marker(pytest.mark.skip(reason=f"{name} is absent"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Count it, here, where the reports of all processes come together."""
    reasons = [one.longrepr[2] for one in terminalreporter.stats.get("skipped", []) if isinstance(one.longrepr, tuple)]
    for name in TOOLS:
        if count := sum(reason.endswith(f"{name} is absent") for reason in reasons):
            config.stash[LEFT_OUT][name] = count


def pytest_unconfigure(config: pytest.Config) -> None:
    """The very last line, after pytest's own: what this run says nothing about."""
    for name, count in config.stash.get(LEFT_OUT, {}).items():
        print(f"NOT RUN: {count} tests need {name}, which is absent ({TOOLS[name].install})")


@dataclass
class Mosquitto:
    """One broker on a port of its own, which stays the same through stop, kill and start.

    `config` replaces the usual configuration; `{port}` in it stands for the port.
    """

    program: str
    folder: Path
    extra_config: str = ""
    config: str | None = None
    host: str = HOST
    port: int = 0
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def log(self) -> str:
        """What the broker has said so far, over all its starts."""
        return (self.folder / "mosquitto.log").read_text(encoding="utf-8", errors="replace")

    def start(self) -> None:
        """Serve; sessions, queued and retained messages of an earlier start are there again."""
        if self._process is not None:
            raise RuntimeError(f"the broker on port {self.port} runs already")
        for _ in range(1 if self.port else 20):
            port = self.port or _free_port()
            if self._serve(port):
                self.port = port
                return
        raise RuntimeError(f"mosquitto did not start on {self.host}:{self.port}; its log:\n{self.log}")

    def stop(self) -> None:
        """End as a service manager would: clients are told and state is saved."""
        self._end(subprocess.Popen.terminate)

    def kill(self) -> None:
        """End as a power cut would. What was acknowledged is on disk (saved at every change)."""
        self._end(subprocess.Popen.kill)

    def restart(self) -> None:
        """Stop and start, on the same port."""
        self.stop()
        self.start()

    def _serve(self, port: int) -> bool:
        config = self.folder / "mosquitto.conf"
        config.write_text(self._config(port), encoding="utf-8")
        with (self.folder / "mosquitto.log").open("ab") as log:
            process = subprocess.Popen([self.program, "-c", str(config)], stdout=log, stderr=log)
        if _answers(self.host, port, process):
            self._process = process
            return True
        process.kill()
        process.wait()
        return False

    def _config(self, port: int) -> str:
        if self.config is not None:
            return self.config.replace("{port}", str(port))
        return "\n".join(
            [
                f"listener {port} {self.host}",
                "allow_anonymous true",
                *(["user root"] if os.geteuid() == 0 else []),  # else it gives up reading tmp_path
                "persistence true",
                f"persistence_location {self.folder}/",
                "autosave_on_changes true",
                "autosave_interval 1",
                "log_dest stderr",
                "log_type all",
                self.extra_config,
                "",
            ]
        )

    def _end(self, how: Callable[[subprocess.Popen[bytes]], None]) -> None:
        if self._process is not None:
            how(self._process)
            self._process.wait(timeout=10)
            self._process = None


def _free_port() -> int:
    """A port that nobody listens on; a collision afterwards shows as a failed start and is tried again."""
    while True:
        port = random.choice(PORTS)
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) != 0:
                return port


def _answers(host: str, port: int, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + START_TIMEOUT_S
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex((host, port)) == 0:
                return True
        time.sleep(0.01)
    return False


@pytest.fixture(scope="session")
def mosquitto_path() -> str:
    """The broker's path. Collection has left these tests out where there is none."""
    return TOOLS["mosquitto"].find() or "mosquitto"


@pytest.fixture(scope="session")
def mosquitto_factory(
    mosquitto_path: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Mosquitto]]:
    """`mosquitto_factory(extra_config="", config=None)` starts one more broker; all are ended with the session.

    For a broker a module or a class long, wrap it in a fixture of that scope that calls `stop()` at its end.
    """
    brokers: list[Mosquitto] = []

    def make(extra_config: str = "", *, config: str | None = None) -> Mosquitto:
        broker = Mosquitto(mosquitto_path, tmp_path_factory.mktemp("mosquitto"), extra_config, config)
        brokers.append(broker)
        broker.start()
        return broker

    yield make
    for broker in brokers:
        broker.stop()


@pytest.fixture
def mosquitto_broker(mosquitto_factory: Callable[..., Mosquitto]) -> Iterator[Mosquitto]:
    """A fresh broker for one test: host, port, log; stop(), kill(), start(), restart() keep the port."""
    broker = mosquitto_factory()
    yield broker
    broker.stop()
