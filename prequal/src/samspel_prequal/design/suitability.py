"""Which model can serve which product: dynamics by the evaluation, permission by the evidence.

A record says how long it takes from a write to 90 % of the target, not how that time is made up, so every reading is
judged: all of it dead time, all of it a first-order lag, or a straight line to the target. A product needs all of its
directions. FCR-N crosses zero at every half wave: where a reversal takes time, that time is dead time there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from samspel_prequal.design.judge import requirements
from samspel_prequal.design.loop import Loop
from samspel_prequal.design.records import DriverRecord, RouteRecord
from samspel_prequal.evaluate.interpolation import Interpolation
from samspel_prequal.product import FCR_PRODUCTS, Product

__all__ = ["PERMITTING_EVIDENCE", "Dynamics", "Suitability", "readings", "suitability"]

PERMITTING_EVIDENCE: Final = "measured"
_SETTLED: Final = 0.9  # of the target: where a record's latency ends
_LAGS: Final = -math.log(1 - _SETTLED)  # time constants until then
_DIRECTIONS: Final[Mapping[Product, tuple[str, ...]]] = {
    Product.FCR_N: ("discharge", "charge"),
    Product.FCR_D_UP: ("discharge",),
    Product.FCR_D_DOWN: ("charge",),
}


class Dynamics(StrEnum):
    """What the requirements would say of a device that behaves as its record says."""

    YES = "yes"  # under every reading
    DEPENDS = "depends"  # on how the latency is made up
    NO = "no"  # under no reading
    UNKNOWN = "unknown"  # the record does not say enough


@dataclass(frozen=True, slots=True)
class Suitability:
    """One model and one product."""

    record: DriverRecord
    product: Product
    routes: tuple[RouteRecord, ...]
    dynamics: Dynamics
    failed: Mapping[str, tuple[str, ...]]  # reading -> requirements that fail
    r8_margin: tuple[float, float] | None  # worst and best reading
    evidence: tuple[str, ...]
    obstacles: tuple[str, ...]  # what forbids the product whatever the dynamics
    notes: tuple[str, ...]

    @property
    def permitted(self) -> bool:
        """Products rest on measured evidence only, and on dynamics that pass under every reading."""
        return self.dynamics is Dynamics.YES and not self.obstacles

    @property
    def latency_s(self) -> float | None:
        """The slowest route's."""
        known = [route.latency_s for route in self.routes if route.latency_s is not None]
        return max(known) if known and len(known) == len(self.routes) else None


def suitability(
    record: DriverRecord, base: Loop, *, interpolation: Interpolation = Interpolation.STRICTEST
) -> Iterator[Suitability]:
    """A record put to every FCR product. `base` gives what a record does not say: meter, control period, gain."""
    for product in FCR_PRODUCTS:
        found = [record.first(direction) for direction in _DIRECTIONS[product]]
        routes = tuple(route for route in found if route is not None)
        by_direction = zip(_DIRECTIONS[product], found, strict=True)
        missing = tuple(f"no route to {direction}" for direction, route in by_direction if not route)
        failed: dict[str, tuple[str, ...]] = {}
        margins: list[float] = []
        for name, loop in ({} if missing else readings(routes, product, base)).items():
            judged = requirements(loop, product, interpolation)
            failed[name] = tuple(rule for rule, one in judged.items() if one.passed is False)
            margins.append(judged["R8"].margin or 0.0)
        yield Suitability(
            record,
            product,
            routes,
            _dynamics(failed, missing),
            failed,
            (min(margins), max(margins)) if margins else None,
            tuple(sorted({route.evidence for route in routes})),
            (*missing, *_obstacles(routes)),
            tuple(_notes(routes, product)),
        )


def readings(routes: tuple[RouteRecord, ...], product: Product, base: Loop) -> dict[str, Loop]:
    """The loops that the slowest route may mean, by name; none where a latency is not known."""
    latencies = [route.latency_s for route in routes]
    if not routes or any(latency is None for latency in latencies):
        return {}
    bare = replace(base, dead_time_s=base.spread_s, lag_s=0.0, travel_s=0.0)
    slowest = max(routes, key=lambda route: route.latency_s or 0.0)
    latency_s = slowest.latency_s or 0.0
    dwell_s = max(route.reversal_dwell_s for route in routes) if product is Product.FCR_N else 0.0
    loops = {
        "step": bare.changed("dead_time_s", latency_s + dwell_s),
        "linear": replace(bare, travel_s=latency_s / _SETTLED).changed("dead_time_s", dwell_s),
        "lag": replace(bare, lag_s=latency_s / _LAGS).changed("dead_time_s", dwell_s),
    }
    return {slowest.ramp: loops[slowest.ramp]} if slowest.ramp in loops else loops


def _dynamics(failed: Mapping[str, tuple[str, ...]], missing: tuple[str, ...]) -> Dynamics:
    if missing:
        return Dynamics.NO
    if not failed:
        return Dynamics.UNKNOWN
    passing = [not rules for rules in failed.values()]
    return Dynamics.YES if all(passing) else Dynamics.DEPENDS if any(passing) else Dynamics.NO


def _obstacles(routes: tuple[RouteRecord, ...]) -> Iterator[str]:
    """What the contract says about products, whatever the dynamics."""
    weak = sorted({route.evidence for route in routes} - {PERMITTING_EVIDENCE})
    if weak:
        yield f"evidence is {', '.join(weak)}; a product needs measured"
    for route in routes:
        if route.authority != "exact":
            yield f"{route.name} is {route.authority}, not exact"
        if route.write_life == "persistent":
            yield f"{route.name} wears its registers"


def _notes(routes: tuple[RouteRecord, ...], product: Product) -> Iterator[str]:
    """What matters besides, and is not judged here."""
    for route in routes:
        if route.latency_s is None:
            yield f"{route.name}: latency is not known"
        if route.deadman == "none":
            yield f"{route.name}: the device has no timer of its own, so a live guard is needed"
        if route.reversal_dwell_s and product is Product.FCR_N:
            yield f"{route.name}: {route.reversal_dwell_s:g} s at every reversal counted as dead time"
        if route.dead_zone_w:
            yield f"{route.name}: nothing below {route.dead_zone_w:g} W"
