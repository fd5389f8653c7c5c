"""(c) What the edge needs: memory, CPU at one set-point a second, time to the first telemetry and to `--help`."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import NamedTuple

from benchmarks.home import TTL_S, Home, Polling, open_home, powers_w
from benchmarks.processes import footprint
from benchmarks.report import Row

__all__ = ["helping", "running"]

USUAL = Polling(fast_s=2.0, slow_s=30.0, faults_s=10.0)
ANSWER_S = 0.02
PERIOD_S = 1.0
MEMORY_MB = 60.0
CPU_PCT = 2.0
HELP_S = 0.3
FIRST_S = 40.0
CONNECT_WAIT_S = 1.5
"""Declared by the driver's manifest: without this wait the device loses the first request."""


def running(seconds: float) -> list[Row]:
    """A site with its usual polling and one set-point a second."""
    with open_home(ANSWER_S, USUAL) as home:
        if home.to_edge.telemetry(FIRST_S) is None:
            raise RuntimeError(f"no telemetry within {FIRST_S:g} s")
        first_s = time.monotonic() - home.edge_started_s
        home.take_control()
        before = footprint(home.edge_pid)
        _command(home, seconds)
        after = footprint(home.edge_pid)
    parts = f"edge {after.rss_mb:.1f}, the guard's own pages {after.others_mb:.1f}"
    cpu_pct = 100.0 * (after.cpu_s - before.cpu_s) / (after.at_s - before.at_s)
    return [
        Row("c", "memory, resident", after.rss_mb + after.others_mb, "MB", MEMORY_MB, parts),
        Row("c", "CPU at 1 Hz set-points, polling every 2 s", cpu_pct, "% of a core", CPU_PCT, f"over {seconds:.0f} s"),
        Row("c", "CPU until then", before.cpu_s, "s", note="start, connect, first telemetry, take"),
        Row("c", "start to first telemetry", first_s, "s", note=f"{CONNECT_WAIT_S:g} s of it is the device's own wait"),
    ]


def _command(home: Home, seconds: float) -> None:
    powers, until_s = powers_w(), time.monotonic() + seconds
    next_s = time.monotonic()
    while time.monotonic() < until_s:
        home.to_edge.forget()
        home.to_edge.set_power(-float(next(powers)), TTL_S)
        next_s += PERIOD_S
        time.sleep(max(0.0, next_s - time.monotonic()))


class _Run(NamedTuple):
    wall_s: float
    cpu_s: float


def helping(times: int) -> list[Row]:
    """`samspel --help`, beside a Python that does nothing."""
    runs = [_run("-m", "samspel", "--help") for _ in range(times)]
    bare = [_run("-c", "pass") for _ in range(times)]
    wall_s, cpu_s = _median(runs, lambda run: run.wall_s), _median(runs, lambda run: run.cpu_s)
    return [
        Row("c", "--help", wall_s, "s", HELP_S, f"median of {times}"),
        Row("c", "--help, CPU", cpu_s, "s", note=f"a bare Python: {_median(bare, lambda run: run.cpu_s):.3f} s"),
    ]


def _run(*arguments: str) -> _Run:
    began_s = time.monotonic()
    with subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{arguments} ended with {process.returncode}")
    return _Run(time.monotonic() - began_s, usage.ru_utime + usage.ru_stime)


def _median(runs: list[_Run], of: Callable[[_Run], float]) -> float:
    return median(map(of, runs))
