"""What leaves the driver when the device or the way to it misbehaves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from samspel.contract.driver import ControlState, Snapshot
from samspel.contract.errors import BusError, DriverError

from samspel_contract.case import DriverCase, safety, simulated
from samspel_contract.rig import Rig

POWER_W = 1200.0


@dataclass(frozen=True)
class Trouble:
    """One misbehaviour that every twin can be told to show."""

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """For the report."""
        return "-".join([self.name, *map(str, self.parameters.values())])


TROUBLES = (
    Trouble("busy", {"share": 1.0}),
    Trouble("busy", {"share": 0.3}),
    Trouble("slow", {"seconds": 2.0}),
    Trouble("mute"),
    Trouble("reset"),
    Trouble("half_open"),
    Trouble("refuse_connections"),
    *(Trouble("refuse_writes", {"code": code}) for code in (1, 2, 3, 4, 6, 128)),
    Trouble("wrong_echo"),
    Trouble("stuck"),
)


def _calls(rig: Rig, snapshot: Snapshot) -> list[Callable[[], Awaitable[object]]]:
    driver = rig.driver
    return [
        driver.identify,
        driver.read,
        driver.read_faults,
        driver.read_control,
        driver.take,
        lambda: rig.set_power(POWER_W, snapshot),
        lambda: rig.set_power(-POWER_W, snapshot, previous_w=POWER_W),
        lambda: rig.set_power(0, snapshot, previous_w=-POWER_W),
        lambda: driver.keep_alive(POWER_W, rig.now + 60, snapshot),
        lambda: driver.stop(snapshot),
        lambda: driver.release(snapshot),
    ]


@safety
@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.id)
@simulated
async def test_only_core_errors_leave_the_driver(driver_case: DriverCase, trouble: Trouble) -> None:
    """Under every misbehaviour each call succeeds or raises a BusError or DriverError, in finite time; when it is over,
    a stop and a release work.

    If this fails: the traceback names the error that escaped; convert it where it arises, with the original as cause.
    """
    rig = driver_case.rig()
    snapshot = await rig.take()
    rig.twin.misbehave(trouble.name, **trouble.parameters)
    if trouble.name == "refuse_connections":
        rig.link.drop()
    for call in _calls(rig, snapshot):
        try:
            await call()
        except (BusError, DriverError):
            await rig.wait(1)
    rig.twin.misbehave(trouble.name, on=False)
    rig.link.drop()
    await rig.stop(snapshot)
    await rig.wait(driver_case.target.declaration.stop_s)
    assert rig.at_rest
    await rig.release(snapshot)
    assert (await rig.driver.read_control()).state is ControlState.DEFAULT
