"""From logs to the verdict, station by station."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from samspel_prequal import rules
from samspel_prequal.errors import EvaluationError
from samspel_prequal.evaluate.evidence import Evidence, gather
from samspel_prequal.evaluate.frequency_response import FrequencyResponse, SinePoint
from samspel_prequal.evaluate.interpolation import Interpolation, ModelFit, fit_model
from samspel_prequal.evaluate.judge_frequency import (
    judge_linearity_of_sines,
    judge_performance,
    judge_stability,
    stability_under_every_rule,
)
from samspel_prequal.evaluate.measurement import judge_declared
from samspel_prequal.evaluate.options import EvaluationOptions
from samspel_prequal.evaluate.performance import performance_reduction
from samspel_prequal.evaluate.ramps import RampFigures
from samspel_prequal.evaluate.reduction import Reduction, dynamic_reduction, steady_reduction
from samspel_prequal.evaluate.requirement import Requirement, worst
from samspel_prequal.evaluate.room import frequency_margins, time_margins
from samspel_prequal.evaluate.stability import Stability, stability, stability_radius
from samspel_prequal.evaluate.static import StaticFigures
from samspel_prequal.evaluate.steps import StepFigures
from samspel_prequal.evaluate.table import ORDER, due, outcome
from samspel_prequal.evaluate.verdict import Margins, Outcome, Verdict
from samspel_prequal.logs import Log
from samspel_prequal.product import Product

__all__ = ["evaluate"]


def evaluate(
    logs: Iterable[Log], product: Product, capacity_w: float, options: EvaluationOptions | None = None
) -> Verdict:
    """Put all logs of one product to every requirement that they can show.

    Args:
        logs: of this product, in any order; the kind of test is in each log's label.
        product: fcr-n, fcr-d-up or fcr-d-down.
        capacity_w: |ΔP_theoretical|, what is to be prequalified, above 0.
        options: readings and declarations.

    Raises:
        EvaluationError: a log of another product, or one that is no answer to the test in its name.
    """
    chosen = options or EvaluationOptions()
    if not product.is_fcr or not capacity_w > 0:
        raise EvaluationError(f"expected an FCR product and a capacity above 0 W, found {product} and {capacity_w:g} W")
    evidence = tuple(gather(_checked(log, product), capacity_w, chosen) for log in logs)
    sines = _judge_sines(evidence, product, chosen)
    k = _reduction(evidence, sines.measured, product)
    found = _of_logs(evidence) | sines.requirements | judge_declared(chosen.rated_w or capacity_w, chosen)
    found |= {} if k.combined is None else {"K": _judge_reduction(k)}
    requirements = {name: found[name] for name in ORDER if name in found}
    decided = outcome(requirements, k)
    periods_s = {point.period_s for point in sines.points}
    return Verdict(
        product=product,
        capacity_w=capacity_w,
        verdict=decided,
        requirements=requirements,
        sine=sines.points,
        k=k,
        capacity_remaining_w=0.0 if decided is Outcome.FAIL else k.remaining * capacity_w,
        margins=time_margins(evidence) | sines.margins,
        missing=due(product, chosen, capacity_w, requirements, periods_s, static=_static(evidence)),
        warnings=(*_log_warnings(evidence), *_stability_warnings(sines, k, product, chosen)),
        options=chosen,
        stability=sines.under,
        model=sines.model,
        evidence=evidence,
    )


@dataclass(frozen=True, slots=True)
class _Sines:
    """The frequency domain's part of a verdict; empty without sine logs."""

    points: tuple[SinePoint, ...] = ()  # by rising period
    measured: FrequencyResponse = field(default_factory=lambda: FrequencyResponse.from_points(()))
    under: dict[Interpolation, Stability] = field(default_factory=dict)
    model: ModelFit | None = None
    requirements: dict[str, Requirement] = field(default_factory=dict)
    margins: dict[str, Margins] = field(default_factory=dict)


def _judge_sines(evidence: Sequence[Evidence], product: Product, options: EvaluationOptions) -> _Sines:
    points = _sine_points(evidence)
    if not points:
        return _Sines()
    measured = FrequencyResponse.from_points(points)
    t_fme_s = max(point.t_fme_s for point in points)
    under = stability_under_every_rule(measured, product, t_fme_s)
    if options.interpolation not in under:
        raise EvaluationError(f"the rule {options.interpolation} needs sines of at least 3 periods")
    requirements = {
        "R8": judge_stability(under, product, options),
        "R9": judge_performance(measured, product),
        "R10": judge_linearity_of_sines(points),
    }
    model = fit_model(measured, t_fme_s=t_fme_s) if Interpolation.MODEL in under else None
    margins = frequency_margins(measured, product, options, t_fme_s)
    return _Sines(points, measured, under, model, requirements, margins)


