"""Whether the inverter delivers at all: running, stopped, starting, asleep with an empty battery, waking."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from samspel_sungrow.twin.profile import Timing

BOOT, SHUT_DOWN = 0xCF, 0xCE


class Stage(Enum):
    """What it is doing."""

    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    STARTING = "starting"
    STANDBY = "standby"


@dataclass(slots=True)
class Supply:
    """The stages and the time that each takes."""

    timing: Timing
    stage: Stage = Stage.RUNNING
    left_s: float = 0.0
    idle_s: float = 0.0

    @property
    def delivers(self) -> bool:
        """True while powers flow."""
        return self.stage in {Stage.RUNNING, Stage.STOPPING}

    def command(self, word: int, *, light: bool) -> None:
        """13000 was written: 0xCE stops, 0xCF starts what is stopped."""
        if word == SHUT_DOWN and self.stage is not Stage.STOPPED:
            self._enter(Stage.STOPPING, self.timing.stop_s)
        elif word == BOOT and self.stage is Stage.STOPPED:
            self._enter(Stage.STARTING, self.timing.start_light_s if light else self.timing.start_dark_s)

    def wake(self) -> None:
        """13017 = 0xAA: out of standby."""
        if self.stage is Stage.STANDBY:
            self._enter(Stage.STARTING, self.timing.wake_s)

    def step(self, dt_s: float, *, idle: bool, light: bool) -> bool:
        """Advance; True when it has just fallen asleep. ``idle``: an empty battery that does nothing in the dark."""
        self.left_s = max(0.0, self.left_s - dt_s)
        if self.stage is Stage.STOPPING and self.left_s <= 0:
            self._enter(Stage.STOPPED, 0.0)
        elif self.stage is Stage.STARTING and self.left_s <= 0:
            self._enter(Stage.RUNNING, 0.0)
        elif self.stage is Stage.STANDBY and light:
            self.wake()
        return self._sleeps(dt_s, idle=idle)

    def _sleeps(self, dt_s: float, *, idle: bool) -> bool:
        self.idle_s = self.idle_s + dt_s if idle and self.stage is Stage.RUNNING else 0.0
        if self.idle_s < self.timing.asleep_after_s:
            return False
        self._enter(Stage.STANDBY, 0.0)
        return True

    def _enter(self, stage: Stage, seconds: float) -> None:
        self.stage, self.left_s, self.idle_s = stage, seconds, 0.0
