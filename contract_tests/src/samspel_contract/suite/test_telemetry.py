"""Every signal against the simulated home, in both directions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from samspel.contract.signals import SIGNALS
from samspel.contract.telemetry import Quality, Reading
from samspel.registers.model import Register
from samspel_sim.physics import Home

from samspel_contract.capabilities import Capability
from samspel_contract.case import DriverCase, needs, once, safety, simulated
from samspel_contract.rig import Rig
from samspel_contract.table_check import UNITS
from samspel_contract.target import Target
from samspel_contract.truth import COUNTERS, SCENES, TRUTHS, Scene

SETTLED_S = 60.0
SHOWN_S = 2.0
"""How long a device may go on showing what stood there before."""
CLEARLY_W = 300.0
CLEARLY = {"A": CLEARLY_W / 230, "W": CLEARLY_W}


async def _played(driver_case: DriverCase, scene: Scene) -> Rig:
    """The scene, settled, with fresh measurements in the registers."""
    rig = driver_case.rig(soc_pct=scene.soc_pct, pv_w=scene.pv_w, load_w=scene.load_w)
    await rig.driver.identify()
    await rig.wait(SETTLED_S)
    rig.twin.refresh()
    return rig


@dataclass(frozen=True)
class Look:
    """One scene as the driver saw it, beside the home as it was."""

    rig: Rig
    readings: Mapping[str, Reading]

    @property
    def home(self) -> Home:
        """The truth, which has stood still since."""
        return self.rig.twin.behaviour.home


_looks: dict[tuple[Target, Scene], Look] = {}
"""Every signal is held against the same few looks; a look depends on driver and scene alone."""


async def _look(driver_case: DriverCase, scene: Scene) -> Look:
    key = (driver_case.target, scene)
    if key not in _looks:
        rig = await _played(driver_case, scene)
        _looks[key] = Look(rig, await rig.driver.read())
    return _looks[key]


@once
@safety
@simulated
async def test_signal_follows_the_truth(driver_case: DriverCase, true_signal: str) -> None:
    """Sign and scale: the signal says what the simulated home really does, charging and discharging, importing and
    exporting.

    If this fails: a value of the wrong sign is `positive` in the map's row, a wrong size `scale`, nonsense `words`.
    """
    truth, seen = TRUTHS[true_signal], []
    for scene in SCENES:
        look = await _look(driver_case, scene)
        value, true = look.readings[true_signal].usable(), truth.of(look.home)
        assert value is not None, f"{scene.name}: {true_signal} has no value"
        assert truth.allows(value, look.home), f"{scene.name}: {true_signal} says {value:g}, true is {true:g}"
        seen.append(true)
    if truth.signed:
        least = CLEARLY[SIGNALS[true_signal].unit] / (3 if "_l" in true_signal else 1)
        assert min(seen) < -least, "the twin's own logic never showed the negative direction"
        assert max(seen) > least, "the twin's own logic never showed the positive direction"


@simulated
async def test_signal_says_what_its_register_holds(driver_case: DriverCase, signal: str) -> None:
    """Every signal of the map reads as good, within its range, and is the number that the twin put into that register.

    If this fails: compare the row's type, words, scale and sentinels with the register table.
    """
    for scene in SCENES:
        look = await _look(driver_case, scene)
        rows = [row for row in look.rig.map.registers.values() if row.signal == signal]
        row = next((row for row in rows if look.rig.words(row) is not None), rows[0])
        reading = look.readings[signal]
        assert reading.quality is Quality.GOOD
        assert reading.unit == SIGNALS[signal].unit
        held = _held(look.rig, row)
        if isinstance(reading.value, int | float):
            assert math.isclose(abs(reading.value), abs(held), rel_tol=1e-6, abs_tol=1e-6)


@once
@safety
@simulated
async def test_not_available_is_no_value(driver_case: DriverCase) -> None:
    """A register that shows what the map lists as "not available" gives no value: its signal is invalid, never a
    number, and costs no other row its own.

    If this fails: an invalid reading is left out; it is neither 0 nor the last good value.
    """
    rig = await _played(driver_case, SCENES[0])
    rig.twin.misbehave("stuck")
    rows = [row for row in rig.map.registers.values() if row.signal and row.invalid and rig.words(row) is not None]
    for row in rows:
        twin_row, words = rig.twin_row(row), rig.words(row)
        if twin_row is None or words is None or row.instead_of:
            continue
        before = (await rig.driver.read())[row.signal or ""]
        assert before.quality is Quality.GOOD, row.name
        for raw in sorted(row.invalid):
            rig.set_raw(row, raw)
            await rig.wait(SHOWN_S)
            reading = (await rig.driver.read())[row.signal or ""]
            assert (reading.quality, reading.usable()) == (Quality.INVALID, None), f"{row.name} = {raw:#x}"
        rig.set_raw(row, twin_row.decode_raw(words))
        await rig.wait(SHOWN_S)
        assert (await rig.driver.read())[row.signal or ""].value == before.value, row.name


def _held(rig: Rig, row: Register) -> float:
    """What the twin put there, with the rows that give it its meaning; its sign the register alone cannot say."""
    twin_row, words = rig.twin_row(row), rig.words(row)
    assert twin_row is not None, "the twin has no such register"
    assert words is not None, "the twin cannot read it"
    value = twin_row.decode(words)
    if not isinstance(value, int | float):
        return 0.0
    held = value * UNITS.get(twin_row.unit, ("", 1.0))[1]
    if row.times is not None:
        held *= _held(rig, rig.map.registers[row.times])
    if row.between is not None:
        low, high = (_held(rig, rig.map.registers[name]) for name in row.between)
        held = low + (high - low) * held / 100
    return held


def _counted(rig: Rig, readings: Mapping[str, Reading]) -> dict[str, tuple[float, float]]:
    """Each counter that the map has: what it says, and the true number; a value that is not good counts as none."""
    home = rig.twin.behaviour.home
    names = [name for name in COUNTERS if name in readings]
    return {name: (readings[name].usable() or 0.0, COUNTERS[name](home)) for name in names}


def _step_wh(rig: Rig, signal: str) -> float:
    """The smallest energy that the counter can show."""
    return max(abs(row.scale) for row in rig.map.registers.values() if row.signal == signal)


@needs(Capability.ENERGY_COUNTERS)
@simulated
async def test_energy_counters_count(driver_case: DriverCase) -> None:
    """Every energy counter grows by the energy that really flowed, in Wh, and by nothing else.

    If this fails: charged and discharged (or import and export) are swapped, or the scale is that of another unit.
    """
    most: dict[str, float] = {}
    for scene in SCENES:
        rig = await _played(driver_case, scene)
        before = _counted(rig, await rig.driver.read())
        rig.twin.set({"load_power_w": scene.load_w + 25, "pv_power_w": scene.pv_w + 60})  # no house stands still
        await rig.wait(900)
        rig.twin.refresh()
        for name, (value, true) in _counted(rig, await rig.driver.read()).items():
            grown, truly = value - before[name][0], true - before[name][1]
            allowed = 25 + 0.02 * truly + _step_wh(rig, name)
            assert abs(grown - truly) <= allowed, f"{scene.name}: {name} grew {grown:g} Wh, true {truly:g}"
            most[name] = max(most.get(name, 0.0), truly)
    assert min(most.values()) > 100, f"no scene made all of these count: {most}"


@once
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
