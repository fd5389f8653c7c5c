"""The processes of a measurement: each is started, listened to and ended here, by its own handle."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil  # type: ignore[import-untyped]

__all__ = ["Arrivals", "Footprint", "devices", "edge", "floor", "footprint"]

START_S = 30.0


@contextmanager
def process(*arguments: str, folder: Path, stderr: int | None = None) -> Iterator[subprocess.Popen[str]]:
    """A Python module as a process with its output piped, ended with the block."""
    environment = os.environ | {"XDG_STATE_HOME": str(folder), "SAMSPEL_LOCK_DIR": str(folder)}
    started = subprocess.Popen(
        [sys.executable, "-m", *arguments], stdout=subprocess.PIPE, stderr=stderr, text=True, env=environment
    )
    try:
        yield started
    finally:
        _end(started)


def _end(started: subprocess.Popen[str]) -> None:
    started.terminate()
    try:
        started.wait(timeout=10)
    except subprocess.TimeoutExpired:
        started.kill()
        started.wait(timeout=10)


def _first_line(started: subprocess.Popen[str]) -> str:
    assert started.stdout is not None
    line = started.stdout.readline()
    if not line:
        raise RuntimeError(f"{started.args!r} ended before it was ready; see its message above")
    return line


# --- the device side ------------------------------------------------------------------------------------------------


class Arrivals:
    """When set-points arrived at the devices, and where those listen: `edge_port` and `floor_port`."""

    def __init__(self, started: subprocess.Popen[str]) -> None:
        self.edge_port, self.floor_port = json.loads(_first_line(started))
        self._news = threading.Condition()
        self._arrived: dict[int, float] = {}
        threading.Thread(target=self._listen, args=(started,), daemon=True).start()

    def _listen(self, started: subprocess.Popen[str]) -> None:
        assert started.stdout is not None
        for line in started.stdout:
            arrived_s, power_w = json.loads(line)
            with self._news:
                self._arrived.setdefault(power_w, arrived_s)
                self._news.notify_all()

    def forget(self, power_w: int) -> None:
        """This power is about to be commanded (again)."""
        with self._news:
            self._arrived.pop(power_w, None)

    def wait_for(self, power_w: int, within_s: float) -> float | None:
        """When the first write of this power arrived, monotonic seconds; nothing if it does not come in time."""
        with self._news:
            self._news.wait_for(lambda: power_w in self._arrived, within_s)
            return self._arrived.get(power_w)


@contextmanager
def devices(answer_s: float, folder: Path) -> Iterator[Arrivals]:
    """Two devices that answer after `answer_s`."""
    with process("benchmarks.device", str(answer_s), folder=folder) as started:
        yield Arrivals(started)


# --- the edge and the floor -----------------------------------------------------------------------------------------


@contextmanager
def edge(site_file: Path, folder: Path) -> Iterator[int]:
    """`samspel run`, the real thing; its process id. What it logged is shown when something goes wrong."""
    log: deque[str] = deque(maxlen=40)
    with process("samspel", "run", str(site_file), folder=folder, stderr=subprocess.PIPE) as started:
        threading.Thread(target=_keep, args=(started, log), daemon=True).start()
        try:
            yield started.pid
        except Exception:
            sys.stderr.write("".join(["the edge's last words:\n", *log]))
            raise


def _keep(started: subprocess.Popen[str], log: deque[str]) -> None:
    assert started.stderr is not None
    log.extend(started.stderr)


@contextmanager
def floor(broker_port: int, *, mqtt5: bool, device_port: int, topic: str, folder: Path) -> Iterator[None]:
    """The forty lines of `floor.py`, listening."""
    version = "5" if mqtt5 else "3"
    with process("benchmarks.floor", str(broker_port), version, str(device_port), topic, folder=folder) as started:
        _first_line(started)
        yield


# --- what a process costs -------------------------------------------------------------------------------------------


class Footprint(NamedTuple):
    """Of a process and all its children: resident memory in MB (1e6 bytes), CPU seconds so far, when it was looked.

    `rss_mb` is the largest process's, `others_mb` what the others hold for themselves: libraries that all have mapped
    are in memory once.
    """

    rss_mb: float
    others_mb: float
    cpu_s: float
    at_s: float


def footprint(pid: int) -> Footprint:
    """Now."""
    parent = psutil.Process(pid)
    family = [parent, *parent.children(recursive=True)]
    memory = sorted((one.memory_full_info() for one in family), key=lambda one: one.rss)
    cpu_s = sum(sum(one.cpu_times()[:2]) for one in family)
    others_mb = sum(one.uss for one in memory[:-1]) / 1e6
    return Footprint(memory[-1].rss / 1e6, others_mb, cpu_s, time.monotonic())
