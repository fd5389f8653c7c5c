"""The garbage collector rests while modules are imported, and only then."""

from __future__ import annotations

import gc
import subprocess
import sys

import pytest
from samspel.cli.importing import importing


def test_the_collector_rests_meanwhile_and_works_again_whatever_happens():
    with importing():
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(ImportError), importing():
        raise ImportError("no such module")
    assert gc.isenabled()


def test_a_command_is_imported_without_its_collector_and_runs_with_it():
    program = """
import gc
from samspel.cli.ending import guarded
said = []
def load():
    said.append(gc.isenabled())
    return lambda _: said.append(gc.isenabled())
guarded(load, [])
print(said)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[False, True]"
