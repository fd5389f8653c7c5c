"""Toys made from the good one: edited, and installed as a stranger's distribution would be."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import pytest
from samspel_contract.isolated import Run, run_isolated

GOOD = Path(str(files("samspel_contract") / "toys" / "good"))
TWIN = "samspel_contract.toys.good.twin:twin"

DIST = """\
Metadata-Version: 2.1
Name: samspel-toy
Version: 1.2.3
"""
ENTRY_POINTS = f"""\
[samspel.drivers]
toy = samspel_toy:driver.toml

[samspel.twins]
toy = {TWIN}
"""


@dataclass
class Toy:
    """A copy of the good toy in a folder of its own."""

    folder: Path

    def edit(self, file: str, find: str, replace: str) -> Toy:
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        assert find in text, f"{file} has no place that reads {find!r}"
        path.write_text(text.replace(find, replace, 1), encoding="utf-8")
        return self

    def append(self, file: str, text: str) -> Toy:
        with (self.folder / file).open("a", encoding="utf-8") as stream:
            stream.write(text)
        return self

    def run(self, *ids: str, arguments: Sequence[str] = ()) -> Run:
        """Only the named tests: enough to see whether they notice."""
        return self._pytest(*arguments, "-k", " or ".join(f"test_{name}" for name in ids))

    def collect(self) -> str:
        return self._pytest("--collect-only").output

    def _pytest(self, *arguments: str) -> Run:
        return run_isolated([f"--samspel-manifest={self.folder / 'driver.toml'}", f"--samspel-twin={TWIN}", *arguments])

    def install(self, site: Path, extra_entry_points: str = "") -> dict[str, str]:
        """As a distribution on PYTHONPATH; the environment in which it is installed."""
        shutil.copytree(self.folder, site / "samspel_toy")
        dist = site / "samspel_toy-1.2.3.dist-info"
        dist.mkdir()
        (dist / "METADATA").write_text(DIST)
        (dist / "entry_points.txt").write_text(ENTRY_POINTS + extra_entry_points)
        return {**os.environ, "PYTHONPATH": str(site)}


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    shutil.copytree(GOOD, tmp_path / "toy", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    (tmp_path / "toy" / "__init__.py").write_text("")
    return Toy(tmp_path / "toy")
