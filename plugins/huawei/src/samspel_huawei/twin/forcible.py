"""The forcible command: latched by 47100, ended by a stop, by its period or by a state of charge."""

from __future__ import annotations

from dataclasses import dataclass

from samspel_sim.bank import Bank

STOP, CHARGE, DISCHARGE = 0, 1, 2
UNTIL_SOC = 1


@dataclass(slots=True)
class Forcible:
    """A forcible command in force, or none (``direction`` STOP). Powers are magnitudes in watts."""

    direction: int = STOP
    charge_w: float = 0.0
    discharge_w: float = 0.0
    elapsed_s: float = 0.0
    period_s: float = 0.0
    until_soc: bool = False
    target_soc_pct: float = 0.0

    def trigger(self, bank: Bank) -> None:
        """47100 was written: take over what the parameter registers hold now."""
        self.direction = bank.raw("forcible_command")
        self.elapsed_s = 0.0
        self.period_s = 60.0 * bank.number("forced_period")
        self.until_soc = bank.raw("forcible_mode") == UNTIL_SOC
        self.target_soc_pct = bank.number("forcible_target_soc")
        self.take_power(bank)

    def take_power(self, bank: Bank) -> None:
        """Follow the power registers as they are now."""
        self.charge_w = bank.number("forcible_charge_power")
        self.discharge_w = bank.number("forcible_discharge_power")

    def step(self, dt_s: float, soc_pct: float, *, expires: bool) -> bool:
        """Advance; True when the command has just ended of itself."""
        if self.direction == STOP:
            return False
        self.elapsed_s += dt_s
        over = self._reached(soc_pct) if self.until_soc else expires and self.elapsed_s >= self.period_s
        if over:
            self.direction = STOP
        return over

    def _reached(self, soc_pct: float) -> bool:
        if self.direction == CHARGE:
            return soc_pct >= self.target_soc_pct
        return soc_pct <= self.target_soc_pct

    @property
    def battery_w(self) -> float:
        """Commanded battery power, positive discharging."""
        return {CHARGE: -self.charge_w, DISCHARGE: self.discharge_w}.get(self.direction, 0.0)

    @property
    def remaining_min(self) -> int:
        """What 37025 counts down."""
        if self.direction == STOP or self.until_soc:
            return 0
        return max(0, -int(-(self.period_s - self.elapsed_s) // 60))
