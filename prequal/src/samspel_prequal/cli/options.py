"""The options that `evaluate` and `report` share: what the evaluation has to know beside the logs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from samspel_prequal.cli.choice import named
from samspel_prequal.product import Product

if TYPE_CHECKING:
    from samspel_prequal.evaluate import EvaluationOptions

__all__ = [
    "CapacityW",
    "Clock",
    "CombinedFcrNW",
    "EnergyWh",
    "Exempted",
    "FrequencyAccuracyHz",
    "InterpolationRule",
    "Logs",
    "LowRateConsent",
    "ModeShifting",
    "NonContinuous",
    "OfProduct",
    "PowerAccuracy",
    "RatedW",
    "TFme",
    "Window",
    "evaluation_options",
]

_RULES = "chords, chord-to-origin, interpolated-f-polar, interpolated-f-cartesian, strictest (the default), model"

Logs = Annotated[list[Path], typer.Argument(help="Logs in the TSOs' CSV form, or folders of them.")]
OfProduct = Annotated[Product, typer.Option(help="What is to be prequalified: fcr-n, fcr-d-up or fcr-d-down.")]
CapacityW = Annotated[float, typer.Option(help="The capacity: the theoretical steady-state response in W.")]
TFme = Annotated[
    float | None, typer.Option(help="Time constant of the frequency meter in s, for a signal put in behind it.")
]
InterpolationRule = Annotated[str, typer.Option(help=f"How the Nyquist curve runs between points: {_RULES}.")]
Window = Annotated[str, typer.Option(help="Where steady power is read: last-60-s or inner.")]
EnergyWh = Annotated[float | None, typer.Option(help="Energy range used for FCR in Wh, for NEM and AEM.")]
RatedW = Annotated[float | None, typer.Option(help="Rated power; the capacity if left out.")]
CombinedFcrNW = Annotated[float | None, typer.Option(help="FCR-N that ran beside FCR-D, for R1b.")]
Exempted = Annotated[bool, typer.Option("--r8-exempted", help="FCR-N with the 75 % radius, on application.")]
ModeShifting = Annotated[bool, typer.Option("--mode-shifting", help="The entity shifts modes: R13 is due.")]
NonContinuous = Annotated[bool, typer.Option("--non-continuous", help="Relay-like entity: R11 is due.")]
LowRateConsent = Annotated[bool, typer.Option("--low-rate-consent", help="The TSO allows tests at 1 Hz.")]
PowerAccuracy = Annotated[float | None, typer.Option(help="Declared, as a share of full power: 0.01.")]
FrequencyAccuracyHz = Annotated[float | None, typer.Option(help="Declared, in Hz: 0.002.")]
Clock = Annotated[bool | None, typer.Option("--clock-synced/--clock-free", help="Declared.")]


def evaluation_options(
    *,
    t_fme: float | None,
    interpolation: str,
    window: str,
    energy_wh: float | None,
    rated_w: float | None,
    combined_fcr_n_w: float | None,
    exempted: bool,
    mode_shifting: bool,
    non_continuous: bool,
    low_rate_consent: bool,
    power_accuracy: float | None,
    frequency_accuracy_hz: float | None,
    clock: bool | None,
) -> EvaluationOptions:
    """What was said on the command line. Raises typer.BadParameter for a rule or window that does not exist."""
    from samspel_prequal.evaluate import AveragingWindow, EvaluationOptions, Interpolation  # noqa: PLC0415

    return EvaluationOptions(
        t_fme_s=t_fme,
        interpolation=named(Interpolation, interpolation),
        window=named(AveragingWindow, window),
        energy_wh=energy_wh,
        rated_w=rated_w,
        combined_fcr_n_w=combined_fcr_n_w,
        r8_exempted=exempted,
        mode_shifting=mode_shifting,
        non_continuous=non_continuous,
        low_rate_consent=low_rate_consent,
        power_accuracy=power_accuracy,
        frequency_accuracy_hz=frequency_accuracy_hz,
        clock_synchronised=clock,
    )
