"""What is left, and what to change to pass, in sentences with numbers. Every number is from the evaluation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from samspel_prequal import rules
from samspel_prequal.evaluate import Margins, Outcome, Requirement, Verdict
from samspel_prequal.evaluate.table import REDUCIBLE
from samspel_prequal.report.words import power_text

__all__ = ["advice", "failed", "is_reduced", "room"]

_LEAST_CUT_S: Final = 0.005
_HARDLY: Final = 0.1  # of what is due: less is not a matter of gain


def room(name: str, margins: Margins | None) -> str:
    """How much delay and gain a requirement still bears, or by how much it is missed; empty where unknown."""
    if margins is None:
        return ""
    parts = [_delay(name, margins.delay_s)] if margins.delay_s is not None else []
    if margins.delay_s is None or margins.delay_s >= 0:
        parts += [f"gain may fall to {margins.gain_low:.2f} of what it is"] if _below_one(margins.gain_low) else []
        parts += [f"gain may rise to {margins.gain_high:.2f} times"] if _above_one(margins.gain_high) else []
    return "; ".join(parts)


def is_reduced(name: str, requirement: Requirement, verdict: Verdict) -> bool:
    """Missed at the full capacity, and met by the reduced one."""
    return requirement.passed is False and name in REDUCIBLE and verdict.k.allowed is True


def failed(verdict: Verdict) -> list[str]:
    """The requirements that fail at the full capacity, in the table's order."""
    return [name for name, one in verdict.requirements.items() if one.passed is False]


def advice(verdict: Verdict) -> list[str]:
    """One sentence or two for every failure, what the delay is made of, and what is still to be shown."""
    found = [_say(name, verdict) for name in failed(verdict)]
    if any(_too_late(verdict.margins.get(name)) for name in verdict.margins):
        found += _made_of(verdict)
    if any(is_reduced(name, one, verdict) for name, one in verdict.requirements.items()):
        found.append(_reduced_capacity(verdict))
    if verdict.missing:
        found.append(f"Still to be shown or declared: {', '.join(verdict.missing)}.")
    return found


def _delay(name: str, delay_s: float) -> str:
    if delay_s >= 0:
        return f"{delay_s:.2f} s of delay left before {name} fails"
    return f"{-delay_s:.2f} s too late for {name}"


def _say(name: str, verdict: Verdict) -> str:
    requirement, margins = verdict.requirements[name], verdict.margins.get(name)
    how = _HOW.get(name, _anything)(requirement, verdict)
    if _too_late(margins) and margins is not None and margins.delay_s is not None:
        how = f"answer {-margins.delay_s:.2f} s sooner at the same gain{_or_gain(margins)}. {how}".strip()
    return f"{name}: {how}"


def _or_gain(margins: Margins) -> str:
    """A change of gain that would do instead, where R1 bears it."""
    low, high = 1 - rules.STEADY_STATE_UNDER, 1 + rules.STEADY_STATE_OVER
    for gain in (margins.gain_high, margins.gain_low):
        if gain is not None and low <= gain <= high and gain != 1:
            return f", or with {gain:.2f} times the gain, which R1 bears if the response was exact before"
    return ""


def _made_of(verdict: Verdict) -> list[str]:
    model = verdict.model
    if model is None:
        return []
    parts = f"a dead time of {model.dead_time_s:.2f} s and a lag of {model.lag_s:.2f} s at gain {model.gain:.3f}"
    meter = f"a frequency meter of {model.t_fme_s:.2f} s (rms error {model.rms_error:.4f})"
    return [
        f"Where the time goes: F fits {parts}, behind {meter}. Dead time costs most: shorten the way from measuring to "
        "the set point first, then the ramp of the power stage."
    ]


def _reduced_capacity(verdict: Verdict) -> str:
    if verdict.verdict is Outcome.FAIL:
        return (
            f"A smaller capacity alone does not help: with K = {verdict.k.remaining:.3f} the requirements "
            f"{', '.join(sorted(REDUCIBLE & set(failed(verdict))))} would be met, the others still fail."
        )
    return (
        f"Or prequalify {power_text(verdict.capacity_remaining_w)} instead of {power_text(verdict.capacity_w)} "
        f"(K = {verdict.k.remaining:.3f})."
    )


def _steady(requirement: Requirement, _: Verdict) -> str:
    if requirement.value is None or requirement.value < _HARDLY - 1:
        return "next to nothing is delivered in this direction: check sign, droop and wiring."
    gain = 1 + requirement.value
    return f"the static gain is {gain:.3f} of what is due: multiply it by {1 / gain:.3f}."


def _stable(requirement: Requirement, _: Verdict) -> str:
    if requirement.value is not None and requirement.value < 0:
        return "The loop encircles -1: with all reserves like this one the grid would swing up, whatever the distance."
    return "The loop comes too close to -1."


def _excess(_: Requirement, __: Verdict) -> str:
    return "take power back as fast as the frequency returns: look for integral action, rate limits and dead time."


def _residual(_: Requirement, __: Verdict) -> str:
    return "the power is no sine: look for backlash, limit cycles, coarse set points, and other power at the meter."


def _energy(requirement: Requirement, _: Verdict) -> str:
    if "nem_wrong_s" not in requirement.details:
        return f"{requirement.text}."
    return f"{requirement.text}; compare with the dashed line and the hatched seconds in the plot of R12."


def _activation(requirement: Requirement, verdict: Verdict) -> str:
    if any(_too_late(verdict.margins.get(name)) for name in ("R2", "R3")):
        return ""
    return f"{requirement.text}. No earlier start mends it: look at sign, gain and limits of power."


def _anything(requirement: Requirement, _: Verdict) -> str:
    return f"{requirement.text}."


_HOW: Final[Mapping[str, Callable[[Requirement, Verdict], str]]] = MappingProxyType(
    {
        "R1": _steady,
        "R1b": _steady,
        "R2": _activation,
        "R3": _activation,
        "R4": _excess,
        "R8": _stable,
        "R10": _residual,
        "R12": _energy,
    }
)


def _too_late(margins: Margins | None) -> bool:
    return margins is not None and margins.delay_s is not None and margins.delay_s < -_LEAST_CUT_S


def _below_one(gain: float | None) -> bool:
    return gain is not None and gain < 1


def _above_one(gain: float | None) -> bool:
    return gain is not None and gain > 1
