"""R12: the response lasts as long as the deviation; 15 minutes are shown by entities that are not LER."""

from __future__ import annotations

import numpy as np

from samspel_prequal import rules
from samspel_prequal.evaluate.energy import EnergyFigures
from samspel_prequal.evaluate.requirement import Requirement, at_least, at_most
from samspel_prequal.signals import FloatArray

__all__ = ["judge_energy", "judge_hold", "least_held"]

SETTLED_AFTER_S = 60.0
AVERAGE_S = 10.0
_SHORT_BY_S = 2.0


def least_held(time_s: FloatArray, share: FloatArray, arrival_s: float, departure_s: float) -> float | None:
    """The least 10 s mean of a response from 60 s after arrival; None where the hold is shorter than 15 minutes."""
    if departure_s - arrival_s < rules.ENDURANCE_S - _SHORT_BY_S:
        return None
    inside = (time_s >= arrival_s + SETTLED_AFTER_S) & (time_s < departure_s - 1e-6)
    values = share[inside]
    count = max(min(round(AVERAGE_S / float(np.median(np.diff(time_s)))), len(values)), 1)
    return float(np.min(np.convolve(values, np.full(count, 1 / count), mode="valid")))


def judge_hold(least: float, steady: float) -> Requirement:
    """The least response of a 15-minute hold against the steady one that R1 and K rest on, at most ΔPt; shares of ΔPt.

    So a weak response counts once, in K, and a fading one here.
    """
    least_allowed = min(rules.MIN_REDUCTION.values())
    limit = (1 - rules.STEADY_STATE_UNDER) * min(max(steady, least_allowed), 1.0)
    text = f"over 15 minutes the response never falls below {least:.3f} of ΔPt; {limit:.3f} is due"
    return at_least(least, limit, "least 10 s mean from 60 s after the ramp", text)


def judge_energy(figures: EnergyFigures) -> Requirement:
    """R12 of a LER entity: seconds in which flags or power disagree with NEM and AEM as they should be."""
    parts = {
        "nem_wrong_s": float(np.count_nonzero(figures.nem_wrong)),
        "aem_wrong_s": float(np.count_nonzero(figures.aem_wrong)),
        "power_wrong_s": float(np.count_nonzero(figures.power_wrong)),
    }
    text = (
        f"NEM flag wrong for {parts['nem_wrong_s']:.0f} s, AEM flag for {parts['aem_wrong_s']:.0f} s, "
        f"power for {parts['power_wrong_s']:.0f} s"
    )
    found = at_most(float(figures.wrong_s), 0.0, "flags and power as TR 3.5.1, 3.5.2, tolerances in the options", text)
    missing = [side for side in figures.sides_due if side not in figures.sides_shown]
    if found.passed and missing:
        text = f"all that was shown agrees, but NEM fully on and 5 minutes of AEM were not reached: {missing}"
        return Requirement(found.value, found.limit, None, None, found.rule, text, parts)
    return found.explained(**parts, nem_in_baseline=figures.nem_in_baseline)
