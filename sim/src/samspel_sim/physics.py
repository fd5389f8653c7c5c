"""A home with panels, a battery behind one hybrid inverter, a household and a grid connection.

Pure: everything is stepped by ``dt`` and draws its noise from a given random source. Signs are those
of the contract: battery positive discharges, grid positive imports, so that after each step

    load = pv + battery + grid

holds exactly. The inverter's own conversion is taken as lossless; the losses sit in the battery, as
the difference between its terminal and its cells.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field


@dataclass(slots=True)
class Noise:
    """Noise with memory (Ornstein-Uhlenbeck): standard deviation ``sigma``, correlation time ``tau_s``."""

    rng: random.Random
    sigma: float
    tau_s: float
    value: float = 0.0

    def step(self, dt_s: float) -> float:
        """Advance and give the new value."""
        keep = math.exp(-dt_s / self.tau_s)
        self.value = self.value * keep + self.rng.gauss(0.0, self.sigma * math.sqrt(1 - keep * keep))
        return self.value


@dataclass(slots=True)
class Panels:
    """Power that the panels could give. ``by_day`` follows the sun; otherwise a slow cloud swing."""

    noise: Noise
    mean_w: float = 3000.0
    swing: float = 0.12
    period_s: float = 1800.0
    by_day: bool = False
    pinned_w: float | None = None
    dark: bool = False

    def available_w(self, time_s: float, second_of_day: float, dt_s: float) -> float:
        """Watts at the maximum power point now."""
        flicker = 1.0 + self.noise.step(dt_s)
        if self.dark:
            return 0.0
        if self.pinned_w is not None:
            return self.pinned_w
        if self.by_day:
            sun = math.sin(math.pi * (second_of_day / 3600 - 6) / 12) if 6 < second_of_day / 3600 < 18 else 0.0
            return max(0.0, self.mean_w * sun * flicker)
        return max(0.0, self.mean_w * (1 + self.swing * math.sin(2 * math.pi * time_s / self.period_s)) * flicker)


@dataclass(slots=True)
class Household:
    """What the house uses."""

    noise: Noise
    mean_w: float = 600.0
    pinned_w: float | None = None

    def power_w(self, dt_s: float) -> float:
        """Watts now; never negative."""
        wobble = self.noise.step(dt_s)
        return self.pinned_w if self.pinned_w is not None else max(0.0, self.mean_w + wobble)


@dataclass(slots=True)
class Battery:
    """Cells with a charge, losses each way and a temperature (one thermal mass)."""

    capacity_wh: float = 10_000.0
    soc_pct: float = 65.0
    efficiency: float = 0.975
    temperature_c: float = 22.0
    ambient_c: float = 20.0
    heat_capacity_wh_per_k: float = 25.0
    cooling_w_per_k: float = 12.0
    charged_wh: float = 0.0
    discharged_wh: float = 0.0

    def feasible_w(self, wanted_w: float, dt_s: float) -> float:
        """The terminal power nearest to ``wanted_w`` that leaves the charge within 0..100 % after ``dt_s``."""
        hours = dt_s / 3600
        stored_wh = self.capacity_wh * self.soc_pct / 100
        most = stored_wh * self.efficiency / hours
        least = -(self.capacity_wh - stored_wh) / self.efficiency / hours
        return max(least, min(most, wanted_w))

    def step(self, power_w: float, dt_s: float) -> None:
        """Run a feasible terminal power for ``dt_s``."""
        energy_wh = power_w * dt_s / 3600
        cell_wh = energy_wh / self.efficiency if energy_wh > 0 else energy_wh * self.efficiency
        self.soc_pct = min(100.0, max(0.0, self.soc_pct - 100 * cell_wh / self.capacity_wh))
        self.discharged_wh += max(0.0, energy_wh)
        self.charged_wh += max(0.0, -energy_wh)
        self._warm(abs(cell_wh - energy_wh), dt_s)

    def _warm(self, loss_wh: float, dt_s: float) -> None:
        out_wh = self.cooling_w_per_k * (self.temperature_c - self.ambient_c) * dt_s / 3600
        self.temperature_c += (loss_wh - out_wh) / self.heat_capacity_wh_per_k


@dataclass(slots=True)
class Lag:
    """First-order lag with a dead time: how a power follows its command."""

    value_w: float = 0.0
    target_w: float = 0.0
    tau_s: float = 3.0
    wait_s: float = 0.0

    def aim(self, target_w: float, *, tau_s: float, wait_s: float = 0.0) -> None:
        """Set a new target, reached with ``tau_s`` once ``wait_s`` is over."""
        self.target_w, self.tau_s = target_w, tau_s
        self.wait_s = wait_s

    def step(self, dt_s: float) -> float:
        """Advance and give the value."""
        if self.wait_s > 1e-9:
            self.wait_s -= dt_s
            return self.value_w
        self.value_w = self.target_w + (self.value_w - self.target_w) * math.exp(-dt_s / self.tau_s)
        return self.value_w


@dataclass(frozen=True, slots=True)
class Flows:
    """Powers of one moment, in the contract's signs; ``ac_w`` positive leaves the inverter."""

    pv_w: float = 0.0
    pv_available_w: float = 0.0
    battery_w: float = 0.0
    load_w: float = 0.0

    @property
    def ac_w(self) -> float:
        """Inverter AC power."""
        return self.pv_w + self.battery_w

    @property
    def grid_w(self) -> float:
        """Grid exchange, positive imports."""
        return self.load_w - self.ac_w


