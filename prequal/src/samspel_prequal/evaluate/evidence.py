"""One log put to the requirements that its kind of test can show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from samspel_prequal import rules
from samspel_prequal.errors import EvaluationError
from samspel_prequal.evaluate.endurance import judge_energy, judge_hold, least_held
from samspel_prequal.evaluate.energy import EnergyFigures, energy_figures
from samspel_prequal.evaluate.frequency_response import SinePoint, sine_point
from samspel_prequal.evaluate.judge_time import (
    judge_combination,
    judge_ramp,
    judge_staircase,
    judge_static,
    judge_steps,
)
from samspel_prequal.evaluate.linearity import Level, staircase
from samspel_prequal.evaluate.measurement import judge_operation, judge_rate, judge_resolution
from samspel_prequal.evaluate.mode_shift import judge_mode_shifts, mode_shifts
from samspel_prequal.evaluate.options import EvaluationOptions
from samspel_prequal.evaluate.ramps import RampFigures, ramp_figures
from samspel_prequal.evaluate.requirement import Requirement, worst
from samspel_prequal.evaluate.static import StaticFigures, static_figures
from samspel_prequal.evaluate.steps import StepFigures, step_figures
from samspel_prequal.evaluate.traces import Trace, frequency_meter_s, theoretical_w, trace
from samspel_prequal.logs import Log, header_for
from samspel_prequal.product import Product, TestType
from samspel_prequal.signals import FloatArray

__all__ = ["Evidence", "Figures", "gather"]

Figures = StepFigures | RampFigures | StaticFigures | EnergyFigures | SinePoint | tuple[Level, ...] | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one log shows. `figures` are those of its kind of test, for plots and for margins."""

    log: Log
    trace: Trace
    due_w: float  # |ΔP_theoretical|
    figures: Figures = None
    requirements: Mapping[str, Requirement] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Case:
    """A log and all that it is judged with."""

    log: Log
    trace: Trace
    due_w: float
    options: EvaluationOptions

    @property
    def samples(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        return self.trace.time_s, self.trace.frequency_hz, self.trace.power_w

    def evidence(self, figures: Figures, found: Mapping[str, Requirement], *warnings: str) -> Evidence:
        return Evidence(self.log, self.trace, self.due_w, figures, found, warnings)


def gather(log: Log, capacity_w: float, options: EvaluationOptions) -> Evidence:
    """Judge one log.

    Raises:
        EvaluationError: the log is no answer to the test that its name says.
    """
    case = _Case(log, trace(log), theoretical_w(log, capacity_w, options), options)
    try:
        found = _BY_TEST.get(log.label.test_type, _nothing)(case)
    except EvaluationError as reason:
        raise EvaluationError(f"{log.label} ({log.product}): {reason}") from None
    more = {**_measured(case), **_shifted(case)}
    left_out = case.trace.left_out
    warnings = found.warnings + ((f"{left_out} samples without power or frequency were left out",) if left_out else ())
    warnings = tuple(f"{log.label}: {text}" for text in warnings)
    return Evidence(log, case.trace, case.due_w, found.figures, {**found.requirements, **more}, warnings)


def _nothing(case: _Case) -> Evidence:
    return case.evidence(None, {}, "no requirement is judged by this kind of log")


def _step(case: _Case) -> Evidence:
    time_s, _, power_w = case.samples
    figures = step_figures(*case.samples, window=case.options.window)
    found = judge_steps(figures, case.due_w, case.options)
    rest_w = (figures.p0_w + figures.p3_w) / 2
    down, up, back = figures.moves
    held = [
        least_held(time_s, sign * (power_w - rest_w) / case.due_w, *bounds)
        for sign, bounds in ((1, (down.end_s, up.start_s)), (-1, (up.end_s, back.start_s)))
    ]
    least = [value for value in held if value is not None]
    return case.evidence(figures, found | (_endured(least, figures, case.due_w) if len(least) == 2 else {}))


def _endured(least: list[float], figures: StepFigures, due_w: float) -> dict[str, Requirement]:
    both = zip(least, (figures.up_w / due_w, -figures.down_w / due_w), strict=True)
    decided = worst(judge_hold(lowest, steady) for lowest, steady in both)
    return {} if decided is None else {"R12": decided}


def _ramp(case: _Case) -> Evidence:
    time_s, _, power_w = case.samples
    figures = ramp_figures(*case.samples, theoretical_w=case.due_w, window=case.options.window)
    found = judge_ramp(figures, case.due_w, case.options)
    found |= judge_combination(figures, case.due_w, case.options.combined_fcr_n_w, case.options)
    at = {move.label: move for move in figures.moves}
    least = least_held(time_s, (power_w - figures.p4_w) / case.due_w, at["3"].end_s, at["4"].start_s)
    return case.evidence(
        figures, found | ({} if least is None else {"R12": judge_hold(least, figures.steady_w / case.due_w)})
    )


def _static(case: _Case) -> Evidence:
    figures = static_figures(*case.samples, theoretical_w=case.due_w)
    return case.evidence(figures, judge_static(figures, case.due_w))


def _staircase(case: _Case) -> Evidence:
    levels = tuple(staircase(*case.samples, product=case.log.product, theoretical_w=case.due_w))
    return case.evidence(levels, judge_staircase(levels))


def _sine(case: _Case) -> Evidence:
    period_s = case.log.label.period_s
    assert period_s is not None  # noqa: S101 - a sine's label has one
    product = Product.FCR_D_UP if case.log.product is Product.FCR_D_DOWN else case.log.product  # the trace's frame
    t_fme_s = frequency_meter_s(case.log, case.options)
    point = sine_point(
        *case.samples,
        product=product,
        period_s=period_s,
        theoretical_w=case.due_w,
        needed=_needed_periods(period_s),
        t_fme_s=t_fme_s,
    )
    return case.evidence(point, {}, *_sine_warnings(point))


def _sine_warnings(point: SinePoint) -> list[str]:
    found = []
    if not point.section.enough:
        found.append(
            f"only {point.section.stationary} stationary periods, {point.section.needed} are needed; the last "
            f"{point.section.periods} were used"
        )
    amplitude_hz = point.frequency_fit.amplitude
    if abs(amplitude_hz / rules.SINE_AMPLITUDE_HZ - 1) > 0.05:
        found.append(f"the frequency's amplitude is {amplitude_hz:.4f} Hz instead of {rules.SINE_AMPLITUDE_HZ:g} Hz")
    return found


def _needed_periods(period_s: float) -> int:
    """Stationary periods for a period, which may be an extra one between those of the table."""
    longer = [row.stationary for row in rules.SINE_PERIODS if row.period_s <= period_s]
    return longer[-1] if longer else rules.SINE_PERIODS[0].stationary


def _energy(case: _Case) -> Evidence:
    log, options = case.log, case.options
    columns = {"SOC": log.soc_pct, "NEM": log.of_product("NEM"), "AEM": log.of_product("AEM")}
    blank = [name for name, data in columns.items() if data is None or not np.all(np.isfinite(data))]
    if blank or options.energy_wh is None:
        wanted = ", ".join(blank) or "the usable energy (energy_wh)"
        return case.evidence(None, {}, f"energy management was not judged: it needs {wanted} in every sample")
    good = np.isin(log.time_s, case.trace.time_s)
    sign = -1 if log.product is Product.FCR_D_DOWN else 1
    hz = case.trace.frequency_hz if sign > 0 else 2 * rules.NOMINAL_HZ - case.trace.frequency_hz
    figures = energy_figures(
        case.trace.time_s,
        hz,
        sign * case.trace.power_w,
        *(data[good] for data in columns.values() if data is not None),
        product=log.product,
        capacity_w=case.due_w,
        energy_wh=options.energy_wh,
        options=options,
        nem_w=None if (nem_w := log.of_product("NEM_MW")) is None or not np.all(np.isfinite(nem_w)) else nem_w[good],
    )
    return case.evidence(figures, {"R12": judge_energy(figures)})


def _operation(case: _Case) -> Evidence:
    return case.evidence(None, {"1h": judge_operation(case.trace.time_s)})


def _measured(case: _Case) -> dict[str, Requirement]:
    """Rate and resolution of a test's log."""
    if case.log.label.test_type is TestType.OPERATION:
        return {}
    time_s, _, power_w = case.samples
    rated_w = case.options.rated_w or case.due_w
    return {
        "M-rate": judge_rate(time_s, case.log.product, case.options),
        **judge_resolution(case.log.grid_frequency_hz, power_w, rated_w),
    }


def _shifted(case: _Case) -> dict[str, Requirement]:
    """R13, where the log's control mode ever is the high-performance one."""
    modes = case.log.texts.get(header_for("ContMode", case.log.product))
    if not case.options.mode_shifting or modes is None:
        return {}
    performing = (modes == case.options.performance_mode)[np.isin(case.log.time_s, case.trace.time_s)]
    shifts = mode_shifts(*case.samples, performing)
    found = judge_mode_shifts(shifts, case.due_w, case.options.bump_tolerance)
    return {} if found is None else {"R13": found}


_BY_TEST: Mapping[TestType, Callable[[_Case], Evidence]] = {
    TestType.STEP: _step,
    TestType.RAMP: _ramp,
    TestType.STATIC_RAMP: _static,
    TestType.LINEARITY: _staircase,
    TestType.SINE: _sine,
    TestType.ENERGY: _energy,
    TestType.OPERATION: _operation,
}
