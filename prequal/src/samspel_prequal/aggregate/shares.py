"""What each home contributes to a test, and what the test would say without it.

F is linear in power, so a home's part of F is its own phasor over the periods that the sum is judged by. Whatever else
a test asks is judged on the sum minus the home's row: nothing is read, aligned or summed again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from samspel_prequal import rules
from samspel_prequal.aggregate.block import Block, rows_in_parts
from samspel_prequal.errors import EvaluationError
from samspel_prequal.evaluate.evidence import Evidence
from samspel_prequal.evaluate.frequency_response import ComplexArray, SinePoint, frequency_meter, omega
from samspel_prequal.evaluate.judge_time import judge_ramp, judge_steps
from samspel_prequal.evaluate.options import EvaluationOptions
from samspel_prequal.evaluate.ramps import RampFigures, ramp_figures
from samspel_prequal.evaluate.requirement import Requirement
from samspel_prequal.evaluate.steps import StepFigures, step_figures
from samspel_prequal.product import Product
from samspel_prequal.signals import FloatArray

__all__ = ["SineShares", "margins_without", "sine_shares"]


@dataclass(frozen=True, slots=True)
class SineShares:
    """One sine: every home's part. F of any group of homes is the sum of their responses over their capacity."""

    period_s: float
    response_w: ComplexArray  # (homes): F times capacity, the meter included
    residual_with_sum: FloatArray  # (homes): mean of r_home·r_sum, for R10
    residual_power: FloatArray  # (homes): mean of r_home²
    phasor_w: ComplexArray  # (homes): of the power itself
    flat_s: FloatArray  # (homes): the longest time without any change of power


def sine_shares(block: Block, evidence: Evidence) -> SineShares:
    """The parts of the homes in the section by which the sum is judged."""
    point = evidence.figures
    assert isinstance(point, SinePoint)  # noqa: S101 - the caller has looked
    part = slice(point.section.start, point.section.stop)
    time_s = block.grid.time_s[part]
    turn = np.exp(2j * np.pi * time_s / point.period_s)
    design = np.column_stack([np.ones_like(time_s), turn.real, -turn.imag])
    inverse = np.linalg.pinv(design)
    total_w = block.total_w[part]
    left = total_w - design @ (inverse @ total_w)
    count = len(block.homes)
    phasor_w = np.empty(count, dtype=np.complex128)
    with_sum, power, flat_s = np.empty(count), np.empty(count), np.empty(count)
    for some, rows in rows_in_parts(block.power_w, part):
        fitted = rows @ inverse.T
        residual = rows - fitted @ design.T
        phasor_w[some] = fitted[:, 1] + 1j * fitted[:, 2]
        with_sum[some], power[some] = residual @ left / len(left), np.mean(residual**2, axis=1)
        flat_s[some] = _longest_flat(rows) * block.grid.step_ms / 1000
    meter = complex(frequency_meter(omega(np.array([point.period_s])), point.t_fme_s)[0])
    frequency = _phasor(inverse, block.frequency_hz[part])
    span_hz = rules.BANDS[evidence.log.product].span_hz
    response_w = -phasor_w / frequency * span_hz * meter
    return SineShares(point.period_s, response_w, with_sum, power, phasor_w, flat_s)


def _phasor(inverse: FloatArray, values: FloatArray) -> complex:
    _, real, imag = inverse @ values
    return complex(real, imag)


def _longest_flat(rows: FloatArray) -> NDArray[np.int64]:
    """The longest run of equal values in each row, in steps."""
    found = np.zeros(len(rows), dtype=np.int64)
    for number, row in enumerate(rows):
        moves = np.flatnonzero(np.diff(row))
        found[number] = np.max(np.diff(np.concatenate([[-1], moves, [len(row) - 1]])), initial=0)
    return found


def margins_without(
    block: Block, evidence: Evidence, capacity_w: FloatArray, options: EvaluationOptions
) -> dict[str, FloatArray]:
    """R1 to R4 and the hold rule of the sum without each home, by requirement. Other tests have none of them."""
    if not isinstance(evidence.figures, RampFigures | StepFigures):
        return {}
    sign = -1.0 if evidence.log.product is Product.FCR_D_DOWN else 1.0
    time_s, frequency_hz, total_w = evidence.trace.time_s, evidence.trace.frequency_hz, evidence.trace.power_w
    found: dict[str, FloatArray] = {}
    for at, row in enumerate(block.power_w):
        due_w = evidence.due_w - float(capacity_w[at])
        without_w = total_w - sign * row
        try:
            judged = _judged(time_s, frequency_hz, without_w, due_w, options, ramp=_is_ramp(evidence))
        except EvaluationError:
            continue  # only a fleet of one has nothing left to judge
        for name, one in judged.items():
            found.setdefault(name, np.full(len(block.homes), np.nan))[at] = one.margin
    return found


def _is_ramp(evidence: Evidence) -> bool:
    return isinstance(evidence.figures, RampFigures)


def _judged(
    time_s: FloatArray,
    frequency_hz: FloatArray,
    power_w: FloatArray,
    due_w: float,
    options: EvaluationOptions,
    *,
    ramp: bool,
) -> Mapping[str, Requirement]:
    if due_w <= 0:
        raise EvaluationError("no capacity is left")
    if ramp:
        figures = ramp_figures(time_s, frequency_hz, power_w, theoretical_w=due_w, window=options.window)
        return judge_ramp(figures, due_w, options)
    return judge_steps(step_figures(time_s, frequency_hz, power_w, window=options.window), due_w, options)
