"""No word of the brand goes upward, except in the places that the design names."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping

import pytest
from samspel.contract.driver import ActiveFault
from samspel.contract.errors import BusError, DriverError
from samspel.contract.signals import SIGNALS
from samspel.driver.faults import FaultState, FaultWord

from samspel_contract.capabilities import Capability
from samspel_contract.case import DriverCase, needs, once, safety, simulated
from samspel_contract.rig import Rig

POWER_W = 1000.0


def _brand_words(text: str, words: tuple[str, ...]) -> list[str]:
    return [word for word in words if re.search(rf"(?<![a-z0-9]){re.escape(word.lower())}", text.lower())]


def _without_raw(fault: ActiveFault) -> Mapping[str, object]:
    """`raw` is the one place where a fault may use the device's own words."""
    return {key: value for key, value in dataclasses.asdict(fault).items() if key != "raw"}


def _raws_of(row: FaultWord | FaultState) -> list[int]:
    """Raw numbers that raise everything the row knows."""
    return list(row.values) if isinstance(row, FaultState) else [0xFFFF_FFFF]


async def _everything_upward(rig: Rig) -> dict[str, str]:
    """What a site publishes of this device: by place, as text."""
    snapshot = await rig.take()
    readings = await rig.driver.read()
    reports = [await rig.driver.set_power(power, rig.now + 60, snapshot, None) for power in (POWER_W, -POWER_W, 0.0)]
    control = await rig.driver.read_control()
    reports += [await rig.stop(snapshot), await rig.release(snapshot)]
    routes = [{**dataclasses.asdict(route), "source": ""} for route in rig.driver.capabilities().routes]
    return {
        "telemetry": json.dumps([[name, str(reading.value), reading.unit] for name, reading in readings.items()]),
        "reports": json.dumps([[report.rung, report.skipped_because] for report in reports]),
        "routes": json.dumps(routes),
        "control": control.state,
    }


@needs(Capability.CHARGE, Capability.DISCHARGE, Capability.HELD_ZERO)
@safety
@simulated
async def test_no_brand_word_goes_upward(driver_case: DriverCase) -> None:
    """None of the manifest's own words occurs in telemetry, reports, rungs or routes.

    If this fails: rename the rung or route; states and texts speak the contract's language.
    """
    rig = driver_case.rig()
    words = driver_case.target.manifest.words
    found = {place: _brand_words(text, words) for place, text in (await _everything_upward(rig)).items()}
    assert {place: hits for place, hits in found.items() if hits} == {}


@needs(Capability.FAULTS)
@safety
def test_faults_speak_no_brand(driver_case: DriverCase) -> None:
    """Every fault's text is free of the brand's words; only `raw` may hold them.

    If this fails: move the vendor's name of the condition from `text` to `raw` in faults.toml.
    """
    table, words = driver_case.target.manifest.faults, driver_case.target.manifest.words
    faults = [fault for row in table.rows for raw in _raws_of(row) for fault in row.active(raw)]
    assert faults
    assert not [fault for fault in faults if _brand_words(json.dumps(_without_raw(fault)), words)]


@once
@safety
@simulated
async def test_signals_are_of_the_closed_list(driver_case: DriverCase) -> None:
    """Whatever is read goes up under names of the closed list, states in the contract's words, no error in a brand's.

    If this fails: a `states` table uses the vendor's words, or an error message quotes them.
    """
    rig = driver_case.rig()
    await rig.driver.identify()
    readings = await rig.driver.read()
    assert set(readings) <= set(SIGNALS)
    rig.twin.misbehave("refuse_writes", code=4)
    snapshot = await rig.driver.take()
    with pytest.raises((BusError, DriverError)) as caught:
        await rig.set_power(POWER_W, snapshot)
    assert not _brand_words(str(caught.value), driver_case.target.manifest.words)
