"""An entity on paper put to R1, R2, R3, R8 and R9 by the evaluation's functions, and what each millisecond costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from samspel_prequal import rules
from samspel_prequal.design.loop import Entity, Fleet, Loop
from samspel_prequal.errors import DesignError
from samspel_prequal.evaluate.frequency_response import FrequencyResponse, omega
from samspel_prequal.evaluate.interpolation import Interpolation
from samspel_prequal.evaluate.judge_frequency import judge_performance
from samspel_prequal.evaluate.margins import delay_margin_s
from samspel_prequal.evaluate.performance import performance_reduction
from samspel_prequal.evaluate.ramps import Activation, activation
from samspel_prequal.evaluate.reduction import Reduction, dynamic_reduction, steady_reduction
from samspel_prequal.evaluate.requirement import Requirement, at_least, within
from samspel_prequal.evaluate.stability import Stability, stability, stability_radius
from samspel_prequal.evaluate.table import outcome
from samspel_prequal.evaluate.verdict import Outcome
from samspel_prequal.product import Product

__all__ = ["TIMES", "DesignVerdict", "frequency_response", "judge", "requirements"]

TIMES: Final = ("dead_time_s", "lag_s", "meter_s", "control_period_s")
_SAMPLES: Final = 751  # of the ramp that the evaluation sees, 10 ms apart
_MILLISECOND_S: Final = 1e-3


@dataclass(frozen=True, slots=True)
class DesignVerdict:
    """What an entity on paper could be qualified for, as far as dynamics go."""

    product: Product
    outcome: Outcome
    requirements: Mapping[str, Requirement]
    reduction: Reduction
    delay_left_s: Mapping[str, float | None]  # until a requirement turns; negative: too late by so much
    cost_per_ms: Mapping[str, Mapping[str, float]]  # time -> requirement -> margin lost by one more millisecond

    @property
    def failed(self) -> tuple[str, ...]:
        """The requirements that do not hold at the full capacity."""
        return tuple(name for name, one in self.requirements.items() if one.passed is False)


def judge(
    entity: Loop | Fleet, product: Product, *, interpolation: Interpolation = Interpolation.STRICTEST
) -> DesignVerdict:
    """Everything about one product.

    Raises:
        DesignError: the product has no requirements in the frequency domain.
    """
    if not product.is_fcr:
        raise DesignError(f"the design side knows fcr-n, fcr-d-up and fcr-d-down, not {product}")
    found = requirements(entity, product, interpolation)
    reduction = _reduction(entity, product, found)
    costs = {name: _cost(entity, product, interpolation, found, name) for name in TIMES}
    left = {name: _delay_left_s(entity, product, interpolation, name) for name in found if name != "R1"}
    return DesignVerdict(product, outcome(found, reduction), found, reduction, left, costs)


def requirements(entity: Entity, product: Product, interpolation: Interpolation) -> dict[str, Requirement]:
    """R1, R8 and R9, with R2 and R3 for FCR-D, at full capacity."""
    measured = frequency_response(entity, product)
    error = _steady_share(entity) - 1
    found = {
        "R1": within(
            error,
            -rules.STEADY_STATE_UNDER,
            rules.STEADY_STATE_OVER,
            "steady gain",
            f"{error:+.2%} of ΔPt off",
        )
    }
    if product.is_fcr_d:
        found |= _judge_activation(_activation(entity))
    stable = stability(measured, rules.GRID_STABILITY[product], interpolation)
    return found | {"R8": _judge_stability(stable), "R9": judge_performance(measured, product)}


def frequency_response(entity: Entity, product: Product) -> FrequencyResponse:
    """F at the product's own periods, longest first."""
    periods_s = np.array(sorted((row.period_s for row in rules.sine_periods(product)), reverse=True))
    return FrequencyResponse(periods_s, entity.response(omega(periods_s)))


def _activation(entity: Entity, extra_s: float = 0.0) -> Activation:
    time_s = np.linspace(0.0, rules.ACTIVATION_TIME_S, _SAMPLES)
    return activation(time_s, entity.ramp_share(time_s - extra_s), 0.0, 0.0)


def _steady_share(entity: Entity) -> float:
    return float(entity.response(np.zeros(1))[0].real)


def _judge_activation(active: Activation) -> dict[str, Requirement]:
    rule = "closed form of ramp 5, read as a log of 10 ms"
    power, energy_s = active.power_w, active.energy_ws
    return {
        "R2": at_least(power, rules.ACTIVATION_POWER_SHARE, rule, f"{power:.1%} of ΔPt after 7.5 s; 86 % is due"),
        "R3": at_least(energy_s, rules.ACTIVATION_ENERGY_S, rule, f"{energy_s:.3f} s of ΔPt by then; 3.2 s are due"),
    }


def _judge_stability(found: Stability) -> Requirement:
    limit = stability_radius()
    side = "and encircles it: unstable" if found.encirclements else "and does not encircle it"
    text = f"the Nyquist curve passes {found.distance:.4f} from -1 (needs {limit:.4f}) {side}"
    return at_least(found.value, limit, found.rule.value, text)


def _reduction(entity: Entity, product: Product, found: Mapping[str, Requirement]) -> Reduction:
    """K_ss and K_dyn with which this entity would pass."""
    values = {name: one.value for name, one in found.items() if one.value is not None}
    by_performance = performance_reduction(frequency_response(entity, product), rules.GRID_PERFORMANCE[product])
    dynamic = dynamic_reduction(
        [values[name] for name in ("R2",) if name in values],
        [values[name] for name in ("R3",) if name in values],
        by_performance,
    )
    floor = rules.MIN_REDUCTION[product]
    return Reduction(steady_reduction([_steady_share(entity)]), dynamic, floor, floor)


def _cost(
    entity: Loop | Fleet,
    product: Product,
    interpolation: Interpolation,
    found: Mapping[str, Requirement],
    name: str,
) -> dict[str, float]:
    """What each margin loses, in its own unit, when one time grows by a millisecond."""
    later = requirements(entity.changed(name, _MILLISECOND_S), product, interpolation)
    return {rule: (one.margin or 0.0) - (later[rule].margin or 0.0) for rule, one in found.items() if rule != "R1"}


def _delay_left_s(entity: Loop | Fleet, product: Product, interpolation: Interpolation, name: str) -> float | None:
    """Extra dead time until a requirement turns. For one that fails: how much of the dead time must go, negative.

    None: nothing within 10 s, or no dead time is short enough.
    """
    measured = frequency_response(entity, product)

    def passes(extra_s: float) -> bool:
        if name in {"R2", "R3"}:
            return _judge_activation(_activation(entity, extra_s))[name].passed is True
        later = measured.delayed(extra_s)
        if name == "R9":
            return judge_performance(later, product).passed is True
        return stability(later, rules.GRID_STABILITY[product], interpolation).value >= stability_radius()

    if passes(0.0):
        return delay_margin_s(passes)
    return delay_margin_s(passes, most_s=entity.shortest_s) if entity.shortest_s > 0 else None
