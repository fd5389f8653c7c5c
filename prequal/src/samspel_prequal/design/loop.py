"""An entity on paper, alone or as a fleet: its F and its answer to ramp 5, in closed form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Final, Protocol

import numpy as np

from samspel_prequal import rules
from samspel_prequal.design.lags import after_boxes
from samspel_prequal.errors import DesignError
from samspel_prequal.evaluate.frequency_response import ComplexArray, frequency_meter
from samspel_prequal.product import Product
from samspel_prequal.signals import FloatArray, ramp

__all__ = ["Entity", "Fleet", "Loop", "Ticks"]

_RAMP_5: Final = ramp(Product.FCR_D_UP).segment("5")
FULL_AFTER_S: Final = rules.BANDS[Product.FCR_D_UP].span_hz / _RAMP_5.speed  # of the ramp: then the droop saturates


class Entity(Protocol):
    """Anything that answers as a linear system."""

    def response(self, omega_rad_s: FloatArray) -> ComplexArray:
        """F, the frequency meter included."""
        ...

    def ramp_share(self, time_s: FloatArray) -> FloatArray:
        """Power after the start of ramp 5, in shares of ΔP_theoretical."""
        ...


class Ticks(StrEnum):
    """When the controller looks, compared with the start of a ramp."""

    WORST = "worst"  # just before it: one home, whose luck nobody can count on
    MEAN = "mean"  # at any time: a fleet whose ticks are not synchronised


@dataclass(frozen=True, slots=True)
class Loop:
    """One home, or a fleet of equal homes. Times in seconds, 0 or more.

    Args:
        dead_time_s: from a changed frequency to the first change of power.
        lag_s: time constant of the power after that.
        travel_s: power goes to its target in a straight line that takes so long, whatever the size.
        meter_s: time constant of the frequency meter, T_FME.
        control_period_s: the controller looks, and acts, once in so many seconds, and holds in between.
        spread_s: dead times lie evenly within so much on both sides of `dead_time_s`.
        gain: of the steady power.
        injected: the test signal comes in behind the meter, so that the ramp does not see it; F has it all the same
            (TR 4.4).
        ticks: where ramp 5 falls between two looks.
    """

    dead_time_s: float = 0.0
    lag_s: float = 0.0
    travel_s: float = 0.0
    meter_s: float = rules.DEFAULT_FREQUENCY_METER_S
    control_period_s: float = 0.0
    spread_s: float = 0.0
    gain: float = 1.0
    injected: bool = True
    ticks: Ticks = Ticks.WORST

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if one.name.endswith("_s") and not 0 <= value < np.inf:
                raise DesignError(f"{one.name} must be 0 s or more, not {value}")
        if self.spread_s > self.dead_time_s:
            raise DesignError(
                f"a spread of ±{self.spread_s:g} s round a dead time of {self.dead_time_s:g} s would answer before "
                "the frequency moves: make the spread no larger than the dead time"
            )

    def response(self, omega_rad_s: FloatArray) -> ComplexArray:
        """F: every dead time within a box, or a tick's hold, turns and shrinks it by (1 - exp(-jωT))/(jωT)."""
        found = self.gain * np.exp(-1j * omega_rad_s * self.shortest_s) / (1 + 1j * omega_rad_s * self.lag_s)
        for width_s in (self.control_period_s, self.travel_s, 2 * self.spread_s):
            found = found * np.exp(-0.5j * omega_rad_s * width_s) * np.sinc(omega_rad_s * width_s / (2 * np.pi))
        return np.asarray(found * frequency_meter(omega_rad_s, self.meter_s), dtype=np.complex128)

    def ramp_share(self, time_s: FloatArray) -> FloatArray:
        """Power after the start of ramp 5."""
        return self.ramp_answer(time_s, 1, self.dead_time_s, self.lag_s)

    def ramp_answer(
        self, time_s: FloatArray, order: int, dead_time_s: FloatArray | float, lag_s: FloatArray | float
    ) -> FloatArray:
        """The same with another dead time and lag, which broadcast; order 2 is its integral over time."""
        worst = self.control_period_s if self.ticks is Ticks.WORST else 0.0
        boxes_s = (self.control_period_s - worst, self.travel_s, 2 * self.spread_s)
        since_s = time_s - (dead_time_s - self.spread_s) - worst
        meter_s = 0.0 if self.injected else self.meter_s
        begun, ended = (
            after_boxes(moment_s, order, lag_s, meter_s, boxes_s) for moment_s in (since_s, since_s - FULL_AFTER_S)
        )
        return np.asarray(self.gain * (begun - ended) / FULL_AFTER_S, dtype=np.float64)

    @property
    def shortest_s(self) -> float:
        """The shortest dead time in it."""
        return self.dead_time_s - self.spread_s

    def changed(self, name: str, by_s: float) -> Loop:
        """The same loop with one time longer."""
        return replace(self, **{name: getattr(self, name) + by_s})


@dataclass(frozen=True, slots=True)
class Fleet:
    """Different homes as one entity: the sum of what they do, each by its share of the capacity."""

    members: Sequence[Loop]
    weights: Sequence[float]  # capacities, in any unit

    def __post_init__(self) -> None:
        if len(self.members) == 0 or len(self.members) != len(self.weights):
            raise DesignError(f"{len(self.members)} kinds of homes and {len(self.weights)} weights: one each, please")
        if min(self.weights) < 0 or not sum(self.weights) > 0:
            raise DesignError(f"weights are 0 or more and not all 0; found {list(self.weights)}")

    def response(self, omega_rad_s: FloatArray) -> ComplexArray:
        """The mean F."""
        return np.asarray(np.tensordot(self._shares, [one.response(omega_rad_s) for one in self.members], 1))

    def ramp_share(self, time_s: FloatArray) -> FloatArray:
        """The mean ramp."""
        return np.asarray(np.tensordot(self._shares, [one.ramp_share(time_s) for one in self.members], 1))

    @property
    def shortest_s(self) -> float:
        """The shortest dead time of any home."""
        return min(one.shortest_s for one in self.members)

    def changed(self, name: str, by_s: float) -> Fleet:
        """The same fleet with one time longer in every home."""
        return Fleet([one.changed(name, by_s) for one in self.members], self.weights)

    @property
    def _shares(self) -> FloatArray:
        return np.asarray(self.weights, dtype=np.float64) / sum(self.weights)
