"""One owner of an endpoint among processes."""

import os
import subprocess
import sys

import pytest
from samspel.bus.lock import EndpointInUse, EndpointLock
from samspel.contract.errors import ConfigError

OTHER_PROCESS = """
import sys
from pathlib import Path
from samspel.bus.lock import EndpointLock
with EndpointLock("Dongle.lan", 502, Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_process_hears_who_the_owner_is_and_what_to_do(tmp_path):
    owner = subprocess.Popen(
        [sys.executable, "-c", OTHER_PROCESS, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with owner:
        assert owner.stdout.readline() == "held\n"
        lock = EndpointLock("dongle.lan", 502, tmp_path)
        for _ in range(2):
            with pytest.raises(EndpointInUse, match=rf"in use by process {owner.pid}: .* stop it first") as caught:
                lock.acquire()
            assert caught.value.pid == owner.pid
        owner.kill()
        owner.wait()
        with lock:
            pass


def test_other_endpoints_are_other_locks(tmp_path):
    with EndpointLock("a", 502, tmp_path), EndpointLock("a", 503, tmp_path), EndpointLock("::1", 502, tmp_path):
        pass


def test_a_released_lock_can_be_taken_again(tmp_path):
    lock = EndpointLock("a", 502, tmp_path / "made" / "here")
    for _ in range(2):
        with lock, pytest.raises(EndpointInUse, match=f"process {os.getpid()}"):
            EndpointLock("a", 502, tmp_path / "made" / "here").acquire()
    lock.release()


def test_an_owner_that_cannot_be_read_is_still_an_owner(tmp_path):
    with EndpointLock("a", 502, tmp_path):
        (tmp_path / "bus-a-502.owner").unlink()
        with pytest.raises(EndpointInUse, match="another process") as caught:
            EndpointLock("a", 502, tmp_path).acquire()
    assert caught.value.pid is None


def test_a_directory_that_cannot_be_used_is_a_config_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="lock directory"):
        EndpointLock("a", 502, tmp_path / "file").acquire()
