"""`samspel-prequal evaluate`: logs in, the pass/fail table out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from samspel_prequal.cli import options as option
from samspel_prequal.product import Product

if TYPE_CHECKING:
    from samspel_prequal.evaluate import Verdict
    from samspel_prequal.logs import Log

__all__ = ["evaluate", "load_logs", "shown"]

_WORDS = {True: "pass", False: "FAIL", None: "open"}


def evaluate(
    logs: option.Logs,
    product: option.OfProduct,
    capacity_w: option.CapacityW,
    t_fme: option.TFme = None,
    interpolation: option.InterpolationRule = "strictest",
    window: option.Window = "last-60-s",
    energy_wh: option.EnergyWh = None,
    rated_w: option.RatedW = None,
    combined_fcr_n_w: option.CombinedFcrNW = None,
    exempted: option.Exempted = False,
    mode_shifting: option.ModeShifting = False,
    non_continuous: option.NonContinuous = False,
    low_rate_consent: option.LowRateConsent = False,
    power_accuracy: option.PowerAccuracy = None,
    frequency_accuracy_hz: option.FrequencyAccuracyHz = None,
    clock: option.Clock = None,
    as_json: Annotated[bool, typer.Option("--json", help="Say it as JSON.")] = False,
) -> None:
    """Put logs to every requirement that they can show. Exit 1 when the verdict is a fail."""
    from samspel_prequal.evaluate import Outcome  # noqa: PLC0415
    from samspel_prequal.evaluate import evaluate as put_to_all  # noqa: PLC0415

    options = option.evaluation_options(
        t_fme=t_fme,
        interpolation=interpolation,
        window=window,
        energy_wh=energy_wh,
        rated_w=rated_w,
        combined_fcr_n_w=combined_fcr_n_w,
        exempted=exempted,
        mode_shifting=mode_shifting,
        non_continuous=non_continuous,
        low_rate_consent=low_rate_consent,
        power_accuracy=power_accuracy,
        frequency_accuracy_hz=frequency_accuracy_hz,
        clock=clock,
    )
    found = put_to_all(load_logs(logs, product), product, capacity_w, options)
    typer.echo(json.dumps(found.as_json(), allow_nan=False) if as_json else shown(found))
    if found.verdict is Outcome.FAIL:
        raise typer.Exit(1)


def load_logs(paths: list[Path], product: Product) -> list[Log]:
    """Files as they are named, and of folders the logs of this product; only files that can be trusted.

    Raises:
        LogError: a file that cannot be read, or one of another product that was named.
        FileNotFoundError: there is no such file, or no log in a folder.
    """
    from samspel_prequal.logs import read_log  # noqa: PLC0415

    files = [file for path in paths for file in (_in_folder(path, product) if path.is_dir() else [path])]
    return [read_log(file, product=product) for file in files]


def shown(verdict: Verdict) -> str:
    """The table, margins and warnings, for a terminal."""
    lines = [f"{verdict.product} at {verdict.capacity_w:.0f} W: {verdict.verdict.value}"]
    lines += [f"  {name:<23}{_WORDS[one.passed]:<5} {one.text}" for name, one in verdict.requirements.items()]
    for name, margins in verdict.margins.items():
        if margins.delay_s is not None:
            left = f"{margins.delay_s:.2f} s of delay left before it fails"
            lines.append(f"  {name}: {left if margins.delay_s >= 0 else f'{-margins.delay_s:.2f} s too slow'}")
    lines.append(f"  remaining capacity: {verdict.capacity_remaining_w:.0f} W")
    lines += [f"  not shown: {', '.join(verdict.missing)}"] if verdict.missing else []
    return "\n".join([*lines, *(f"  note: {text}" for text in verdict.warnings)])


def _in_folder(folder: Path, product: Product) -> list[Path]:
    files = sorted(path for path in folder.glob("*.csv") if f"_{product.service}_" in path.name)
    if not files:
        raise FileNotFoundError(f"no log of {product} (…_{product.service}_….csv) in {folder}")
    return files
