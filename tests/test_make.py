"""An environment without its stamp is half made, and is made again from nothing."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MEMBERS = ["core", "sim", "contract_tests", "plugins/huawei", "plugins/saj", "plugins/sungrow", "prequal"]

# Stands in for Python: writes down how it was called, and fails when the file that it is told of exists.
FAKE_PYTHON = """#!/bin/sh
echo "$* [${VIRTUAL_ENV-}${PYTHONPATH-}${PYTHONHOME-}${PIP_USER-}${UV_PYTHON-}]" >> calls
case "$*" in
    *sys.version_info*) echo "3.11 $0" ;;
    *"venv --clear .venv"*) rm -rf .venv; mkdir -p .venv/bin; cp "$0" .venv/bin/python ;;
    *"--group dev"*) [ ! -e break-dev ] ;;
    *"uv pip install"*) [ ! -e break-run ] ;;
esac
"""


class Checkout:
    """A folder with the Makefile, what it depends on and a stand-in for Python."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ["Makefile", "constraints.txt", "pyproject.toml", "tools/find-python"]:
            self._copy(name)
        for member in MEMBERS:
            self._copy(f"{member}/pyproject.toml")
        self.python = folder / "python 3"
        self.python.write_text(FAKE_PYTHON)
        self.python.chmod(0o755)

    def _copy(self, name: str) -> None:
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, self.folder / name)

    def make(self, target: str, **variables: str) -> bool:
        """Run make; `self.calls` then holds what Python was asked to do."""
        (self.folder / "calls").write_text("")
        environment = {"PATH": "/usr/bin:/bin", "SAMSPEL_PYTHON": "'./python 3'", **variables}
        done = subprocess.run(
            ["make", target], cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        self.calls = (self.folder / "calls").read_text()
        self.said = done.stdout + done.stderr
        return done.returncode == 0

    def has(self, name: str) -> bool:
        return (self.folder / name).exists()


@pytest.fixture
def checkout(tmp_path):
    (tmp_path / "a folder").mkdir()
    return Checkout(tmp_path / "a folder")


def test_the_second_time_nothing_is_built(checkout):
    assert checkout.make("test"), checkout.said
    assert "-I -m venv --clear .venv" in checkout.calls
    assert checkout.make("test")
    assert checkout.calls.startswith("-m pytest")
    assert len(checkout.calls.splitlines()) == 1


def test_the_demo_does_not_wait_for_development_packages(checkout):
    checkout.make(".venv/stamp-run")
    assert "--editable plugins/huawei[twin]" in checkout.calls
    assert "--group dev" not in checkout.calls


@pytest.mark.parametrize("broken", ["break-run", "break-dev"])
def test_an_interrupted_build_starts_from_nothing(checkout, broken):
    (checkout.folder / broken).touch()
    assert not checkout.make("test")
    assert not checkout.has(".venv/stamp-run")
    assert not checkout.has(".venv/stamp-dev")
    (checkout.folder / broken).unlink()
    assert checkout.make("test")
    assert "venv --clear" in checkout.calls
    assert checkout.calls.splitlines()[-1].startswith("-m pytest")


@pytest.mark.parametrize("folder", [".", *MEMBERS])
def test_a_change_of_dependencies_builds_anew(checkout, folder):
    checkout.make("test")
    later = time.time() + 10
    os.utime(checkout.folder / folder / "pyproject.toml", (later, later))
    assert checkout.make("test")
    assert "venv --clear" in checkout.calls


def test_hostile_variables_stay_outside(checkout):
    hostile = ["VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "PIP_USER", "UV_PYTHON"]
    assert checkout.make("test", **dict.fromkeys(hostile, "/nowhere"))
    assert " []" in checkout.calls
    assert "/nowhere" not in checkout.calls


def test_without_a_python_the_line_to_type_is_shown(checkout):
    assert not checkout.make("test", SAMSPEL_PYTHON="/bin/false")
    assert "sudo apt-get install python3 python3-venv" in checkout.said
    assert not checkout.has(".venv")
