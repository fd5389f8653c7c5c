"""The twin and the edge: processes of their own, so that one of them can be killed like in a real home.

Each is on a leash: whatever becomes of the demo, nothing of it stays behind. Each has a process group of its own, so
that Ctrl-C reaches the demo alone, which then ends them in order.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import threading
import urllib.request
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

__all__ = ["Edge", "TwinProcess", "end", "start"]

READY_S = 30.0
PATIENCE_S = 10.0
LEASH = Path(__file__).with_name("leash.py")


def start(
    command: Sequence[str],
    *,
    stdout: int | IO[str] | None = None,
    stderr: int | IO[str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen[str]:
    """A child that dies with this process. Call it from the main thread: the leash is tied to the calling one."""
    leash = [sys.executable, "-I", "-S", str(LEASH), str(os.getpid())]
    return subprocess.Popen(
        [*leash, *command],
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        env=environment,
        text=True,
        process_group=0,
    )


def end(process: subprocess.Popen[str]) -> None:
    """SIGTERM, and SIGKILL if that is not enough."""
    process.terminate()
    try:
        process.wait(timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(timeout=10)


class TwinProcess:
    """``samspel sim``: a simulated inverter with its control port. RuntimeError when it does not start."""

    def __init__(self, brand: str, *, soc_pct: float, seed: int) -> None:
        options = [brand, "--soc", str(soc_pct), "--seed", str(seed)]
        self._process = start([sys.executable, "-m", "samspel_sim", *options], stdout=subprocess.PIPE)
        try:
            self.ready: dict[str, Any] = self._read_ready()
        except BaseException:
            self.close()
            raise

    def _read_ready(self) -> dict[str, Any]:
        assert self._process.stdout is not None  # noqa: S101 - it was asked for
        spoke, _, _ = select.select([self._process.stdout], [], [], READY_S)
        line = self._process.stdout.readline() if spoke else ""
        if not line:
            raise RuntimeError(f"the simulated inverter was not ready within {READY_S:g} s; see its message above")
        ready: dict[str, Any] = json.loads(line)
        return ready

    @property
    def url(self) -> str:
        """Where the edge finds it."""
        return f"modbus-tcp://127.0.0.1:{self.ready['port']}?unit={self.ready['unit']}"

    def state(self) -> dict[str, Any]:
        """The truth, from its control port."""
        return self._ask("GET", "/state")

    def set(self, **values: float) -> None:
        """Change the home: load, sun, charge."""
        self._ask("POST", "/set", values)

    def misbehave(self, name: str, *, on: bool, **parameters: object) -> None:
        """Switch a misbehaviour on or off."""
        self._ask("POST", "/misbehave", {"name": name, "on": on, **parameters})

    def _ask(self, method: str, path: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.ready['control_port']}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - our own child on 127.0.0.1
            document: dict[str, Any] = json.load(answer)
            return document

    def close(self) -> None:
        """End it."""
        end(self._process)
        if self._process.stdout is not None:
            self._process.stdout.close()


class Edge:
    """``samspel run``: the edge itself, started, killed and started again."""

    def __init__(self, site_file: Path, state_folder: Path) -> None:
        self._site_file, self._state_folder = site_file, state_folder
        self._process: subprocess.Popen[str] | None = None
        self.log: deque[str] = deque(maxlen=200)

    def start(self) -> None:
        """Start it; it connects by itself."""
        environment = os.environ | {"XDG_STATE_HOME": str(self._state_folder)}
        self._process = start(
            [sys.executable, "-m", "samspel", "run", str(self._site_file)],
            stderr=subprocess.PIPE,
            environment=environment,
        )
        threading.Thread(target=self._keep_log, args=(self._process.stderr,), daemon=True).start()

    def _keep_log(self, lines: IO[str]) -> None:
        with lines:
            self.log.extend(line.rstrip() for line in lines)

    @property
    def child(self) -> int | None:
        """The process id of what the guard runs just now: the edge itself, or a rescuer before the next edge."""
        return None if self._process is None else _child_of(self._process.pid)

    def kill_child(self) -> int | None:
        """SIGKILL to the edge alone; its guard lives. The process id, or nothing when there was none."""
        child = self.child
        if child is not None:
            os.kill(child, signal.SIGKILL)
        return child

    def kill(self) -> None:
        """SIGKILL to the edge and its guard at once, as a power cut would: no goodbye, no handover."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(timeout=10)

    def close(self) -> None:
        """End it; it hands over."""
        if self._process is not None:
            end(self._process)


def _child_of(pid: int) -> int | None:
    """The process that this one has started, if it lives; nothing where the system has no /proc."""
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, parent = file.read_text().rpartition(")")[2].split()[:2]
            if int(parent) == pid and state not in "ZX":
                return int(file.parent.name)
    return None
