"""The benchmarks run and yield every figure. What the figures are is no business of a test: machines differ."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROWS = {
    ("a", "idle: floor, p50"),
    ("a", "idle: floor, p99"),
    ("a", "idle: edge, p50"),
    ("a", "idle: edge, p99"),
    ("a", "idle: of that, until received, p50"),
    ("a", "100 ms device, polling: floor (never polls), p50"),
    ("a", "100 ms device, polling: edge, p50"),
    ("a", "100 ms device, polling: edge, p99"),
    ("a", "100 ms device, polling: edge, worst"),
    ("b", "full snapshot: requests"),
    ("b", "full snapshot: time"),
    ("b", "one request a signal: requests"),
    ("b", "one request a signal: time"),
    ("c", "memory, resident"),
    ("c", "CPU at 1 Hz set-points, polling every 2 s"),
    ("c", "CPU until then"),
    ("c", "start to first telemetry"),
    ("c", "--help"),
    ("c", "--help, CPU"),
}
AIMED = {
    "idle: edge, p50",
    "100 ms device, polling: edge, p99",
    "memory, resident",
    "CPU at 1 Hz set-points, polling every 2 s",
    "--help",
}


@pytest.mark.slow
def test_the_quick_benchmarks_yield_every_row(tmp_path):
    found = tmp_path / "bench.json"
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", "--json", str(found)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=115,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    rows = json.loads(found.read_text(encoding="utf-8"))["rows"]
    assert {(row["part"], row["name"]) for row in rows} == ROWS
    assert all(math.isfinite(row["value"]) and row["value"] > 0 for row in rows)
    assert {row["name"] for row in rows if row["verdict"]} == AIMED
    assert "samspel benchmarks" in run.stdout
