"""The clocks: of the machine, and of a simulation."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest
from samspel import clock
from samspel.clock import LoopClock, SystemClock


def test_the_machines_clocks_are_what_python_says():
    before, now, after = time.monotonic(), SystemClock().monotonic(), time.monotonic()
    assert before <= now <= after
    assert SystemClock().wall().utcoffset() == timedelta(0)


async def test_the_monotonic_clock_is_the_loops_own():
    before = asyncio.get_running_loop().time()
    assert before <= SystemClock().monotonic() <= asyncio.get_running_loop().time()


@pytest.mark.parametrize(
    ("error_s", "verdict"), [(None, False), (0.01, True), (1.0, True), (1.01, False), (16.0, False)]
)
def test_synchronised_is_the_kernels_word_and_its_bound(error_s, verdict):
    assert SystemClock(max_error_s=1.0, ask_kernel=lambda: error_s).synchronised() is verdict


def test_a_kernel_that_does_not_answer_means_no_and_is_said_once(caplog):
    def refuse() -> float:
        raise OSError("no adjtimex here")

    system = SystemClock(ask_kernel=refuse)
    assert not system.synchronised()
    assert not system.synchronised()
    assert caplog.text.count("no adjtimex here") == 1


def test_the_kernel_can_be_asked():
    error_s = clock.kernel_clock_error_s()
    assert error_s is None or 0 <= error_s < 1000


def test_the_boot_id_stays(monkeypatch, tmp_path):
    assert SystemClock().boot_id() == SystemClock().boot_id() != ""
    monkeypatch.setattr(clock, "_BOOT_ID_FILE", tmp_path / "absent")
    clock._machine_boot_id.cache_clear()
    fallback = SystemClock().boot_id()
    clock._machine_boot_id.cache_clear()
    assert fallback.startswith("process-")


@pytest.mark.looptime(start=100)
async def test_simulated_time_follows_the_loop():
    simulated = LoopClock(epoch=datetime(2026, 1, 1, tzinfo=UTC))
    assert (simulated.monotonic(), simulated.wall()) == (100.0, datetime(2026, 1, 1, 0, 1, 40, tzinfo=UTC))
    await asyncio.sleep(3600)
    assert (simulated.monotonic(), simulated.wall()) == (3700.0, datetime(2026, 1, 1, 1, 1, 40, tzinfo=UTC))


@pytest.mark.looptime
async def test_the_simulated_wall_clock_can_be_wrong_and_say_so():
    simulated = LoopClock()
    right = simulated.wall()
    simulated.wall_offset_s = -7200.0
    simulated.is_synchronised = False
    simulated.boot = "boot-2"
    assert right - simulated.wall() == timedelta(hours=2)
    assert (simulated.synchronised(), simulated.boot_id()) == (False, "boot-2")
