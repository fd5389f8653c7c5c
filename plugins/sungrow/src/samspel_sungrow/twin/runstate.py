"""What the inverter is doing, in the words of twin.toml's table of running states, and how late it says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from samspel_sungrow.twin import ems
from samspel_sungrow.twin.limits import armed, shut_by_cap
from samspel_sungrow.twin.supply import Stage

if TYPE_CHECKING:
    from samspel_sungrow.twin.device import HybridInverter

_STAGES = {Stage.STOPPED: "stopped", Stage.STARTING: "starting", Stage.STANDBY: "standby"}


def doing(device: HybridInverter) -> str:
    """The state that counts: faults before stages, stages before modes, modes before caps and warnings."""
    if device.faults.stops("inverter"):
        return "fault"
    stage = "stopped" if shut_by_cap(device.bank) else _STAGES.get(device.supply.stage)
    return stage or _mode(device) or _at_rest(device)


def _mode(device: HybridInverter) -> str | None:
    """Its own programmes before the modes that were commanded; None in self-consumption."""
    if device.wish.mode in {ems.MAINTENANCE, ems.EMERGENCY}:
        return device.wish.mode
    mode = device.bank.raw("ems_mode")
    return None if mode == ems.SELF_CONSUMPTION else ems.MODES.get(mode)


def _at_rest(device: HybridInverter) -> str:
    if device.standing_faults:
        return "warning"
    return "dispatch" if armed(device.bank) else "running"


@dataclass(slots=True)
class Shown:
    """A state that has lasted ``lag_s`` is shown."""

    lag_s: float
    name: str = "running"
    coming: str = "running"
    since_s: float = 0.0

    def step(self, name: str, dt_s: float) -> None:
        """Take the present state into account."""
        self.since_s = self.since_s + dt_s if name == self.coming else 0.0
        self.coming = name
        if self.since_s >= self.lag_s:
            self.name = name
