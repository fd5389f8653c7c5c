"""What in a verdict is a reading of ours, a declaration or a default, and not the requirements' own word."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from samspel_prequal import rules
from samspel_prequal.evaluate import Verdict
from samspel_prequal.product import Product
from samspel_prequal.report.words import power_text

__all__ = ["Assumption", "Ground", "assumptions"]


class Ground(StrEnum):
    """What an assumption stands on."""

    READING = "reading"  # the text leaves it open: ours, selectable by name
    DEFAULT = "default"  # the requirements' own default, or this program's
    DECLARED = "declared"  # said by the applicant; no log shows it
    SOURCE = "source"  # how the text itself was read


@dataclass(frozen=True, slots=True)
class Assumption:
    """One of them: what it is about, what was taken, and why."""

    about: str
    taken: str
    ground: Ground
    why: str


def assumptions(verdict: Verdict) -> list[Assumption]:
    """All that apply to this product and these logs."""
    found = [_source()]
    if verdict.sine:
        found += _frequency_domain(verdict)
    found += _time_domain(verdict)
    found += _energy(verdict) if verdict.options.energy_wh is not None else []
    return [*found, *_measurement(verdict)]


def _source() -> Assumption:
    return Assumption(
        "Text of the requirements",
        "TR v1.1 and TP of 28 March 2025",
        Ground.SOURCE,
        "read in a conversion without figures and footnotes; compare doubtful places with the PDF before applying",
    )


def _frequency_domain(verdict: Verdict) -> list[Assumption]:
    options = verdict.options
    meters = sorted({point.t_fme_s for point in verdict.sine})
    shown = ", ".join(f"{value:g} s" for value in meters)
    if options.t_fme_s is not None:
        ground, why = Ground.DECLARED, "as given for this evaluation"
    elif meters == [0.0]:
        ground, why = Ground.READING, "the logs show a meter that followed the applied signal"
    else:
        ground, why = Ground.DEFAULT, "nothing better is known; the requirements set 1 s high on purpose (TR 4.4)"
    interpolation = Assumption(
        "Nyquist curve between and beyond the tested periods (R8)",
        options.interpolation.value,
        Ground.READING,
        "the text gives no rule; the verdict under every rule is shown, the continuous model only warns",
    )
    sign = Assumption(
        "Sign of the loop (R8)", "L = +F·G", Ground.READING, "phase counts from the control error, as TR eq. 10 has it"
    )
    circle = f"{rules.STABILITY_MARGIN_EXEMPTED if options.r8_exempted else rules.STABILITY_MARGIN:.0%} of 0.43"
    radius = Assumption(
        "Radius of the circle (R8)",
        circle,
        Ground.DECLARED if options.r8_exempted else Ground.DEFAULT,
        "75 % is for FCR-N on application, with evidence of tuning; 95 % for everyone else",
    )
    reduced = Assumption(
        "R8 with a reduction factor", "judged with F, not with F/K", Ground.READING, "as printed; R9 is judged with F/K"
    )
    return [interpolation, Assumption("Frequency meter T_FME", shown, ground, why), sign, radius, reduced]


def _time_domain(verdict: Verdict) -> list[Assumption]:
    options = verdict.options
    found = [
        Assumption(
            "Averaging window of steady powers (R1)", options.window.value, Ground.READING, "the text names no window"
        )
    ]
    if verdict.product is Product.FCR_N:
        return found
    return [
        *found,
        Assumption(
            "Swing after 7.5 s that is still a hold",
            f"{options.hold_tolerance:g} of ΔPt",
            Ground.READING,
            "the text tolerates a small, well damped swing without a number",
        ),
        Assumption(
            "Sampling instant of R4",
            "4.4 s after ramp 1 starts",
            Ground.READING,
            "as printed, though the signal turns at 4.9 s",
        ),
    ]


def _energy(verdict: Verdict) -> list[Assumption]:
    options = verdict.options
    tolerances = (
        f"{options.soc_tolerance_pct:g} % of state of charge, {options.flag_tolerance_s:g} s, "
        f"{options.energy_power_tolerance:g} of C after {options.energy_settling_s:g} s"
    )
    thresholds = "of TR table 11" if options.thresholds is None else "as given for this evaluation"
    return [
        Assumption("Tolerances of NEM and AEM (R12)", tolerances, Ground.READING, "the text gives none"),
        Assumption(
            "Thresholds of NEM and AEM",
            thresholds,
            Ground.DEFAULT if options.thresholds is None else Ground.DECLARED,
            "those for switching off may change by agreement with the TSO",
        ),
        Assumption("Usable energy", f"{options.energy_wh:g} Wh", Ground.DECLARED, "no log shows it"),
    ]


def _measurement(verdict: Verdict) -> list[Assumption]:
    options = verdict.options
    frequency = _or_open(options.frequency_accuracy_hz, "mHz", 1000)
    rated = "the capacity" if options.rated_w is None else power_text(options.rated_w)
    return [
        Assumption(
            "Theoretical response ΔPt", power_text(verdict.capacity_w), Ground.DECLARED,
            "the provider states how it follows from the settings (TR appendix 1)",
        ),
        Assumption(
            "Rated power, for accuracy and resolution", rated,
            Ground.DEFAULT if options.rated_w is None else Ground.DECLARED,
            "below 1.5 MW the finer branch, 0.025 %, is only remarked: ask the TSO",
        ),
        Assumption("Power accuracy", _or_open(options.power_accuracy, "%", 100), Ground.DECLARED, "no log shows it"),
        Assumption("Frequency accuracy", frequency, Ground.DECLARED, "no log shows it"),
        Assumption("Clock", _clock(options.clock_synchronised), Ground.DECLARED, "no log shows it"),
    ]  # fmt: skip


def _or_open(value: float | None, unit: str, factor: float) -> str:
    return "not declared" if value is None else f"{value * factor:g} {unit}"


def _clock(synchronised: bool | None) -> str:
    return {None: "not declared", True: "synchronised", False: "not synchronised"}[synchronised]
