"""How much delay and gain each requirement still bears."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from samspel_prequal import rules
from samspel_prequal.evaluate.evidence import Evidence
from samspel_prequal.evaluate.frequency_response import FrequencyResponse
from samspel_prequal.evaluate.margins import delay_margin_s, gain_margins
from samspel_prequal.evaluate.options import EvaluationOptions
from samspel_prequal.evaluate.performance import performance
from samspel_prequal.evaluate.ramps import Activation, RampFigures, activation
from samspel_prequal.evaluate.stability import stability, stability_radius
from samspel_prequal.evaluate.static import StaticFigures
from samspel_prequal.evaluate.verdict import Margins
from samspel_prequal.product import Product

__all__ = ["frequency_margins", "time_margins"]


def frequency_margins(
    measured: FrequencyResponse, product: Product, options: EvaluationOptions, t_fme_s: float
) -> dict[str, Margins]:
    """Of R8, under the chosen rule, and R9. `t_fme_s` is the meter's share that the measured F includes."""
    limit = stability_radius(exempted=options.r8_exempted and product is Product.FCR_N)
    stable, damping = rules.GRID_STABILITY[product], rules.GRID_PERFORMANCE[product]

    def r8(changed: FrequencyResponse) -> bool:
        return stability(changed, stable, options.interpolation, t_fme_s=t_fme_s).value >= limit

    def r9(changed: FrequencyResponse) -> bool:
        return bool(np.max(performance(changed, damping)) < 1)

    return {"R8": _of_response(measured, r8), "R9": _of_response(measured, r9)}


def time_margins(evidence: Sequence[Evidence]) -> dict[str, Margins]:
    """Of R2 and R3: the log with the least room decides. A later response is the same one, read earlier."""
    logs = [(one, _activation(one)) for one in evidence]
    known = [(one, active) for one, active in logs if active is not None]
    if not known:
        return {}
    return {"R2": _of_activations(known, _power_share), "R3": _of_activations(known, _energy_share)}


def _of_response(measured: FrequencyResponse, passes: Callable[[FrequencyResponse], bool]) -> Margins:
    delay_s = delay_margin_s(lambda extra_s: passes(measured.delayed(extra_s)))
    return Margins(delay_s, *gain_margins(lambda gain: passes(measured.scaled(gain))))


def _of_activations(
    known: Sequence[tuple[Evidence, Activation]], share_of: Callable[[Evidence, Activation], float]
) -> Margins:
    """`share_of` gives what was reached of what is due: 1 passes."""

    def passes(extra_s: float) -> bool:
        return all(share_of(one, _later(one, active, extra_s)) >= 1 for one, active in known)

    least = min(share_of(one, active) for one, active in known)
    return Margins(delay_margin_s(passes), 1 / least if least > 0 else None, None)


def _activation(evidence: Evidence) -> Activation | None:
    figures = evidence.figures
    return figures.activation if isinstance(figures, RampFigures | StaticFigures) else None


def _later(evidence: Evidence, active: Activation, extra_s: float) -> Activation:
    return activation(evidence.trace.time_s, evidence.trace.power_w, active.start_s - extra_s, active.rest_w)


def _power_share(evidence: Evidence, active: Activation) -> float:
    return active.power_w / evidence.due_w / rules.ACTIVATION_POWER_SHARE


def _energy_share(evidence: Evidence, active: Activation) -> float:
    return active.energy_ws / evidence.due_w / rules.ACTIVATION_ENERGY_S
