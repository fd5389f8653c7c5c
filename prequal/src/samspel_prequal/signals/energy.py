"""Energy-management tests of limited reservoirs (TR tables 12, 13; TP tables 15 to 17), driven by NEM and AEM flags.

`EnergyDrive` is a state machine without I/O: tell it the flags once a second, it tells the frequency to apply. Without
flags, `energy_example` plays the times that the tables print as an example.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from samspel_prequal import rules
from samspel_prequal.errors import SequenceStalled, SignalError
from samspel_prequal.product import Product, TestType
from samspel_prequal.signals.fcr_d import mirrored_hz
from samspel_prequal.signals.signal import RampSignal, SignalHead, sequence

__all__ = ["EnergyDrive", "EnergyFlags", "EnergyStep", "Until", "energy_example", "energy_steps"]

MINUTE_S: Final = 60.0
STALLED_AFTER_S: Final = 6 * 3600.0
FULLY_ON: Final = 1.0 - 1e-9


@dataclass(frozen=True, slots=True)
class EnergyFlags:
    """What an entity says about its energy management at one instant."""

    nem_allowed: int = 0  # A of eq. 14: -1 charges, +1 discharges, 0 is off
    nem_level: float = 0.0  # NEM_current of eq. 15, -1 to 1
    nem_due: bool = False  # NEM would come on inside the normal band
    aem_on: bool = False

    @property
    def nothing(self) -> bool:
        """Both off, and NEM's power ramped out."""
        return self.nem_allowed == 0 and self.nem_level == 0.0 and not self.aem_on


@dataclass(frozen=True, slots=True)
class Goal:
    """Something that the flags must show, without a break for so long."""

    reached: Callable[[EnergyFlags], bool]
    for_s: float = 0.0


class Until(Enum):
    """What a step waits for, beyond its shortest time."""

    TIME = "its time is over"
    NEM_FULL = "NEM is fully on for one minute"
    NEM_ON = "NEM comes on"
    NEM_OFF = "NEM goes off"
    NEM_DUE = "NEM would come on inside the normal band"
    AEM_HELD = "AEM is on for five minutes"
    ANEW = "NEM and AEM go off, and NEM is fully on again for one minute"
    ALL_OFF = "NEM and AEM go off"
    NEM_THEN_OFF = "NEM comes on, and then NEM and AEM go off"


_NEM_FULL = Goal(lambda flags: abs(flags.nem_level) >= FULLY_ON, rules.NEM_FULL_HOLD_S)
_NEM_ON = Goal(lambda flags: flags.nem_allowed != 0)
_ALL_OFF = Goal(lambda flags: flags.nothing)
# Reached one after the other.
_GOALS: Final[Mapping[Until, tuple[Goal, ...]]] = {
    Until.TIME: (),
    Until.NEM_FULL: (_NEM_FULL,),
    Until.NEM_ON: (_NEM_ON,),
    Until.NEM_OFF: (Goal(lambda flags: flags.nem_allowed == 0),),
    Until.NEM_DUE: (Goal(lambda flags: flags.nem_due),),
    Until.AEM_HELD: (Goal(lambda flags: flags.aem_on, rules.AEM_FULL_HOLD_S),),
    Until.ANEW: (Goal(lambda flags: flags.nem_allowed == 0 and not flags.aem_on), _NEM_FULL),
    Until.ALL_OFF: (_ALL_OFF,),
    Until.NEM_THEN_OFF: (_NEM_ON, _ALL_OFF),
}


@dataclass(frozen=True, slots=True)
class EnergyStep:
    """One row of the tables: the printed duration is the shortest one, and the example."""

    label: str
    frequency_hz: float
    duration_s: float
    until: Until


def energy_steps(product: Product) -> tuple[EnergyStep, ...]:
    """The rows of the product's energy-management test."""
    if not product.is_fcr:
        raise SignalError(f"{product} has no energy-management test; fcr-n, fcr-d-up and fcr-d-down have one")
    rows = _FCR_N if product is Product.FCR_N else _FCR_D_UP
    turn: Callable[[float], float] = (
        (lambda hz: hz) if product is Product.FCR_N else (lambda hz: mirrored_hz(hz, product))
    )
    return tuple(EnergyStep(label, turn(hz), minutes * MINUTE_S, until) for label, minutes, hz, until in rows)


