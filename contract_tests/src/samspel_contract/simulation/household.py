"""A house and its sun for any day: load and PV power, from a seed."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field

from samspel_contract.simulation.plan import Household

__all__ = ["House"]

DAY_S = 86_400.0
SUNRISE_S, SUNSET_S = 6 * 3600.0, 20 * 3600.0
MEALS_S = (7 * 3600.0, 12 * 3600.0, 18 * 3600.0)
"""When people cook, more or less."""


@dataclass
class House:
    """Stepped by `step`: clouds come and go, somebody cooks, a fridge hums. `load_w` and `pv_w` are the powers now."""

    habits: Household
    rng: random.Random
    load_w: float = 0.0
    pv_w: float = 0.0
    _cloud: float = 0.0
    _hum_w: float = 0.0
    _planned_day: int = -1
    _meals: list[tuple[float, float]] = field(default_factory=list)

    def step(self, time_s: float, dt_s: float) -> None:
        """To `time_s` seconds after the first midnight."""
        self._plan_meals(time_s)
        keep = math.exp(-dt_s / 600.0)
        self._cloud = min(1.0, max(0.0, self._cloud * keep + (1 - keep) * self.rng.uniform(-1.0, 3.0)))
        self._hum_w = self._hum_w * keep + self.rng.gauss(0.0, 80.0) * math.sqrt(1 - keep * keep)
        cooking = any(begin <= time_s < end for begin, end in self._meals)
        self.load_w = max(50.0, self.habits.base_w + self._hum_w + (self.habits.cooking_w if cooking else 0.0))
        self.pv_w = self.habits.pv_peak_w * _sun(time_s % DAY_S) * (1 - self.habits.clouds * self._cloud)

    def _plan_meals(self, time_s: float) -> None:
        day = int(time_s // DAY_S)
        if day == self._planned_day:
            return
        self._planned_day, self._meals = day, []
        for number in range(round(self.habits.cooking_per_day)):
            begin = day * DAY_S + MEALS_S[number % len(MEALS_S)] + self.rng.uniform(-3600, 3600)
            self._meals.append((begin, begin + self.rng.uniform(600, 3000)))


def _sun(second: float) -> float:
    """0 at night, 1 at the top of the day."""
    if not SUNRISE_S < second < SUNSET_S:
        return 0.0
    return math.sin(math.pi * (second - SUNRISE_S) / (SUNSET_S - SUNRISE_S))
