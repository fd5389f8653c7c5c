"""The certifying door: the suite in a process of its own, out of reach of an author's conftest and pytest plugins."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

__all__ = ["Run", "run_isolated"]

FORGOTTEN = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_CURRENT_TEST")
"""Environment by which somebody could still speak to pytest."""


TIMEOUT_S = 1800
NEVER_ENDED = -1


@dataclass(frozen=True, slots=True)
class Run:
    """What came of it: pytest's exit code, what it said, and the outcome of every test that ran, by its name."""

    exit_code: int
    output: str
    outcomes: dict[str, str]


def run_isolated(arguments: list[str]) -> Run:
    """Run the whole suite; `arguments` name the driver (see `plugin`)."""
    suite = str(files("samspel_contract") / "suite")
    with tempfile.TemporaryDirectory(prefix="samspel-contract-") as folder:
        outcomes = Path(folder) / "outcomes.json"
        command = [sys.executable, "-m", "pytest", "--noconftest", "-c", os.devnull, f"--rootdir={suite}"]
        command += ["-p", "samspel_contract.plugin", "-p", "no:cacheprovider", "--import-mode=importlib"]
        command += ["-W", "error", "-q", "--tb=short", f"--samspel-outcomes={outcomes}", *arguments, suite]
        exit_code, output = _finished(command, folder)
        found = json.loads(outcomes.read_text(encoding="utf-8")) if outcomes.is_file() else {}
    return Run(exit_code, output, found)


def _finished(command: list[str], folder: str) -> tuple[int, str]:
    """Exit code and output; a driver that keeps the suite busy for ever has not passed it."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as expired:
        said = (expired.output or b"").decode(errors="replace")
        return NEVER_ENDED, f"{said}\nended after {TIMEOUT_S} s: some test never came to an end"
    return done.returncode, done.stdout.decode(errors="replace")


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in FORGOTTEN}
    return {**kept, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
