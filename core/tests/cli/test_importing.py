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


def test_what_runs_for_months_has_its_collector_and_does_not_look_through_its_modules():
    program = """
import gc
from samspel.cli.ending import guarded
said = []
def load():
    said.append(gc.isenabled())
    return lambda _: said.append((gc.isenabled(), gc.get_freeze_count()))
guarded(load, [])
print(said)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    first, (enabled, frozen) = eval(done.stdout)  # noqa: S307 - our own two values
    assert (first, enabled) == (False, True)
    assert frozen > 1000
