"""The disturbances of a simulated home: what begins, what ends, under one name each.

An entry is called with the home; what it returns is called when the disturbance is over.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from samspel_sim.behaviour import OptionError
from samspel_sim.misbehave import UnknownMisbehaviourError

if TYPE_CHECKING:
    from samspel_contract.simulation.home import Home

__all__ = ["MQTT", "OUTAGES", "Begin", "End"]

End = Callable[[], Awaitable[None]]
Begin = Callable[["Home"], Awaitable[End | None]]
"""`None` where this device cannot be disturbed so."""

MQTT = "mqtt"


async def _nothing() -> None:
    """A disturbance of a moment is over when it has begun."""


async def _cable(home: Home) -> End:
    home.set_cable(out=True)

    async def mend() -> None:
        home.set_cable(out=False)

    return mend


async def _mqtt(home: Home) -> End:
    home.set_mqtt(out=True)

    async def mend() -> None:
        home.set_mqtt(out=False)

    return mend


async def _kill(home: Home) -> End:
    await home.end_life(gently=False)
    return home.begin_life


async def _sigterm(home: Home) -> End:
    await home.end_life(gently=True)
    return home.begin_life


async def _power_loss(home: Home) -> End:
    """The whole box: another boot, so that monotonic times of the journal mean nothing any more."""
    await home.end_life(gently=False)
    home.new_boot()
    return home.begin_life


async def _clock_step(home: Home) -> End:
    """The wall clock jumps, and the kernel knows that it is wrong."""
    offset_s = home.rng("clock").choice((-86_400.0, -600.0, -30.0, 30.0, 600.0, 86_400.0))
    home.set_clock(offset_s=offset_s, synchronised=False)

    async def mend() -> None:
        home.set_clock(offset_s=0.0, synchronised=True)

    return mend


async def _clock_unsynchronised(home: Home) -> End:
    home.set_clock(offset_s=0.0, synchronised=False)

    async def mend() -> None:
        home.set_clock(offset_s=0.0, synchronised=True)

    return mend


async def _disk_full(home: Home) -> End:
    home.set_disk(full=True)

    async def mend() -> None:
        home.set_disk(full=False)

    return mend


async def _second_master(home: Home) -> End | None:
    registers = home.stranger_registers()
    return await _misbehaviour("second_master", home, period_s=20.0, registers=registers)


async def _misbehaviour(name: str, home: Home, **parameters: object) -> End | None:
    try:
        home.misbehave(name, on=True, **parameters)
    except (UnknownMisbehaviourError, OptionError):
        return None

    async def mend() -> None:
        home.misbehave(name, on=False)

    return mend


async def _restart(name: str, home: Home) -> End | None:
    """A reboot or a new firmware (the one that it had: the same device answers as before)."""
    version = {"version": home.twin.behaviour.firmware} if name == "firmware" else {}
    try:
        home.misbehave(name, on=True, **version)
    except (UnknownMisbehaviourError, OptionError):
        return None
    return _nothing


def _lasting(name: str, **parameters: object) -> Begin:
    async def begin(home: Home) -> End | None:
        return await _misbehaviour(name, home, **parameters)

    return begin


OUTAGES: Mapping[str, Begin] = {
    "cable_cut": _cable,
    "mqtt_cut": _mqtt,
    "kill": _kill,
    "sigterm": _sigterm,
    "power_loss": _power_loss,
    "clock_step": _clock_step,
    "clock_unsynchronised": _clock_unsynchronised,
    "disk_full": _disk_full,
    "second_master": _second_master,
    "busy": _lasting("busy", share=0.5),
    "slow": _lasting("slow", seconds=1.5),
    "mute": _lasting("mute"),
    "half_open": _lasting("half_open"),
    "refuse_connections": _lasting("refuse_connections"),
    "refuse_writes": _lasting("refuse_writes", code=4),
    "wrong_echo": _lasting("wrong_echo"),
    "stuck": _lasting("stuck"),
    "ignore_setpoint": _lasting("ignore_setpoint"),
    "clamp": _lasting("clamp", watts=800.0),
    "reverse": _lasting("reverse"),
    "meter_offline": _lasting("meter_offline"),
    "sleep": _lasting("sleep"),
    "battery_fault": _lasting("battery_fault"),
    "calibration": _lasting("calibration"),
    "reboot": partial(_restart, "reboot"),
    "firmware": partial(_restart, "firmware"),
}
"""Every name that `[outages]` of a scenario may hold."""
