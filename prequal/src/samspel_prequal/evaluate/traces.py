"""A log as the evaluation sees it: complete samples, power without its baseline, the upward product's frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from samspel_prequal import rules
from samspel_prequal.errors import EvaluationError
from samspel_prequal.evaluate.options import EvaluationOptions
from samspel_prequal.logs import Log
from samspel_prequal.product import Product
from samspel_prequal.signals import FloatArray

__all__ = ["Trace", "frequency_meter_s", "theoretical_w", "trace"]

_FOLLOWS = 0.9  # correlation of the measured with the applied frequency


@dataclass(frozen=True, slots=True)
class Trace:
    """FCR-D down is turned round: its frequency mirrored at 50 Hz, its power negated."""

    name: str
    time_s: FloatArray
    frequency_hz: FloatArray
    power_w: FloatArray  # relative to the baseline
    left_out: int  # samples without power or frequency


def trace(log: Log) -> Trace:
    """What of a log can be evaluated.

    Raises:
        EvaluationError: fewer than two complete samples.
    """
    frequency_hz = _applied(log)
    power_w = log.power_w - np.nan_to_num(log.baseline_w)
    good = np.isfinite(frequency_hz) & np.isfinite(power_w)
    if np.count_nonzero(good) < 2:
        raise EvaluationError(f"{log.label} of {log.resource}: fewer than two samples with both power and frequency")
    frequency_hz, power_w = frequency_hz[good], power_w[good]
    if log.product is Product.FCR_D_DOWN:
        frequency_hz, power_w = 2 * rules.NOMINAL_HZ - frequency_hz, -power_w
    return Trace(str(log.label), log.time_s[good], frequency_hz, power_w, int(np.count_nonzero(~good)))


def theoretical_w(log: Log, capacity_w: float, options: EvaluationOptions) -> float:
    """|ΔP_theoretical| of a log: by its test number, by its own Cap column if that is wished, else the capacity."""
    if (given := options.capacities_w.get(log.label.number)) is not None:
        return given
    noted = log.of_product("Cap") if options.capacity_from_logs else None
    if noted is not None and np.any(np.isfinite(noted)):
        return float(abs(noted[np.isfinite(noted)][0]))
    return capacity_w


def frequency_meter_s(log: Log, options: EvaluationOptions) -> float:
    """T_FME to apply: as given; 0 where a meter measured the applied signal; else the default of 1 s.

    A measured frequency that follows the applied signal shows that the meter was part of the test. One that equals it
    in every digit is a copy, not a measurement, and shows nothing.
    """
    if options.t_fme_s is not None:
        return options.t_fme_s
    applied, measured = log.applied_frequency_hz, log.grid_frequency_hz
    if applied is None or measured is None:
        return rules.DEFAULT_FREQUENCY_METER_S
    both = np.isfinite(applied) & np.isfinite(measured)
    if np.count_nonzero(both) < 4 or np.array_equal(applied[both], measured[both]):
        return rules.DEFAULT_FREQUENCY_METER_S
    if np.ptp(applied[both]) == 0 or np.ptp(measured[both]) == 0:
        return rules.DEFAULT_FREQUENCY_METER_S
    follows = np.corrcoef(applied[both], measured[both])[0, 1] > _FOLLOWS
    return 0.0 if follows else rules.DEFAULT_FREQUENCY_METER_S


def _applied(log: Log) -> FloatArray:
    """The applied signal where it was written down, else the measured frequency."""
    for found in (log.applied_frequency_hz, log.grid_frequency_hz):
        if found is not None and np.any(np.isfinite(found)):
            return found
    raise EvaluationError(f"{log.label} of {log.resource} has neither an applied nor a measured frequency")