def _checked(log: Log, product: Product) -> Log:
    if log.product is not product:
        raise EvaluationError(f"{log.label}: expected a log of {product}, found one of {log.product}")
    return log


def _sine_points(evidence: Sequence[Evidence]) -> tuple[SinePoint, ...]:
    """One point a period, by rising period; of two logs the later one is taken."""
    ordered = sorted(evidence, key=lambda one: one.log.start)
    points = {one.figures.period_s: one.figures for one in ordered if isinstance(one.figures, SinePoint)}
    return tuple(sorted(points.values(), key=lambda point: point.period_s))


def _log_warnings(evidence: Sequence[Evidence]) -> list[str]:
    periods = Counter(one.figures.period_s for one in evidence if isinstance(one.figures, SinePoint))
    doubled = [
        f"{count} sine logs of {period:g} s: the last one is judged" for period, count in periods.items() if count > 1
    ]
    return [*doubled, *(text for one in evidence for text in one.warnings)]


def _of_logs(evidence: Sequence[Evidence]) -> dict[str, Requirement]:
    """The log with the least room decides each requirement."""
    names = {name for one in evidence for name in one.requirements}
    found: dict[str, Requirement] = {}
    for name in names:
        by_log = [
            one.requirements[name].explained(log=str(one.log.label)) for one in evidence if name in one.requirements
        ]
        decided = worst(by_log)
        if decided is not None:
            found[name] = decided
    return found


def _reduction(evidence: Sequence[Evidence], measured: FrequencyResponse, product: Product) -> Reduction:
    delivered: list[float] = []
    powers: list[float] = []
    energies_s: list[float] = []
    for one in evidence:
        figures = one.figures
        if isinstance(figures, StepFigures):
            delivered += [figures.up_w / one.due_w, -figures.down_w / one.due_w]
        elif isinstance(figures, RampFigures | StaticFigures):
            delivered.append(figures.steady_w / one.due_w)
            powers.append(figures.activation.power_w / one.due_w)
            energies_s.append(figures.activation.energy_ws / one.due_w)
    over = rules.STATIC_STEADY_STATE_OVER if _static(evidence) else rules.STEADY_STATE_OVER
    r9 = performance_reduction(measured, rules.GRID_PERFORMANCE[product]) if len(measured.period_s) else None
    floor = rules.MIN_REDUCTION[product]
    return Reduction(
        steady_reduction(delivered, over=over),
        dynamic_reduction(powers, energies_s, r9),
        floor,
        rules.STATIC_MIN_DYNAMIC_REDUCTION if _static(evidence) else floor,
    )


def _static(evidence: Sequence[Evidence]) -> bool:
    return any(isinstance(one.figures, StaticFigures) for one in evidence)


def _judge_reduction(k: Reduction) -> Requirement:
    parts = [(k.steady, k.steady_floor), (k.dynamic, k.dynamic_floor)]
    factor, floor = min(
        ((factor, floor) for factor, floor in parts if factor is not None), key=lambda part: part[0] - part[1]
    )
    text = f"K_ss {_shown(k.steady)}, K_dyn {_shown(k.dynamic)}: {k.remaining:.1%} of the capacity remains"
    return Requirement(
        k.combined,
        floor,
        factor - floor,
        k.allowed,
        "min(K_ss, K_dyn)",
        text,
        {"steady": k.steady, "dynamic": k.dynamic},
    )


def _shown(factor: float | None) -> str:
    return "unknown" if factor is None else f"{factor:.4f}"


def _stability_warnings(sines: _Sines, k: Reduction, product: Product, options: EvaluationOptions) -> list[str]:
    if not sines.under:
        return []
    limit = stability_radius(exempted=options.r8_exempted and product is Product.FCR_N)
    passes = sines.under[options.interpolation].value >= limit
    found = [
        f"R8 {'passes' if passes else 'fails'} under {options.interpolation}, but "
        f"{'fails' if passes else 'passes'} under {rule} ({one.value:.4f})"
        for rule, one in sines.under.items()
        if (one.value >= limit) is not passes
    ]
    if passes and 0 < k.remaining < 1:
        reduced = stability(sines.measured.scaled(1 / k.remaining), rules.GRID_STABILITY[product])
        if reduced.value < limit:
            found.append(
                f"R8 is judged with F as the requirements print it; with F/K, as R9 is, it fails ({reduced.value:.4f})"
            )
    return found
