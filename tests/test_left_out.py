"""A test that needs an absent tool is named at the end, or fails the run where the tool is required."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TESTS = """
import pytest

@pytest.mark.mosquitto
def test_marked(): ...

def test_by_fixture(mosquitto_path): ...

def test_ordinary(): ...
"""


@pytest.fixture
def run(tmp_path):
    """Run three tests on a machine without mosquitto."""
    conftest = (ROOT / "conftest.py").read_text().replace("/usr/sbin", "/nowhere")
    (tmp_path / "conftest.py").write_text(conftest.replace("/usr/local/sbin", "/nowhere"))
    (tmp_path / "test_three.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers\nmarkers = mosquitto: needs it\n")

    def start(require: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PATH": "/nowhere", "SAMSPEL_REQUIRE": require}
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    return start


def test_the_last_line_names_what_was_not_run(run):
    result = run(require="")
    assert result.returncode == 0
    assert "1 passed, 2 skipped" in result.stdout
    assert result.stdout.splitlines()[-1] == (
        "NOT RUN: 2 tests need mosquitto, which is absent (sudo apt-get install mosquitto)"
    )


def test_required_and_absent_fails(run):
    result = run(require="mosquitto")
    assert result.returncode != 0
    assert "SAMSPEL_REQUIRE=mosquitto, but mosquitto is not in PATH or" in result.stderr


def test_a_slip_of_the_pen_fails(run):
    result = run(require="mosquito")
    assert result.returncode != 0
    assert (
        "SAMSPEL_REQUIRE names ['mosquito']; known are ['huawei-solar', 'mosquitto', 'sungrow-modbus']" in result.stderr
    )
