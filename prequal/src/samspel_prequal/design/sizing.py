"""How many homes a bid needs: power and energy that a limited reservoir keeps free (TR 3.5, table 10)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from samspel_prequal import rules
from samspel_prequal.errors import DesignError
from samspel_prequal.product import Product

__all__ = ["FleetSize", "HomeSize", "Limit", "fleet_size", "reserved"]


@dataclass(frozen=True, slots=True)
class HomeSize:
    """What one home can give, both ways, at the battery and through everything behind it."""

    discharge_w: float
    charge_w: float
    energy_wh: float  # usable, of the range that serves the reserve

    def __post_init__(self) -> None:
        for name in ("discharge_w", "charge_w", "energy_wh"):
            if not 0 < getattr(self, name) < math.inf:
                raise DesignError(f"{name} must be above 0, not {getattr(self, name)}")


@dataclass(frozen=True, slots=True)
class Limit:
    """What one resource alone would allow, in watts of capacity."""

    name: str
    capacity_w: float


@dataclass(frozen=True, slots=True)
class FleetSize:
    """How many homes a bid needs, and what decides."""

    mix: Mapping[Product, float]  # shares of the bid that are sold at once
    bid_w: float
    home_capacity_w: float  # of a mix of 1
    limits: tuple[Limit, ...]
    homes: int
    possible: bool = True  # whether the dynamics pass; if not, this counts power and energy only

    @property
    def decided_by(self) -> str:
        """The resource that runs out first."""
        return min(self.limits, key=lambda one: one.capacity_w).name


def reserved(mix: Mapping[Product, float]) -> rules.Reservation:
    """Power and hours of energy per watt of bid, summed over the products that are sold at once.

    Raises:
        DesignError: a product without a reservation rule, or no share above 0.
    """
    if not mix or not any(mix.values()) or any(share < 0 for share in mix.values()):
        raise DesignError("name at least one product with a share above 0")
    if unknown := [product.value for product in mix if product not in rules.RESERVATIONS]:
        raise DesignError(f"no reservation is known for {', '.join(unknown)}; only for the FCR products")
    rows = [(rules.RESERVATIONS[product], share) for product, share in mix.items()]
    return rules.Reservation(
        sum(row.power_up * share for row, share in rows),
        sum(row.power_down * share for row, share in rows),
        sum(row.energy_up_h * share for row, share in rows),
        sum(row.energy_down_h * share for row, share in rows),
    )


def fleet_size(
    home: HomeSize,
    mix: Mapping[Product, float],
    *,
    bid_w: float = rules.MIN_BID_W,
    available: float = 1.0,
    reduction: float = 1.0,
    possible: bool = True,
) -> FleetSize:
    """Equal homes for a bid.

    Args:
        home: what each of them has, the home's baseline being 0.
        mix: products sold at once, as shares of the bid.
        bid_w: what is sold of a product with a share of 1.
        available: share of homes that can be counted on at any time.
        reduction: the factor K that dynamics leave of the capacity.
        possible: whether the dynamics pass at all.

    Raises:
        DesignError: a number out of its range.
    """
    if not 0 < available <= 1 or not 0 < reduction <= 1 or not bid_w > 0:
        raise DesignError(
            f"availability and reduction lie above 0 and up to 1, a bid above 0 W; found {available}, {reduction}, "
            f"{bid_w} W"
        )
    need = reserved(mix)
    limits = (
        Limit("discharge power", home.discharge_w / need.power_up),
        Limit("charge power", home.charge_w / need.power_down),
        Limit("energy", home.energy_wh / (need.energy_up_h + need.energy_down_h)),
        Limit("type qualification (100 kW a unit)", rules.TYPE_QUALIFIED_MAX_W),
    )
    capacity_w = min(one.capacity_w for one in limits) * reduction
    homes = math.ceil(bid_w / (capacity_w * available) - 1e-9)
    return FleetSize(dict(mix), bid_w, capacity_w, limits, homes, possible)
