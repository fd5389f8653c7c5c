"""Which homes cost how much: the margin of the sum without a home, minus the margin with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from samspel_prequal import rules
from samspel_prequal.aggregate.suspects import HomeFacts, apparent_delay_s, suspicions
from samspel_prequal.errors import AggregateError
from samspel_prequal.evaluate.frequency_response import FrequencyResponse, omega
from samspel_prequal.evaluate.interpolation import Interpolation
from samspel_prequal.evaluate.performance import performance
from samspel_prequal.evaluate.stability import stability, stability_radius
from samspel_prequal.evaluate.verdict import Verdict
from samspel_prequal.product import Product
from samspel_prequal.signals import FloatArray

if TYPE_CHECKING:
    from samspel_prequal.aggregate.pipeline import FleetParts

__all__ = ["RANKED", "HomeCost", "ranked"]

RANKED: Final = ("R1", "R2", "R3", "hold", "R4", "R8", "R9", "R10")
# What turns a margin into room: a share of all that there could be, or of the limit.
_SCALE: Final[Mapping[str, float]] = {
    "R1": rules.STEADY_STATE_UNDER,
    "R2": 1 - rules.ACTIVATION_POWER_SHARE,
    "R3": rules.ACTIVATION_ENERGY_S,
    "R4": rules.DEACTIVATION_ENERGY_S,
}


@dataclass(frozen=True, slots=True)
class HomeCost:
    """One home. `cost` is the room that the sum gains without it, by requirement: negative for a home that helps."""

    home: str
    capacity_w: float
    cost: Mapping[str, float]
    facts: HomeFacts
    suspicions: tuple[str, ...]


def ranked(
    verdict: Verdict, parts: FleetParts, capacity_w: FloatArray, rank_by: str = ""
) -> tuple[str, dict[str, float], tuple[HomeCost, ...]]:
    """The requirement with the least room, the room of each, and the homes, costliest first.

    Raises:
        AggregateError: `rank_by` is not shown by these tests.
    """
    limits = {name: _scale(name, verdict) for name in RANKED}
    shown = {name: verdict.requirements[name] for name in RANKED if name in verdict.requirements}
    room = {name: one.margin / limits[name] for name, one in shown.items() if one.margin is not None}
    if rank_by and rank_by not in room:
        raise AggregateError(f"homes cannot be ranked by {rank_by}: these tests show {', '.join(room)}")
    if not room:
        raise AggregateError("these tests show no requirement that homes could be ranked by")
    by = rank_by or _least(room)
    without = _margins_without(verdict, parts, capacity_w)
    costs = {name: values / limits[name] - room[name] for name, values in without.items() if name in room}
    facts = _facts(parts, capacity_w)
    delays_s = [one.delay_s for one in facts if np.isfinite(one.delay_s)]
    usual_delay_s = float(np.median(delays_s)) if delays_s else 0.0
    homes = [
        HomeCost(
            home,
            float(capacity_w[at]),
            {name: float(values[at]) for name, values in costs.items()},
            facts[at],
            tuple(suspicions(facts[at], usual_delay_s)),
        )
        for home, at in parts.homes.items()
    ]
    return by, room, tuple(sorted(homes, key=lambda one: -np.nan_to_num(one.cost.get(by, 0.0), nan=-np.inf)))


def _least(room: Mapping[str, float]) -> str:
    """The requirement with the least room; the hold rule, whose room is always a hair, only where it fails."""
    counted = {name: value for name, value in room.items() if name != "hold" or value < 0}
    return min(counted or room, key=room.__getitem__)


def _scale(name: str, verdict: Verdict) -> float:
    """What a margin is divided by."""
    if name == "R8":
        return _radius(verdict)
    return _SCALE.get(name, 1.0)


def _radius(verdict: Verdict) -> float:
    return stability_radius(exempted=verdict.options.r8_exempted and verdict.product is Product.FCR_N)


def _margins_without(verdict: Verdict, parts: FleetParts, capacity_w: FloatArray) -> dict[str, FloatArray]:
    """Margins of the sum without each home. Where several logs speak of one requirement, the worst counts."""
    found: dict[str, FloatArray] = {}
    for homes, margins in parts.without:
        for name, values in margins.items():
            spread = _spread(parts, homes, values, float(verdict.requirements[name].margin or 0.0))
            found[name] = np.fmin(found[name], spread) if name in found else spread
    return found | _frequency_margins(verdict, parts, capacity_w)


def _spread(parts: FleetParts, homes: tuple[str, ...], values: FloatArray, absent: float) -> FloatArray:
    """From one test's homes to all homes."""
    found = np.full(len(parts.homes), absent)
    found[[parts.homes[home] for home in homes]] = values
    return found


