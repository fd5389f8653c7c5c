"""What may never be written, whoever asks."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace

import pytest
from samspel.clock import LoopClock
from samspel.contract.driver import Snapshot
from samspel.contract.errors import SamspelError
from samspel.registers.model import Literal, Register, RegisterMap, Rung, Step, Verb

from samspel_contract.case import DriverCase, safety, simulated
from samspel_contract.rig import Rig
from samspel_contract.view import SPACES

POWER_W = 1000.0
NONSENSE = (math.nan, math.inf, -math.inf)


@dataclass(frozen=True)
class _OneMap:
    """A `MapSource` that knows one map."""

    registers: RegisterMap

    def for_device(self, *_: object, **__: object) -> RegisterMap:
        return self.registers

    def from_text(self, *_: object, **__: object) -> RegisterMap:
        return self.registers


def _abused(registers: RegisterMap, row: Register) -> RegisterMap:
    """The same map, but every sequence writes this register first."""
    step = (Step(verb=Verb.WRITE, registers=(row.name,), values=(Literal(1.0),)),)
    return replace(
        registers,
        sequences={name: step + tuple(steps) for name, steps in registers.sequences.items()},
        zero=tuple(Rung(rung.name, step + rung.steps) for rung in registers.zero),
        stop=tuple(Rung(rung.name, step + rung.steps) for rung in registers.stop),
    )


def _calls(rig: Rig, snapshot: Snapshot) -> list[Callable[[], Awaitable[object]]]:
    driver = rig.driver
    until = rig.now + 600
    return [
        driver.take,
        lambda: driver.set_power(-POWER_W, until, snapshot, None),
        lambda: driver.set_power(POWER_W, until, snapshot, -POWER_W),
        lambda: driver.set_power(0, until, snapshot, POWER_W),
        lambda: driver.keep_alive(POWER_W, until, snapshot),
        lambda: driver.stop(snapshot),
        lambda: driver.release(snapshot),
    ]


@safety
@simulated
async def test_forbidden_registers_cannot_be_written(driver_case: DriverCase) -> None:
    """Even with a map whose every sequence writes a register marked `never_write`, no call of the driver sends such a
    write: the device's own log of the whole run has none.

    If this fails: whatever writes has to ask the row first, not the author of the sequence.
    """
    target = driver_case.target
    for row in [row for row in target.registers.registers.values() if row.never_write]:
        rig = driver_case.rig()
        snapshot = await rig.take()
        rig.driver = target.driver(
            rig.link, LoopClock(), options=rig.options, maps=_OneMap(_abused(target.registers, row))
        )
        await rig.driver.identify()
        for call in _calls(rig, snapshot):
            with suppress(SamspelError):
                await call()
        forbidden = range(row.address, row.address + row.count)
        assert not [write for write in rig.writes() if write["address"] in forbidden], row.name


@safety
def test_forbidden_registers_are_no_ordinary_ones(driver_case: DriverCase) -> None:
    """What would shut down, reset or reconfigure the device is named with a reason, is in no sequence, and stands
    in the twin's table, so that a write to it would show.

    If this fails: state `never_write` for such registers of the document, whether or not a sequence would use them.
    """
    target = driver_case.target
    rows = [row for row in target.registers.registers.values() if row.never_write]
    assert rows, "the map names no register that must never be written"
    places = {(row.space, address) for row in target.table for address in row.addresses}
    for row in rows:
        assert row.never_write
        assert row.name not in target.registers.owned
        assert (SPACES[row.table], row.address) in places, f"the twin's table has no {row.name}"


@safety
@pytest.mark.parametrize("power_w", NONSENSE, ids=["nan", "inf", "minus_inf"])
@simulated
async def test_nonsense_is_not_written(driver_case: DriverCase, power_w: float) -> None:
    """A power that is no number is refused with an error of core's own, or bounded to what the battery allows; nothing
    that the device has to refuse is ever sent.

    If this fails: check the number before it becomes raw words.
    """
    rig = driver_case.rig()
    snapshot = await rig.take()
    with suppress(SamspelError):
        written_w = await rig.set_power(power_w, snapshot)
        assert math.isfinite(written_w)
        assert written_w * power_w > 0
    assert not [write for write in rig.writes() if write["result"] != "ok"]
