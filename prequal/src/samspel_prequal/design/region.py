"""Which lags and dead times a product allows: the margin of every rule over a whole field at once.

R8 and R9 of the evaluation judge one F; here are the same formulas over many, for a chart. The tests hold every one of
them against the evaluation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from samspel_prequal import rules
from samspel_prequal.design.loop import Loop
from samspel_prequal.evaluate.frequency_response import ComplexArray, FrequencyResponse, grid_response, omega
from samspel_prequal.evaluate.interpolation import MEASURED_RULES, Interpolation
from samspel_prequal.evaluate.performance import performance
from samspel_prequal.evaluate.stability import stability_radius
from samspel_prequal.product import Product
from samspel_prequal.signals import FloatArray

__all__ = ["Region", "border_s", "margins_at", "region", "stability_field"]

_FINE: Final = 100  # pieces between two periods, as the evaluation has them
_PRECISION_S: Final = 1e-4


@dataclass(frozen=True, slots=True)
class Region:
    """Margins over lags (rows) and dead times (columns): 0 or more passes."""

    product: Product
    base: Loop
    dead_time_s: FloatArray
    lag_s: FloatArray
    margins: Mapping[str, FloatArray]  # by rule: "R2", "R3", "R9", "R8 chords", …

    @property
    def least(self) -> FloatArray:
        """The least of all margins."""
        return np.asarray(np.min(list(self.margins.values()), axis=0))


def region(product: Product, base: Loop, dead_time_s: FloatArray, lag_s: FloatArray) -> Region:
    """Judge every pair; meter, control period, spread and gain are those of `base`, its dead time and lag are not."""
    found = margins_at(product, base, dead_time_s[None, :], lag_s[:, None])
    return Region(product, base, dead_time_s, lag_s, found)


def margins_at(
    product: Product, base: Loop, dead_time_s: FloatArray, lag_s: FloatArray, only: str = ""
) -> dict[str, FloatArray]:
    """The margin of every rule, or of one, at dead times and lags, which broadcast."""
    measured = _measured(product, base, dead_time_s, lag_s)
    margins = {
        f"R8 {rule.value}": stability_field(measured, rules.GRID_STABILITY[product], rule) - stability_radius()
        for rule in MEASURED_RULES
        if only in {"", f"R8 {rule.value}"}
    }
    if only in {"", "R9"}:
        margins["R9"] = np.asarray(1 - performance(measured, rules.GRID_PERFORMANCE[product]).max(axis=-1))
    if product.is_fcr_d and only in {"", "R2", "R3"}:
        margins |= _activation(base, dead_time_s, lag_s)
    return margins


def _measured(product: Product, base: Loop, dead_time_s: FloatArray, lag_s: FloatArray) -> FrequencyResponse:
    """Many F; periods lie along the last axis."""
    periods_s = np.array(sorted((row.period_s for row in rules.sine_periods(product)), reverse=True))
    speed = omega(periods_s)
    rest = replace(base, dead_time_s=base.spread_s, lag_s=0.0).response(speed)
    late = np.exp(-1j * speed * (dead_time_s[..., None] - base.spread_s))
    response = rest * late / (1 + 1j * speed * lag_s[..., None])
    return FrequencyResponse(periods_s, np.asarray(response, dtype=np.complex128))


def _activation(base: Loop, dead_time_s: FloatArray, lag_s: FloatArray) -> dict[str, FloatArray]:
    """R2 and R3 in closed form."""
    at_s = np.asarray(rules.ACTIVATION_TIME_S)
    power, energy_s = (base.ramp_answer(at_s, order, dead_time_s, lag_s) for order in (1, 2))
    return {"R2": power - rules.ACTIVATION_POWER_SHARE, "R3": energy_s - rules.ACTIVATION_ENERGY_S}


def border_s(found: Region, rule: str) -> FloatArray:
    """For every lag the dead time at which a rule first fails, halved down to a tenth of a millisecond.

    NaN: not even the shortest dead time passes; infinite: all of the region does.
    """
    fails = found.margins[rule] < 0
    at = fails.argmax(axis=1)
    passing, failing = found.dead_time_s[np.maximum(at - 1, 0)], found.dead_time_s[at]
    while np.max(failing - passing) > _PRECISION_S:
        middle = (passing + failing) / 2
        holds = margins_at(found.product, found.base, middle, found.lag_s, rule)[rule] >= 0
        passing, failing = np.where(holds, middle, passing), np.where(holds, failing, middle)
    reached = np.where(fails.any(axis=1), (passing + failing) / 2, np.inf)
    return np.asarray(np.where(fails[:, 0], np.nan, reached), dtype=np.float64)


def stability_field(measured: FrequencyResponse, grid: rules.GridModel, rule: Interpolation) -> FloatArray:
    """R8's signed distance for many F at once: periods lie along the last axis."""
    loop = _curve(measured, grid, rule)
    start, step = loop[..., :-1] + 1, np.diff(loop)
    length = np.maximum(np.abs(step) ** 2, np.finfo(np.float64).tiny)
    share = np.clip(-(start * np.conj(step)).real / length, 0.0, 1.0)
    distance = np.abs(start + share * step).min(axis=-1)
    return np.asarray(np.where(_turns(measured, grid, loop) == 0, distance, -distance), dtype=np.float64)


def _curve(measured: FrequencyResponse, grid: rules.GridModel, rule: Interpolation) -> ComplexArray:
    if rule in {Interpolation.CHORDS, Interpolation.CHORD_TO_ORIGIN}:
        loop = measured.response * grid_response(grid, measured.omega)
        end = np.zeros_like(loop[..., :1]) if rule is Interpolation.CHORD_TO_ORIGIN else loop[..., :0]
        return np.concatenate([loop, end], axis=-1)
    pieces = np.arange(_FINE * (len(measured.period_s) - 1) + 1) / _FINE
    fine = np.interp(pieces, np.arange(len(measured.period_s)), measured.omega)
    weights = np.array([np.interp(fine, measured.omega, unit) for unit in np.eye(len(measured.period_s))])
    if rule is Interpolation.INTERPOLATED_F_CARTESIAN:
        between = measured.response @ weights
    else:
        phase = np.unwrap(np.angle(measured.response), axis=-1) @ weights
        between = (np.abs(measured.response) @ weights) * np.exp(1j * phase)
    return np.asarray(between * grid_response(grid, fine), dtype=np.complex128)


def _turns(measured: FrequencyResponse, grid: rules.GridModel, loop: ComplexArray) -> FloatArray:
    """How often the closed curve goes round -1; it begins at L(0) and ends at the origin."""
    longest = measured.response[..., :1]
    at_zero = np.copysign(np.abs(longest), longest.real) * grid.numerator / grid.denominator[1]
    seen = np.concatenate([at_zero + 0j, loop, np.zeros_like(longest)], axis=-1) + 1
    return np.asarray(np.rint(np.angle(seen[..., 1:] / seen[..., :-1]).sum(axis=-1) / np.pi), dtype=np.float64)
