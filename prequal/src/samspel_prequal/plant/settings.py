"""What a toy plant is like: one flat record, and its short form on the command line."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from samspel_prequal import rules
from samspel_prequal.errors import PlantError
from samspel_prequal.product import Product

__all__ = ["PlantSettings", "parse_plant"]

# Hours of capacity that the reservoir holds, where nothing is said: 1 h each way, and half as much again as 20 min.
_DEFAULT_STORE_H: Final = MappingProxyType({Product.FCR_N: 2.0, Product.FCR_D_UP: 0.5, Product.FCR_D_DOWN: 0.5})
_DEFAULT_SOC: Final = MappingProxyType({Product.FCR_N: 0.5, Product.FCR_D_UP: 1.0, Product.FCR_D_DOWN: 0.0})


@dataclass(frozen=True, slots=True)
class PlantSettings:
    """A first-order entity with the usual faults.

    Powers are shares of the capacity, so that one description serves every size. The order of the stages is: dead
    time, frequency meter, dead band, droop with NEM and AEM, gain, steps, lag, rate limit, backlash, clipping, noise.
    """

    product: Product = Product.FCR_N
    capacity_w: float = 5000.0
    lag_s: float = 0.0
    delay_s: float = 0.0
    meter_s: float = 0.0  # time constant of the frequency meter; 0 where the signal is injected behind it
    gain: float = 1.0
    deadband_hz: float = 0.0  # half width, round the frequency where activation begins
    steps: int = 0  # relay-like: so many equal steps to full activation; 0 is continuous
    rate_per_s: float = float("inf")  # slew, in capacities a second
    backlash: float = 0.0  # full width, in capacities
    clip: float = float("inf")  # output limit each way, in capacities
    noise: float = 0.0  # standard deviation of the measurement, in capacities
    baseline_w: float = 0.0
    saturates: bool = True  # FCR-D beyond full activation: stays there, or goes on linearly
    fcr_n_capacity_w: float = 0.0  # FCR-N that runs beside FCR-D, in the combination test
    store_h: float | None = None  # reservoir for this product, in hours of capacity; inf has no energy management
    soc: float | None = None  # at the start, 0 to 1 of that reservoir
    nem_share: float | None = None  # of the capacity; the requirement's by default
    thresholds: rules.EnergyThresholds | None = field(default=None)

    def __post_init__(self) -> None:
        if not self.product.is_fcr:
            raise PlantError(f"the toy plant serves fcr-n, fcr-d-up and fcr-d-down, not {self.product}")
        for name in ("lag_s", "delay_s", "meter_s", "deadband_hz", "steps", "backlash", "noise", "fcr_n_capacity_w"):
            if getattr(self, name) < 0:
                raise PlantError(f"{name} must be 0 or more, not {getattr(self, name)}")
        for name in ("capacity_w", "rate_per_s", "clip", "energy_h"):
            if not getattr(self, name) > 0:
                raise PlantError(f"{name} must be above 0, not {getattr(self, name)}")
        if not 0 <= self.start_soc <= 1:
            raise PlantError(f"soc must be 0 to 1, not {self.soc}")

    @property
    def energy_h(self) -> float:
        """The reservoir in hours of capacity."""
        return _DEFAULT_STORE_H[self.product] if self.store_h is None else self.store_h

    @property
    def start_soc(self) -> float:
        """State of charge at the start."""
        return _DEFAULT_SOC[self.product] if self.soc is None else self.soc

    @property
    def nem_power_share(self) -> float:
        """NEM's power at full activation."""
        return rules.NEM_POWER_SHARE[self.product] if self.nem_share is None else self.nem_share

    @property
    def energy_thresholds(self) -> rules.EnergyThresholds:
        """When NEM and AEM come and go."""
        return rules.THRESHOLDS[self.product] if self.thresholds is None else self.thresholds

    @property
    def limited(self) -> bool:
        """Whether this is a LER entity."""
        return self.energy_h < rules.LER_BELOW_H or (self.product is Product.FCR_N and self.energy_h != float("inf"))


_KEYS: Final = MappingProxyType(
    {
        "lag": "lag_s",
        "delay": "delay_s",
        "meter": "meter_s",
        "gain": "gain",
        "deadband": "deadband_hz",
        "steps": "steps",
        "rate": "rate_per_s",
        "backlash": "backlash",
        "clip": "clip",
        "noise": "noise",
        "store": "store_h",
        "soc": "soc",
        "nem": "nem_share",
    }
)


def parse_plant(text: str, settings: PlantSettings) -> PlantSettings:
    """`lag=0.5,delay=0.1` over settings; an empty text changes nothing.

    Raises:
        PlantError: an unknown key, a value that is no number, or one out of its range.
    """
    changes: dict[str, float | int] = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        key, equals, value = item.partition("=")
        if not equals or key not in _KEYS:
            raise PlantError(f"plant setting {item!r}: expected KEY=NUMBER with a key of {', '.join(_KEYS)}")
        changes[_KEYS[key]] = _number(item, value, whole=key == "steps")
    return replace(settings, **changes)  # type: ignore[arg-type]


def _number(item: str, text: str, *, whole: bool) -> float | int:
    try:
        return int(text) if whole else float(text)
    except ValueError:
        raise PlantError(f"plant setting {item!r}: {text!r} is not a {'whole number' if whole else 'number'}") from None
