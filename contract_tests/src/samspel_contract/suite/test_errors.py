"""What leaves the driver when the device or the way to it misbehaves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from samspel.contract.driver import ControlState, Snapshot
from samspel.contract.errors import BusError, DriverError
from samspel.contract.telemetry import Quality, Reading
from samspel.registers.model import Register
from samspel.registers.quarantine import RECHECK_S
from samspel_sim.misbehave import UnknownMisbehaviourError

from samspel_contract.case import DriverCase, safety, simulated
from samspel_contract.rig import Rig
from samspel_contract.stranger import stranger_registers

POWER_W = 1200.0
LOOKS = 20
SHOWN_S = 5.0
"""How long a device may go on showing what stood there before."""


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
    Trouble("answer_unit", {"unit": 247}),
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
        lambda: rig.stop(snapshot),
        lambda: rig.release(snapshot),
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


@safety
@simulated
async def test_silence_is_no_success(driver_case: DriverCase) -> None:
    """Of a device that answers nothing, every look and every command fails: none of them returns as if it had worked.

    If this fails: somewhere a timeout is caught and nobody is told.
    """
    rig = driver_case.rig()
    snapshot = await rig.take()
    await rig.driver.read()
    rig.twin.misbehave("mute")
    for call in _calls(rig, snapshot):
        with pytest.raises((BusError, DriverError)):
            await call()


@safety
@simulated
async def test_second_client_is_survived(driver_case: DriverCase) -> None:
    """When somebody else's connection pushes ours out, in between or again and again, what the driver does next works
    or fails with an error of core's own; and works when they are gone.

    If this fails: a lost connection has to lead to a new one, on which the device is confirmed first.
    """
    rig = driver_case.rig()
    snapshot = await rig.take()
    for _ in range(3):
        rig.twin.open(lambda _how: None)
        try:
            await rig.set_power(POWER_W, snapshot)
        except (BusError, DriverError):
            await rig.wait(1)
    await rig.set_power(POWER_W, snapshot)
    assert (await rig.driver.read_control()).state is ControlState.OURS


@safety
@simulated
async def test_second_master_is_noticed(driver_case: DriverCase) -> None:
    """Somebody else's command over ours is seen as foreign, and so is one in a control block that was at its default.

    If this fails: a trigger or parameter that others may write is not among the registers that are compared.
    """
    command = await stranger_registers(driver_case.target, -POWER_W / 2)
    rig = driver_case.rig()
    snapshot = await rig.take()
    await rig.set_power(POWER_W, snapshot)
    assert (await rig.driver.read_control()).state is ControlState.OURS
    rig.twin.set({"registers": command})
    await rig.wait(SHOWN_S)
    assert (await rig.driver.read_control()).state is ControlState.FOREIGN
    untouched = driver_case.rig()
    await untouched.driver.identify()
    untouched.twin.set({"registers": command})
    await untouched.wait(SHOWN_S)
    assert (await untouched.driver.read_control()).state is ControlState.FOREIGN


@simulated
async def test_absent_registers_are_left_in_peace(driver_case: DriverCase) -> None:
    """A register that the device does not have reads as absent and costs no other signal its value; it is asked for
    rarely from then on, and read again when it is there after all.

    If this fails: remember who refused, ask the others of its block without it, and ask again only once in a while.
    """
    for poll in ("fast", "slow", "static"):
        rig = driver_case.rig()
        await rig.driver.identify()
        row = next((row for row in rig.map.registers.values() if row.poll == poll and _stands_alone(rig, row)), None)
        if row is not None:
            usual = driver_case.rig()
            await usual.driver.identify()
            await _assert_left_in_peace(rig, row, _absent(await usual.driver.read()))
    rig = driver_case.rig()
    await rig.driver.identify()
    row = next(row for row in rig.map.registers.values() if row.poll == "fast" and _stands_alone(rig, row))
    rig.link.deny(row.table, row.address, row.count)
    await rig.driver.read(("fast",))
    rig.link.permit()
    await rig.wait(RECHECK_S + 1)
    assert (await rig.driver.read(("fast",)))[row.signal or ""].quality is not Quality.ABSENT


def _absent(readings: Mapping[str, Reading]) -> set[str]:
    return {name for name, reading in readings.items() if reading.quality is Quality.ABSENT}


async def _assert_left_in_peace(rig: Rig, row: Register, usual: set[str]) -> None:
    rig.link.deny(row.table, row.address, row.count)
    first, asked = await rig.driver.read(), rig.link.denied
    assert _absent(first) - usual == {row.signal}, f"{row.name} is not there"
    for _ in range(LOOKS):
        await rig.driver.read()
    assert rig.link.denied == asked, f"{row.name} was asked for {rig.link.denied - asked} times in {LOOKS} looks"


def _stands_alone(rig: Rig, row: Register) -> bool:
    """A signal that no other row needs, so that its absence costs no more than itself; the device has it today."""
    needed = (name for other in rig.map.registers.values() for name in (*other.companions, *(other.only_if or ())))
    spared = row.signal is None or row.at is not None or row.only_if is not None or rig.words(row) is None
    return not spared and row.name not in needed and rig.map.stand_in(row.name) is None


@simulated
async def test_restart_of_the_device_is_survived(driver_case: DriverCase) -> None:
    """A device that restarts in the middle of a command is identified again, its control block is judged as it now is,
    and a release leaves it at its default.

    If this fails: nothing that was known of the control block survives the device's own restart.
    """
    rig = driver_case.rig()
    snapshot = await rig.take()
    await rig.set_power(POWER_W, snapshot)
    with suppress(UnknownMisbehaviourError):
        rig.twin.misbehave("reboot")
    await rig.driver.identify()
    await rig.driver.read_control()
    await rig.release(snapshot)
    assert (await rig.driver.read_control()).state is ControlState.DEFAULT