def energy_example(product: Product) -> RampSignal:
    """The sequence with the printed example times, for an entity that gives no flags."""
    steps = energy_steps(product)
    starts = [sum(step.duration_s for step in steps[:n]) for n in range(len(steps) + 1)]
    rows = [(start, step.frequency_hz, step.label) for start, step in zip(starts, steps, strict=False)]
    head = SignalHead("energy", product, TestType.ENERGY, "TR tables 12 and 13, TP tables 15 to 17 (example times)")
    return sequence(head, steps[0].frequency_hz, rows[1:], starts[-1])


# Label, shortest time in minutes, frequency, what ends it.
_FCR_N = (
    ("0", 2.0, 50.0, Until.TIME),
    ("1", 28.0, 50.09, Until.NEM_FULL),
    ("2", 6.0, 50.11, Until.NEM_OFF),
    ("3", 2.5, 50.09, Until.NEM_ON),
    ("4", 7.5, 50.11, Until.AEM_HELD),
    ("5", 10.0, 50.09, Until.TIME),
    ("6", 60.0, 49.91, Until.ANEW),
    ("7", 5.0, 49.89, Until.NEM_OFF),
    ("8", 2.5, 49.91, Until.NEM_ON),
    ("9", 10.0, 49.89, Until.AEM_HELD),
    ("10", 10.0, 49.91, Until.TIME),
    ("11", 30.0, 50.0, Until.ALL_OFF),
)
_FCR_D_UP = (
    ("0", 0.5, 49.91, Until.TIME),
    ("1", 10.0, 49.5, Until.NEM_DUE),
    ("2", 2.5, 49.91, Until.NEM_ON),
    ("3", 15.0, 49.5, Until.AEM_HELD),
    ("4", 15.0, 49.91, Until.NEM_THEN_OFF),
)


class EnergyDrive:
    """Walks through the steps as the flags allow.

    Args:
        product: one of the three FCR products.
        shortest: step on as soon as the objective is met, where the tables' durations are example times (TR); by
            default they are minima too (TP).
        stalled_after_s: how long one step may wait before the run is given up.
    """

    def __init__(self, product: Product, *, shortest: bool = False, stalled_after_s: float = STALLED_AFTER_S) -> None:
        self._steps = energy_steps(product)
        self._shortest = shortest
        self._stalled_after_s = stalled_after_s
        self._index = 0
        self._goals_reached = 0
        self._step_since_s: float | None = None
        self._goal_since_s: float | None = None

    @property
    def step(self) -> EnergyStep:
        """The step that is being played; the last one after the end."""
        return self._steps[min(self._index, len(self._steps) - 1)]

    @property
    def done(self) -> bool:
        """Whether the last step has reached its objective."""
        return self._index >= len(self._steps)

    @property
    def frequency_hz(self) -> float:
        """What to apply now."""
        return self.step.frequency_hz

    def tell(self, time_s: float, flags: EnergyFlags) -> float:
        """Take note of the flags at this time, which never goes back, and return the frequency to apply.

        Raises:
            SequenceStalled: a step has waited longer than `stalled_after_s`.
        """
        if self.done:
            return self.frequency_hz
        if self._step_since_s is None:
            self._step_since_s = time_s
        spent_s = time_s - self._step_since_s
        if self._objective_met(time_s, flags) and spent_s >= self._minimum_s():
            self._index += 1
            self._step_since_s, self._goal_since_s, self._goals_reached = time_s, None, 0
        elif spent_s > self._stalled_after_s:
            raise SequenceStalled(
                f"step {self.step.label} at {self.frequency_hz:g} Hz has waited {spent_s:.0f} s until "
                f"{self.step.until.value}; the last flags were {flags}. Check thresholds, reservoir and wiring"
            )
        return self.frequency_hz

    def _minimum_s(self) -> float:
        timed = self.step.until is Until.TIME
        return self.step.duration_s if timed or not self._shortest else 0.0

    def _objective_met(self, time_s: float, flags: EnergyFlags) -> bool:
        goals = _GOALS[self.step.until]
        while self._goals_reached < len(goals) and self._held(time_s, goals[self._goals_reached], flags):
            self._goals_reached += 1
            self._goal_since_s = None
        return self._goals_reached == len(goals)

    def _held(self, time_s: float, goal: Goal, flags: EnergyFlags) -> bool:
        if not goal.reached(flags):
            self._goal_since_s = None
            return False
        if self._goal_since_s is None:
            self._goal_since_s = time_s
        return time_s - self._goal_since_s >= goal.for_s
