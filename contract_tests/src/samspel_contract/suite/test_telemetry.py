"""Every signal against the simulated home, in both directions."""

from __future__ import annotations

import math
from dataclasses import replace

from samspel.contract.signals import SIGNALS
from samspel.contract.telemetry import Quality
from samspel_contract.capabilities import Capability
from samspel_contract.case import DriverCase, needs, safety, simulated
from samspel_contract.rig import Rig
from samspel_contract.table_check import UNITS
from samspel_contract.truth import COUNTERS, SCENES, TRUTHS, Scene

SETTLED_S = 60.0
CLEARLY_W = 300.0
CLEARLY = {"A": CLEARLY_W / 3 / 230, "W": CLEARLY_W}


async def _played(driver_case: DriverCase, scene: Scene) -> Rig:
    """The scene, settled, with fresh measurements in the registers."""
    rig = driver_case.rig(soc_pct=scene.soc_pct, pv_w=scene.pv_w, load_w=scene.load_w)
    await rig.driver.identify()
    await rig.wait(SETTLED_S)
    rig.twin.refresh()
    return rig


@safety
@simulated
async def test_signal_follows_the_truth(driver_case: DriverCase, true_signal: str) -> None:
    """Sign and scale: the signal says what the simulated home really does, charging and discharging, importing and
    exporting.

    If this fails: a value of the wrong sign is `positive` in the map's row, a wrong size `scale`, nonsense `words`.
    """
    truth, seen = TRUTHS[true_signal], []
    for scene in SCENES:
        rig = await _played(driver_case, scene)
        value = (await rig.driver.read())[true_signal].usable()
        home = rig.twin.behaviour.home
        assert value is not None, f"{scene.name}: {true_signal} has no value"
        assert truth.allows(value, home), f"{scene.name}: {true_signal} says {value:g}, true is {truth.of(home):g}"
        seen.append(truth.of(home))
    if truth.signed:
        least = CLEARLY[SIGNALS[true_signal].unit] / (3 if "_l" in true_signal else 1)
        assert min(seen) < -least, "the twin's own logic never showed the negative direction"
        assert max(seen) > least, "the twin's own logic never showed the positive direction"


@simulated
async def test_signal_says_what_its_register_holds(driver_case: DriverCase, signal: str) -> None:
    """Every signal of the map reads as good, within its range, and is the number that the twin put into that register.

    If this fails: compare the row's type, words, scale and sentinels with the register table.
    """
    rig = await _played(driver_case, SCENES[0])
    reading = (await rig.driver.read())[signal]
    row = next(row for row in rig.map.registers.values() if row.signal == signal)
    twin_row, words = rig.twin_row(row), rig.words(row)
    assert twin_row is not None, f"the twin has no register at {row.address}"
    assert words is not None, f"the twin cannot read {row.address}"
    assert reading.quality is Quality.GOOD
    assert reading.unit == SIGNALS[signal].unit
    if isinstance(reading.value, int | float):
        factor = UNITS.get(twin_row.unit, ("", 1.0))[1]
        held = twin_row.decode_raw(words) * twin_row.scale * factor
        assert math.isclose(abs(reading.value), abs(held), rel_tol=1e-6, abs_tol=1e-6)


@needs(Capability.ENERGY_COUNTERS)
@simulated
async def test_counter_counts(driver_case: DriverCase, counter: str) -> None:
    """Energy counters grow by the energy that really flowed, in Wh.

    If this fails: charged and discharged (or import and export) are swapped, or the scale is that of another unit.
    """
    grown = 0.0
    for scene in SCENES:
        rig = await _played(driver_case, scene)
        home, before = rig.twin.behaviour.home, (await rig.driver.read())[counter].usable()
        true_before = COUNTERS[counter](home)
        rig.twin.set({"load_power_w": scene.load_w + 25})  # nothing stands still for long in a real house
        await rig.wait(900)
        rig.twin.refresh()
        after = (await rig.driver.read())[counter].usable()
        true = COUNTERS[counter](home) - true_before
        assert before is not None, f"{scene.name}: {counter} has no value"
        assert after is not None, f"{scene.name}: {counter} has no value"
        assert abs(after - before - true) <= 25 + 0.02 * true, f"{scene.name}: {after - before:g} Wh, true {true:g}"
        grown = max(grown, true)
    assert grown > 100, "no scene made this counter count"


@safety
@simulated
async def test_readings_keep_their_own_time(driver_case: DriverCase) -> None:
    """Every reading carries the time of its own answer, and a reading that could not be renewed is never restamped.

    If this fails: times must come from the answer that carried the value, not from the call.
    """
    rig = driver_case.rig()
    await rig.driver.identify()
    start = rig.now
    first = await rig.driver.read()
    assert all(start <= reading.monotonic_s <= rig.now for reading in first.values())
    await rig.wait(30)
    later = rig.now
    rig.link.cut_after_requests(1)
    for reading_name, reading in (await rig.driver.read()).items():
        fresh = reading.quality in (Quality.GOOD, Quality.INVALID, Quality.ABSENT)
        assert reading.monotonic_s >= later if fresh else reading == replace(first[reading_name], quality=Quality.STALE)
