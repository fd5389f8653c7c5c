"""The noisy hour's table is printed, and says what it is there to say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_gate_saves_most_writes_and_costs_no_tolerance():
    command = [sys.executable, "-m", "benchmarks.noisy_hour", "--minutes", "4", "huawei"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=True)
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in done.stdout.splitlines() if "huawei" in line]
    assert [row[1] for row in rows] == ["none", "50 W, 60 s"]
    (_, _, _, without, _, plain), (_, _, _, gated, _, kept) = rows
    assert int(gated) < int(without) / 3
    assert float(kept.rstrip(" %")) >= float(plain.rstrip(" %")) - 1