@dataclass(slots=True)
class Counters:
    """Energy since the start, in Wh (those of the battery are its own)."""

    pv_wh: float = 0.0
    ac_out_wh: float = 0.0
    import_wh: float = 0.0
    export_wh: float = 0.0

    def add(self, flows: Flows, dt_s: float) -> None:
        """Count one step."""
        hours = dt_s / 3600
        self.pv_wh += flows.pv_w * hours
        self.ac_out_wh += max(0.0, flows.ac_w) * hours
        self.import_wh += max(0.0, flows.grid_w) * hours
        self.export_wh += max(0.0, -flows.grid_w) * hours


@dataclass(slots=True)
class Home:
    """Everything together. A step is two halves: ``look`` at sun and household, then ``settle`` the powers."""

    panels: Panels
    household: Household
    battery: Battery
    ac_limit_w: float = 11_000.0
    epoch_s: float = 0.0
    time_s: float = 0.0
    flows: Flows = field(default_factory=Flows)
    counters: Counters = field(default_factory=Counters)

    @property
    def second_of_day(self) -> float:
        """Seconds since local midnight."""
        return (self.epoch_s + self.time_s) % 86_400

    def look(self, dt_s: float) -> tuple[float, float]:
        """Advance time; give (available PV watts, load watts)."""
        self.time_s += dt_s
        available_w = self.panels.available_w(self.time_s, self.second_of_day, dt_s)
        return available_w, self.household.power_w(dt_s)

    def settle(self, seen: tuple[float, float], pv_w: float, battery_w: float, dt_s: float) -> Flows:
        """Run the wanted powers as far as panels, battery and inverter can; PV yields last."""
        available_w, load_w = seen
        pv_w = max(0.0, min(pv_w, available_w))
        battery_w = min(battery_w, max(0.0, self.ac_limit_w - pv_w))
        battery_w = max(battery_w, -self.ac_limit_w - pv_w)
        battery_w = self.battery.feasible_w(battery_w, dt_s)
        pv_w = min(pv_w, self.ac_limit_w - battery_w)
        self.battery.step(battery_w, dt_s)
        self.flows = Flows(pv_w, available_w, battery_w, load_w)
        self.counters.add(self.flows, dt_s)
        return self.flows


def default_home(
    seed: int, *, soc_pct: float = 65.0, capacity_wh: float = 10_000.0, ac_limit_w: float = 11_000.0
) -> Home:
    """A home with about 3 kW of PV and 600 W of load, its noise drawn from ``seed``."""
    rng = random.Random(seed)
    return Home(
        Panels(Noise(random.Random(rng.random()), sigma=0.01, tau_s=20.0)),
        Household(Noise(random.Random(rng.random()), sigma=40.0, tau_s=30.0)),
        Battery(capacity_wh=capacity_wh, soc_pct=soc_pct),
        ac_limit_w=ac_limit_w,
    )
