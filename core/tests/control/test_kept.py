"""A power is written only if a successor would know it as ours."""

from __future__ import annotations

import pytest
from samspel.contract.errors import StoreError
from samspel.contract.outcome import End
from samspel.control import kept
from samspel.control.events import GiveBack
from samspel.control.kept import KeptMarks

from .kit import Machine, set_power

OLD, NEW = {"power": 1}, {"power": 2}


def test_on_a_disk_that_takes_writes_everything_may_be_written():
    marks = KeptMarks(())
    marks.check(OLD, (OLD,), refuses=False)
    marks.check(NEW, (OLD, NEW), refuses=False)


def test_on_one_that_takes_none_only_what_it_knows():
    marks = KeptMarks(())
    marks.check(OLD, (OLD,), refuses=False)
    marks.check(OLD, (OLD,), refuses=True)
    for _ in range(2):
        with pytest.raises(StoreError, match="the disk takes nothing"):
            marks.check(NEW, (OLD, NEW), refuses=True)
    marks.check(NEW, (OLD, NEW), refuses=False)
    marks.check(NEW, (OLD, NEW), refuses=True)


def test_what_an_earlier_life_left_is_known():
    KeptMarks((OLD,)).check(OLD, (OLD,), refuses=True)


def test_after_the_usual_tries_the_command_ends_and_control_goes_back():
    machine = Machine().controlling()
    machine.command(set_power("other", 1000.0, seq=2))
    for _ in range(machine.policy.failures_before_end):
        assert machine.end("other") is None
        machine.failed(StoreError("the disk takes nothing"))
        asked = machine.asked_driver()
        machine.wait(machine.policy.retry_max_s / 10)
    assert (machine.end("other"), machine.why("other")) == (End.FAILED, "store")
    assert asked == [GiveBack]


def test_the_module_says_what_it_protects_from():
    for word in ("Unsafe condition", "Limit", "Reaction", "Recovery", "outranks"):
        assert word in (kept.__doc__ or "")
