"""Somebody else's command, in the twin's own registers: what a second master would have written."""

from __future__ import annotations

from samspel_contract.rig import Rig
from samspel_contract.target import Target

__all__ = ["stranger_registers"]


async def stranger_registers(target: Target, power_w: float) -> dict[str, int]:
    """The raw values that a command of this power leaves, under the twin's names; from a device of its own."""
    rig = Rig.make(target, seed=99)
    snapshot = await rig.take()
    await rig.set_power(power_w, snapshot)
    bank = rig.twin.behaviour.banks[rig.twin.behaviour.unit]
    names = {name for write in rig.writes() for name in str(write["name"]).split("+")}
    return {name: bank.raw(name) for name in sorted(names) if bank.table[name].readable}
