"""A state folder has one owner; who comes second is told who that is."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from samspel.contract.errors import ConfigError
from samspel.store.owner import sole_owner

OTHER = """
import sys
from pathlib import Path
from samspel.store.owner import sole_owner
with sole_owner(Path(sys.argv[1]), 0.0):
    print("mine", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", OTHER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout.readline() == "mine\n"
        yield process
        process.kill()


def test_who_comes_second_is_told_who_has_it_and_what_to_do(other, tmp_path):
    told = rf"in use by process {other.pid}: .* Stop that one first"
    with pytest.raises(ConfigError, match=told), sole_owner(tmp_path, 0.0):
        pytest.fail("two owners")


def test_kill_9_frees_it(other, tmp_path):
    other.kill()
    other.wait()
    with sole_owner(tmp_path, 5.0):
        assert (tmp_path / "edge.owner").read_text() == f"{os.getpid()}\n"


def test_it_can_be_had_again_and_again(tmp_path):
    for _ in range(2):
        with sole_owner(tmp_path, 0.0):
            pass


def test_a_disk_that_takes_no_lock_file_keeps_nobody_from_a_rescue(tmp_path):
    (tmp_path / "edge.lock").mkdir()
    with sole_owner(tmp_path, 0.0):
        pass
