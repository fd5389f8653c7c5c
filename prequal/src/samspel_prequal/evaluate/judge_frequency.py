"""R8, R9, R10: figures of the frequency domain put to their limits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from samspel_prequal import rules
from samspel_prequal.evaluate.frequency_response import FrequencyResponse, SinePoint
from samspel_prequal.evaluate.interpolation import MEASURED_RULES, Interpolation
from samspel_prequal.evaluate.options import EvaluationOptions
from samspel_prequal.evaluate.performance import performance
from samspel_prequal.evaluate.requirement import Requirement, at_least, at_most
from samspel_prequal.evaluate.stability import Stability, stability, stability_radius
from samspel_prequal.product import Product

__all__ = ["judge_linearity_of_sines", "judge_performance", "judge_stability", "stability_under_every_rule"]

_LOWEST_FOR_MODEL = 3  # three parameters


def stability_under_every_rule(
    measured: FrequencyResponse, product: Product, t_fme_s: float
) -> dict[Interpolation, Stability]:
    """R8 under each named rule; the model only where enough periods were measured to fit it."""
    grid = rules.GRID_STABILITY[product]
    names = [*MEASURED_RULES, Interpolation.STRICTEST]
    names += [Interpolation.MODEL] if len(measured.period_s) >= _LOWEST_FOR_MODEL else []
    return {rule: stability(measured, grid, rule, t_fme_s=t_fme_s) for rule in names}


def judge_stability(under: dict[Interpolation, Stability], product: Product, options: EvaluationOptions) -> Requirement:
    """R8 under the chosen rule, with the verdict under each."""
    limit = stability_radius(exempted=options.r8_exempted and product is Product.FCR_N)
    found = under[options.interpolation]
    side = "does not encircle -1" if not found.encirclements else "encircles -1: the closed loop is unstable"
    text = (
        f"the Nyquist curve passes {found.distance:.4f} from -1 (needs {limit:.4f}) "
        f"near {found.nearest_period_s:.3g} s and {side}"
    )
    each = {
        rule.value: {
            "value": one.value,
            "distance": one.distance,
            "encirclements": float(one.encirclements),
            "passed": one.value >= limit,
        }
        for rule, one in under.items()
    }
    decided = at_least(found.value, limit, options.interpolation.value, text)
    return decided.explained(decided_by=found.rule.value, nominal_limit=rules.STABILITY_RADIUS, under=each)


def judge_performance(measured: FrequencyResponse, product: Product) -> Requirement:
    """R9: the worst tested period."""
    ratios = performance(measured, rules.GRID_PERFORMANCE[product])
    at = int(np.argmax(ratios))
    value = float(ratios[at])
    each = {f"{period:g}": float(ratio) for period, ratio in zip(measured.period_s, ratios, strict=True)}
    text = f"0.95·|G/(1+FG)|·|D| is at most {value:.4f} (at {measured.period_s[at]:g} s); it must stay below 1"
    return Requirement(value, 1.0, 1 - value, value < 1, "at the tested periods", text, {"periods": each})


def judge_linearity_of_sines(points: Sequence[SinePoint]) -> Requirement:
    """R10: the worst period's residual."""
    noisiest = max(points, key=lambda point: point.residual)
    text = f"the residual is at most {noisiest.residual:.3f} of the sine (at {noisiest.period_s:g} s)"
    found = at_most(noisiest.residual, rules.MAX_SINE_RESIDUAL, "least squares over the stationary periods", text)
    return found.explained(periods={f"{point.period_s:g}": point.residual for point in points})
