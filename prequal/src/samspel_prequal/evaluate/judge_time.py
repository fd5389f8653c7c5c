"""R1 to R4 and the hold rule, R5 to R7, R11: figures of the time domain put to their limits."""

from __future__ import annotations

from collections.abc import Sequence

from samspel_prequal import rules
from samspel_prequal.evaluate.linearity import Level
from samspel_prequal.evaluate.options import EvaluationOptions
from samspel_prequal.evaluate.ramps import Activation, RampFigures
from samspel_prequal.evaluate.requirement import Requirement, at_least, at_most, within, worst
from samspel_prequal.evaluate.static import StaticFigures
from samspel_prequal.evaluate.steps import StepFigures

__all__ = ["judge_combination", "judge_ramp", "judge_staircase", "judge_static", "judge_steps"]


def judge_steps(figures: StepFigures, due_w: float, options: EvaluationOptions) -> dict[str, Requirement]:
    """R1 of FCR-N: the worse of both directions decides."""
    up, down = figures.up_w / due_w - 1, -figures.down_w / due_w - 1
    both = [
        _steady(error, f"{way}: {error:+.2%} of ΔPt", options.window.value)
        for error, way in ((up, "50.0 to 49.9 Hz"), (down, "50.0 to 50.1 Hz"))
    ]
    decided = worst(both)
    assert decided is not None  # noqa: S101 - of two
    return {"R1": decided.explained(error_up=up, error_down=down)}


def judge_ramp(figures: RampFigures, due_w: float, options: EvaluationOptions) -> dict[str, Requirement]:
    """R1 to R4 and the hold rule of dynamic FCR-D."""
    error = figures.steady_w / due_w - 1
    reached, held = figures.activation.power_w / due_w, figures.least_held_w / due_w
    found = {"R1": _steady(error, f"P3 - P4 is {error:+.2%} off ΔPt", options.window.value)}
    found |= _judge_activation(figures.activation, due_w)
    noise = _NOISES * figures.noise_w / due_w
    found["hold"] = at_least(
        held,
        reached - max(options.hold_tolerance, noise),
        f"tolerance {options.hold_tolerance:g} of ΔPt, or {_NOISES:g} times the noise of a sample, {noise:.3g}",
        f"after 7.5 s ΔP falls to {held:.3f} of ΔPt, from {reached:.3f}",
    )
    excess_s = figures.excess_ws / due_w
    found["R4"] = at_most(
        excess_s,
        rules.DEACTIVATION_ENERGY_S,
        "t_n = ramp 1 + 4.4 s",
        f"{excess_s:.3f} s of ΔPt too much after the turn; at most {rules.DEACTIVATION_ENERGY_S:g} s",
    ).explained(sampled=figures.sampled_w / due_w)
    return found


def judge_combination(
    figures: RampFigures, due_w: float, fcr_n_w: float | None, options: EvaluationOptions
) -> dict[str, Requirement]:
    """R1b, where ramps 7 and 8 were played and the FCR-N part is known."""
    if fcr_n_w is None or not figures.combination_w:
        return {}
    span_hz = rules.COMBINATION_FCR_N_SPAN_HZ
    deviations = dict(zip(("7", "8"), rules.COMBINATION_DEVIATION_HZ, strict=True))
    errors = {
        label: measured_w / (fcr_n_w + (deviations[label] - span_hz) / 0.4 * due_w) - 1
        for label, measured_w in figures.combination_w.items()
    }
    decided = worst(
        _steady(error, f"ramp {label}: {error:+.2%} off the combined response", options.window.value)
        for label, error in errors.items()
    )
    return {} if decided is None else {"R1b": decided.explained(errors=errors)}


def judge_static(figures: StaticFigures, due_w: float) -> dict[str, Requirement]:
    """R1 to R3 and R5 to R7 of static FCR-D."""
    error = figures.steady_w / due_w - 1
    found = {"R1": _steady(error, f"{error:+.2%} off ΔPt", "second half of the hold", rules.STATIC_STEADY_STATE_OVER)}
    found |= _judge_activation(figures.activation, due_w)
    peak, early = figures.peak_w / due_w, figures.early_w / due_w
    found["R5a"] = at_most(peak, rules.STATIC_PEAK, "largest ΔP before the return", f"peak {peak:.3f} of ΔPt")
    found["R5b"] = at_least(
        early, _PRESENT, f"a response of {_PRESENT:g} of ΔPt counts as present", f"{early:.3f} of ΔPt after 2.5 s"
    )
    found["R6"] = _judge_recovery(figures)
    found["R7"] = _judge_fall(figures)
    return found


def judge_staircase(levels: Sequence[Level]) -> dict[str, Requirement]:
    """R11: the level with the least room decides."""
    tightest = min(levels, key=lambda level: level.room)
    text = (
        f"at {tightest.frequency_hz:.2f} Hz the response lies {abs(tightest.room):.3f} of ΔPt "
        f"{'inside' if tightest.room >= 0 else 'outside'} the envelope"
    )
    return {"R11": at_least(tightest.room, 0.0, "10 s moving average, 60 s to the end of each hold", text)}


_NOISES = 5.0  # the least of some hundred noisy samples against one noisy sample
_PRESENT = 0.05  # R5b: the requirements say present, not how much


def _steady(error: float, text: str, rule: str, over: float = rules.STEADY_STATE_OVER) -> Requirement:
    """R1 in the direction of delivery."""
    return within(error, -rules.STEADY_STATE_UNDER, over, rule, text)


def _judge_activation(active: Activation, due_w: float) -> dict[str, Requirement]:
    share, energy_s = active.power_w / due_w, active.energy_ws / due_w
    rule = "from the start of the ramp, ΔP from the power at rest"
    power = at_least(share, rules.ACTIVATION_POWER_SHARE, rule, f"{share:.1%} of ΔPt after 7.5 s; 86 % is due")
    energy = at_least(energy_s, rules.ACTIVATION_ENERGY_S, rule, f"{energy_s:.3f} s of ΔPt after 7.5 s; 3.2 s are due")
    return {"R2": power, "R3": energy}


def _judge_recovery(figures: StaticFigures) -> Requirement:
    """R6: stays for 60 s after the return, ready within 15 min. One of them decides."""
    rule = "rests at 5 % of ΔPt; the first fall of 5 % is the deactivation"
    stays = at_least(
        figures.deactivation_after_s,
        rules.STATIC_DEACTIVATION_AFTER_S,
        rule,
        f"deactivates {figures.deactivation_after_s:.1f} s after the frequency is back; 60 s are due",
    )
    ready = at_most(
        figures.ready_after_s,
        rules.STATIC_READY_AFTER_S,
        rule,
        f"ready again after {figures.ready_after_s:.0f} s; 900 s are allowed",
    )
    return stays if stays.passed is False else ready.explained(deactivation_after_s=figures.deactivation_after_s)


def _judge_fall(figures: StaticFigures) -> Requirement:
    slow = at_most(
        figures.fall_10_s,
        rules.STATIC_FALL_PER_S,
        "mean over 10 s",
        f"falls by {figures.fall_10_s:.2%} of ΔPt a second over 10 s; 2.5 % are allowed",
    )
    fast = at_most(
        figures.fall_1_s,
        rules.STATIC_FALL_IN_ONE_S,
        "within 1 s",
        f"falls by {figures.fall_1_s:.1%} of ΔPt within 1 s; 20 % are allowed",
    )
    return fast if fast.passed is False and slow.passed else slow.explained(fall_in_one_s=figures.fall_1_s)
