"""K: how much of the theoretical capacity remains (TR eq. 3, 5; 3.3)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from samspel_prequal import rules

__all__ = ["Reduction", "dynamic_reduction", "steady_reduction"]


@dataclass(frozen=True, slots=True)
class Reduction:
    """The largest factors with which every log passes; None where nothing was shown, 0 where no factor helps."""

    steady: float | None
    dynamic: float | None
    steady_floor: float
    dynamic_floor: float

    @property
    def combined(self) -> float | None:
        """min(K_ss, K_dyn): what is left of the capacity."""
        known = [factor for factor in (self.steady, self.dynamic) if factor is not None]
        return min(known) if known else None

    @property
    def allowed(self) -> bool | None:
        """Whether both reach their floors."""
        if self.combined is None:
            return None
        steady = self.steady is None or self.steady >= self.steady_floor
        return steady and (self.dynamic is None or self.dynamic >= self.dynamic_floor)

    @property
    def remaining(self) -> float:
        """The share of the capacity that remains: 0 below a floor."""
        return (self.combined or 0.0) if self.allowed else 0.0


def steady_reduction(
    delivered: Sequence[float], *, over: float = rules.STEADY_STATE_OVER, under: float = rules.STEADY_STATE_UNDER
) -> float | None:
    """K_ss from responses in shares of ΔPt, delivery direction; 0 when one K cannot serve them all."""
    if not delivered:
        return None
    largest = min(1.0, *(share / (1 - under) for share in delivered))
    smallest = max(share / (1 + over) for share in delivered)
    return largest if largest >= smallest and largest > 0 else 0.0


def dynamic_reduction(
    power_shares: Iterable[float], energies_s: Iterable[float], performance: float | None
) -> float | None:
    """K_dyn from R2, R3 and R9; shares and seconds of ΔPt."""
    factors = [share / rules.ACTIVATION_POWER_SHARE for share in power_shares]
    factors += [energy_s / rules.ACTIVATION_ENERGY_S for energy_s in energies_s]
    factors += [] if performance is None else [performance]
    return max(min(1.0, *factors), 0.0) if factors else None