def _responses(parts: FleetParts) -> tuple[FloatArray, FloatArray]:
    """Periods, longest first, and (periods, homes) of complex watts."""
    ordered = sorted(parts.sines, key=lambda one: -one[1].period_s)
    response_w = np.zeros((len(ordered), len(parts.homes)), dtype=np.complex128)
    for at, (homes, one) in enumerate(ordered):
        response_w[at, [parts.homes[home] for home in homes]] = one.response_w
    return np.array([one.period_s for _, one in ordered]), response_w  # type: ignore[return-value]


def _frequency_margins(verdict: Verdict, parts: FleetParts, capacity_w: FloatArray) -> dict[str, FloatArray]:
    """R8, R9 and R10 without each home, from sums of complex numbers."""
    if not parts.sines:
        return {}
    period_s, response_w = _responses(parts)
    left_w = np.maximum(capacity_w.sum() - capacity_w, np.finfo(np.float64).tiny)
    without = (response_w.sum(axis=1, keepdims=True) - response_w) / left_w
    damping = rules.GRID_PERFORMANCE[verdict.product]
    many = FrequencyResponse(period_s, np.ascontiguousarray(without.T))
    return {
        "R8": np.array([_stability_margin(verdict, period_s, one) for one in without.T]),
        "R9": np.asarray(1 - performance(many, damping).max(axis=-1)),
        "R10": _residual_margins(verdict, parts),
    }


def _stability_margin(verdict: Verdict, period_s: FloatArray, response: FloatArray) -> float:
    chosen = verdict.options.interpolation
    t_fme_s = max((point.t_fme_s for point in verdict.sine), default=0.0) if chosen is Interpolation.MODEL else 0.0
    measured = FrequencyResponse(period_s, np.asarray(response, dtype=np.complex128))
    found = stability(measured, rules.GRID_STABILITY[verdict.product], chosen, t_fme_s=t_fme_s)
    return found.value - _radius(verdict)


def _residual_margins(verdict: Verdict, parts: FleetParts) -> FloatArray:
    """R10: the residual of the sum without a home, over the sine of the sum without it; the worst period."""
    margins = np.full(len(parts.homes), np.inf)
    residual_rms = {point.period_s: point.power_fit.residual_rms for point in verdict.sine}
    for homes, one in parts.sines:
        power = residual_rms[one.period_s] ** 2 - 2 * one.residual_with_sum + one.residual_power
        amplitude = np.abs(one.phasor_w.sum() - one.phasor_w)
        ratio = np.sqrt(np.maximum(power, 0.0)) / np.maximum(amplitude / np.sqrt(2), 1e-300)
        margins = np.minimum(margins, _spread(parts, homes, rules.MAX_SINE_RESIDUAL - ratio, np.inf))
    return margins


def _facts(parts: FleetParts, capacity_w: FloatArray) -> list[HomeFacts]:
    count = len(parts.homes)
    gain, delay_s, turned, flat_s = (
        np.full(count, np.nan),
        np.full(count, np.nan),
        np.zeros(count, bool),
        np.zeros(count),
    )
    if parts.sines:
        period_s, response_w = _responses(parts)
        gain = np.abs(response_w[0]) / capacity_w
        turned = response_w[0].real < 0
        delay_s = np.where(response_w[0] != 0, apparent_delay_s(response_w, omega(period_s)), np.nan)  # type: ignore[arg-type]
    for homes, one in parts.sines:
        flat_s = np.maximum(flat_s, _spread(parts, homes, one.flat_s, 0.0))
    missing = np.mean([_spread(parts, homes, values, 1.0) for homes, values, _ in parts.seen], axis=0)
    clocks = np.array([_spread(parts, homes, values, np.nan) for homes, _, values in parts.seen])
    clock_s = [float(np.median(one[np.isfinite(one)])) if np.isfinite(one).any() else float("nan") for one in clocks.T]
    return [
        HomeFacts(
            float(gain[at]), float(delay_s[at]), clock_s[at], float(missing[at]), float(flat_s[at]), bool(turned[at])
        )
        for at in range(count)
    ]
