"""M and 1h: what a log shows of the measurement chain, and what must be declared (TR 4, 5.3, 6)."""

from __future__ import annotations

import numpy as np

from samspel_prequal import rules
from samspel_prequal.evaluate.options import EvaluationOptions
from samspel_prequal.evaluate.requirement import Requirement, at_least, at_most
from samspel_prequal.product import Product
from samspel_prequal.signals import FloatArray

__all__ = ["judge_declared", "judge_operation", "judge_rate", "judge_resolution", "quantum"]

_JITTER = 0.02  # of the sampling time
_IRREGULAR = 0.3
_DIFFERENT = 50
_GAP = 1.5  # of the longest allowed time between samples


def judge_rate(time_s: FloatArray, product: Product, options: EvaluationOptions) -> Requirement:
    """Log rate of a test."""
    limit = rules.MIN_TEST_RATE_WITH_CONSENT_HZ if options.low_rate_consent else rules.MIN_TEST_RATE_HZ[product]
    steps_s = np.diff(time_s)
    rate = float(1 / np.median(steps_s))
    if np.std(steps_s) > _IRREGULAR * np.median(steps_s):
        text = "samples come irregularly: logged on change, for which the thresholds of the log must be declared"
        return Requirement(rate, limit, None, None, "median", text)
    found = at_least(rate * (1 + _JITTER), limit, "median of the times between samples", f"{rate:.3g} samples a second")
    return Requirement(rate, limit, rate - limit, found.passed, found.rule, found.text)


def judge_resolution(measured_hz: FloatArray | None, power_w: FloatArray, rated_w: float) -> dict[str, Requirement]:
    """The finest difference that a log can show, of power and of measured frequency."""
    found = {}
    if (power_quantum := quantum(power_w)) is not None:
        limit = max(rules.POWER_RESOLUTION_W, rules.POWER_RESOLUTION_SHARE * rated_w)
        home = rules.power_resolution_w(rated_w)
        text = f"power comes in steps of {power_quantum:.3g} W"
        if power_quantum > home:
            text += f"; 0.025 % of {rated_w:.0f} W would be {home:.3g} W, which a TSO may ask for below 1.5 MW"
        found["M-power-resolution"] = at_most(power_quantum, limit, "0.01 MW or 0.025 %", text).explained(
            fine_limit=home
        )
    if measured_hz is not None and (frequency_quantum := quantum(measured_hz)) is not None:
        text = f"frequency comes in steps of {1000 * frequency_quantum:.3g} mHz"
        found["M-frequency-resolution"] = at_most(
            frequency_quantum, rules.FREQUENCY_RESOLUTION_HZ * (1 + 1e-6), "least difference of two values", text
        )
    return found


def judge_declared(rated_w: float, options: EvaluationOptions) -> dict[str, Requirement]:
    """Accuracy and clock cannot be seen in a log: they are declared, with evidence, or stay open."""
    power_limit = rules.power_accuracy(rated_w)
    return {
        "M-power-accuracy": _declared(options.power_accuracy, power_limit, "power accuracy, of full power"),
        "M-frequency-accuracy": _declared(
            options.frequency_accuracy_hz, rules.FREQUENCY_ACCURACY_HZ, "frequency accuracy in Hz"
        ),
        "M-clock": Requirement(
            None, None, None, options.clock_synchronised, "declared", "the logger's clock follows CET or UTC"
        ),
    }


def judge_operation(time_s: FloatArray) -> Requirement:
    """1h: the longest stretch of operation without a gap, at 1 Hz or more."""
    allowed_s = _GAP / rules.MIN_OPERATION_RATE_HZ
    step_s = float(np.median(np.diff(time_s)))
    gaps = np.flatnonzero(np.diff(time_s) > allowed_s)
    starts = np.concatenate([[0], gaps + 1])
    stops = np.concatenate([gaps, [len(time_s) - 1]])
    longest_s = float(np.max(time_s[stops] - time_s[starts])) + step_s
    text = f"{longest_s:.0f} s without a gap, at {1 / step_s:.3g} samples a second"
    return at_least(round(longest_s, 3), rules.OPERATION_LOG_S, "gaps of 1.5 s and more count", text)


def quantum(values: FloatArray) -> float | None:
    """The least difference of two values; None of fewer than 50 different ones, which say little about rounding."""
    steps = np.diff(np.unique(np.round(values[np.isfinite(values)], 9)))
    return float(np.min(steps)) if len(steps) >= _DIFFERENT else None


def _declared(value: float | None, limit: float, what: str) -> Requirement:
    if value is None:
        return Requirement(None, limit, None, None, "declared", f"{what}: not declared, {limit:g} is allowed")
    return at_most(value, limit, "declared", f"{what}: {value:g}, {limit:g} is allowed")
