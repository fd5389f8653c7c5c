"""The plots that belong to a verdict, each with a sentence that says how to read it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from samspel_prequal.evaluate import Evidence, SinePoint, Verdict, stability_radius
from samspel_prequal.evaluate.energy import EnergyFigures
from samspel_prequal.evaluate.ramps import RampFigures
from samspel_prequal.evaluate.static import StaticFigures
from samspel_prequal.evaluate.steps import StepFigures
from samspel_prequal.plots import (
    Picture,
    Sine,
    activation_plot,
    bode_plot,
    deactivation_plot,
    energy_plot,
    nyquist_plot,
    ramps_plot,
    sensitivity_plot,
    sines_plot,
    staircase_plot,
    static_plot,
    steps_plot,
)
from samspel_prequal.product import Product

__all__ = ["Plate", "plates"]


@dataclass(frozen=True, slots=True)
class Plate:
    """A picture, what it shows, and how to read it."""

    name: str
    title: str
    caption: str
    picture: Picture


def plates(verdict: Verdict) -> tuple[Plate, ...]:
    """Everything that these logs can show, time domain first."""
    by_log = [plate for one in verdict.evidence for plate in _of_log(one, verdict)]
    return (*by_log, *_of_sines(verdict))


def _of_log(evidence: Evidence, verdict: Verdict) -> Iterator[Plate]:
    figures, label = evidence.figures, str(evidence.log.label)
    if isinstance(figures, StepFigures):
        yield _steps(evidence, figures, verdict, label)
    elif isinstance(figures, RampFigures):
        yield from _ramps(evidence, figures, verdict, label)
    elif isinstance(figures, EnergyFigures):
        yield _energy(evidence, figures, verdict, label)
    elif isinstance(figures, StaticFigures):
        yield _static(evidence, figures, verdict, label)
    elif isinstance(figures, tuple):
        yield Plate(
            f"staircase-{label}",
            f"Staircase ({label})",
            "Every bar must lie inside the dotted envelope; the diamond has the least room.",
            staircase_plot(figures, verdict.product),
        )


def _steps(evidence: Evidence, figures: StepFigures, verdict: Verdict, label: str) -> Plate:
    return Plate(
        f"steps-{label}",
        f"Steps ({label})",
        "The mean power in each shaded window must lie inside the dotted band, counted from the mean of P0 and P3.",
        steps_plot(evidence.trace, figures, evidence.due_w, verdict.options.window),
    )


def _ramps(evidence: Evidence, figures: RampFigures, verdict: Verdict, label: str) -> Iterator[Plate]:
    yield Plate(
        f"ramps-{label}",
        f"Ramps ({label})",
        "P3 - P4 must lie inside the dotted band. Power counts in the direction of delivery; the numbers above are "
        "those of the ramps.",
        ramps_plot(evidence.trace, figures, evidence.due_w, verdict.options.window, verdict.product),
    )
    yield Plate(
        f"activation-{label}",
        f"Activation ({label})",
        "Left: the diamond must stand on or above the bar (R2), the shaded area is R3's energy. Right: power must "
        "not fall into the hatched area before ramp 6.",
        activation_plot(evidence.trace, figures, evidence.due_w),
    )
    yield Plate(
        f"deactivation-{label}",
        f"Deactivation ({label})",
        "Above: what is delivered beyond the allowed level after the turn. Below: its running sum, whose highest "
        "point must stay under the hatched area.",
        deactivation_plot(evidence.trace, figures, evidence.due_w),
    )


def _energy(evidence: Evidence, figures: EnergyFigures, verdict: Verdict, label: str) -> Plate:
    trace, mirrored = evidence.trace, verdict.product is Product.FCR_D_DOWN
    rows = np.searchsorted(trace.time_s, trace.time_s[0] + figures.second + 1e-6, side="right") - 1
    hz = trace.frequency_hz[rows]
    energy_wh = verdict.options.energy_wh
    assert energy_wh is not None  # noqa: S101 - without it there are no such figures
    return Plate(
        f"energy-{label}",
        f"Energy management ({label})",
        "Measured power must cover the dashed line, which follows from frequency and state of charge alone. Hatched "
        "seconds disagree; there are none when R12 passes.",
        energy_plot(
            figures,
            100.0 - hz if mirrored else hz,
            verdict.product,
            energy_wh / evidence.due_w,
            verdict.options.thresholds,
        ),
    )


def _static(evidence: Evidence, figures: StaticFigures, verdict: Verdict, label: str) -> Plate:
    return Plate(
        f"static-{label}",
        f"Static ramp ({label})",
        "The steady power must lie in the dotted band, the peak below the hatched area. After the frequency is back, "
        "power must stay for 60 s and then fall slowly.",
        static_plot(evidence.trace, figures, evidence.due_w, verdict.product),
    )


def _of_sines(verdict: Verdict) -> Iterator[Plate]:
    if not verdict.sine:
        return
    product = verdict.product
    radius = stability_radius(exempted=verdict.options.r8_exempted and product is Product.FCR_N)
    t_fme_s = max(point.t_fme_s for point in verdict.sine)
    yield Plate(
        "nyquist",
        "Stability (R8)",
        "The curve must pass to the right of the circle and not go round -1. Between and beyond the tested periods "
        "each line is another reading of the text; the strictest of the measured ones decides.",
        nyquist_plot(verdict.response, product, verdict.stability, radius=radius, t_fme_s=t_fme_s),
    )
    yield Plate(
        "sensitivity",
        "Performance (R9)",
        "Every square must stay below the hatched area. Where the line lies above the dotted one, the response makes "
        "the grid swing more than no response would.",
        sensitivity_plot(verdict.response, product),
    )
    yield Plate(
        "bode",
        "Gain and phase of F",
        "Shaded: where a point would fail by its gain at the measured phase (above), or by its phase at the measured "
        "gain (below). A loop that goes round -1 fails R8 even where no point lies in the shade.",
        bode_plot(verdict.sine, product, radius=radius),
    )
    sines = [Sine(one.trace, one.figures) for one in verdict.evidence if isinstance(one.figures, SinePoint)]
    yield Plate(
        "sines",
        "Sine fits (R10)",
        "The last two evaluated periods of each sine. The residual must stay smaller than the sine itself.",
        sines_plot(sines, verdict.capacity_w, product),
    )
