"""What caps a battery's power in every brand: end stops, cold and heat, and a cap on the AC power.

Powers are in the contract's sign: positive discharges. Which numbers hold, and who yields how far, each brand says.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class EndStops:
    """Full and empty, each with a hysteresis in percent of charge."""

    hysteresis_pct: float
    full: bool = False
    empty: bool = False

    def look(self, soc_pct: float, full_pct: float, empty_pct: float) -> None:
        """Take the present charge into account."""
        self.full = soc_pct >= full_pct or (self.full and soc_pct > full_pct - self.hysteresis_pct)
        self.empty = soc_pct <= empty_pct or (self.empty and soc_pct < empty_pct + self.hysteresis_pct)


@dataclass(frozen=True, slots=True)
class Target:
    """What battery and panels are to do."""

    battery_w: float
    pv_w: float


def under_cap(battery_w: float, pv_w: float, cap_w: float, floor_w: float) -> Target:
    """Under a cap on their sum, the battery yields first, down to its floor, and the panels yield the rest."""
    excess_w = max(0.0, pv_w + battery_w - cap_w)
    given_w = min(excess_w, max(0.0, battery_w - floor_w))
    return Target(battery_w - given_w, max(0.0, pv_w - (excess_w - given_w)))


def derating(temperature_c: float, hot_c: tuple[float, float], cold_c: tuple[float, float]) -> tuple[float, float]:
    """What heat and what cold leave of a battery's power, as shares in 0..1.

    ``hot_c``: where heat begins to take and where it has taken all; ``cold_c``: below the first cold has taken all,
    above the second nothing.
    """
    (warm, hot), (frozen, cold) = hot_c, cold_c
    return share((hot - temperature_c) / (hot - warm)), share((temperature_c - frozen) / (cold - frozen))


def share(number: float) -> float:
    """The number, kept within 0..1."""
    return max(0.0, min(1.0, number))
