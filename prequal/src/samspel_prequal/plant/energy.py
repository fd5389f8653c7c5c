"""Energy management of a limited reservoir: NEM and AEM exactly as TR 3.5.1 and 3.5.2, once a second, without I/O."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from samspel_prequal import rules
from samspel_prequal.product import Product
from samspel_prequal.rules import EnergyThresholds
from samspel_prequal.signals.energy import EnergyFlags

__all__ = ["EnergyManagement", "EnergyState", "RollingMean"]


@dataclass(frozen=True, slots=True)
class EnergyState:
    """What energy management asks for in this second."""

    nem_allowed: int  # A, eq. 14
    nem_level: float  # NEM_current, eq. 15
    aem_low: bool
    aem_high: bool
    nem_due: bool
    reference_hz: float  # f_ref, eq. 18

    @property
    def aem_on(self) -> bool:
        """AEM at either end."""
        return self.aem_low or self.aem_high

    @property
    def flags(self) -> EnergyFlags:
        """What a flag-driven test sequence looks at."""
        return EnergyFlags(self.nem_allowed, self.nem_level, self.nem_due, self.aem_on)


class RollingMean:
    """The mean of the last 300 values, of which there were 300 equal ones before the first."""

    def __init__(self, initial: float) -> None:
        self._values = deque([0.0] * rules.ENERGY_AVERAGE_SAMPLES, rules.ENERGY_AVERAGE_SAMPLES)
        self._initial = initial  # kept out of the sum, so that a mean of equal values is exactly that value
        self._sum = 0.0
        self._others = 0

    @property
    def mean(self) -> float:
        """Of the values so far."""
        if self._others == 0:
            return self._initial
        return self._initial + self._sum / len(self._values)

    def add(self, value: float) -> None:
        """One more second; the oldest value goes."""
        moved = value - self._initial
        oldest = self._values[0]
        self._values.append(moved)
        self._others += (moved != 0) - (oldest != 0)
        self._sum = self._sum + moved - oldest if self._others else 0.0


class EnergyManagement:
    """One product's NEM and AEM.

    Args:
        product: which of the three FCR products.
        energy_h: E in hours of C, the part of the store that serves this product.
        thresholds: minutes of C (TR table 11).
    """

    def __init__(self, product: Product, energy_h: float, thresholds: EnergyThresholds | None = None) -> None:
        self._product = product
        self._energy_h = energy_h
        self._limits = thresholds or rules.THRESHOLDS[product]
        self._low = product in {Product.FCR_N, Product.FCR_D_UP}
        self._high = product in {Product.FCR_N, Product.FCR_D_DOWN}
        self._zero_hz = rules.BANDS[product].zero_hz
        self._range_hz = rules.AEM_RANGE_HZ[product]
        self._wanted = 0  # NEM by state of charge alone, with its hysteresis: -1, 0 or 1
        self._aem_low = self._aem_high = False
        self._nem = RollingMean(0.0)
        self._reference = RollingMean(self._zero_hz)

    def share(self, minutes: float) -> float:
        """m(x) of TR table 11: so many minutes of C as a share of E."""
        return minutes / (60.0 * self._energy_h)

    def second(self, frequency_hz: float, soc: float) -> EnergyState:
        """Take note of this second's frequency and state of charge, and say what applies in it.

        The means are over the 300 seconds before this one (eq. 15), so a change shows from the next second on.
        """
        self._judge_soc(soc)
        low_hz, high_hz = rules.NORMAL_BAND_HZ
        allowed = self._wanted if low_hz < frequency_hz < high_hz else 0
        state = EnergyState(
            allowed, self._nem.mean, self._aem_low, self._aem_high, self._wanted != 0, self._reference.mean
        )
        self._nem.add(float(allowed))
        seen_hz = min(max(frequency_hz, self._range_hz[0]), self._range_hz[1])
        self._reference.add(seen_hz if state.aem_on else self._zero_hz)
        return state

    def _judge_soc(self, soc: float) -> None:
        limits = self._limits
        low = self._low and _hysteresis(
            self._wanted < 0, soc, self.share(limits.nem_on_min), self.share(limits.nem_off_min)
        )
        left = 1.0 - soc  # the same in the other direction
        high = self._high and _hysteresis(
            self._wanted > 0, left, self.share(limits.nem_on_min), self.share(limits.nem_off_min)
        )
        self._wanted = -1 if low else int(high)
        on, off = self.share(limits.aem_on_min), self.share(limits.aem_off_min)
        self._aem_low = self._low and _hysteresis(self._aem_low, soc, on, off)
        self._aem_high = self._high and _hysteresis(self._aem_high, left, on, off)


def _hysteresis(was_on: bool, value: float, on_below: float, off_from: float) -> bool:
    return value < (off_from if was_on else on_below)
