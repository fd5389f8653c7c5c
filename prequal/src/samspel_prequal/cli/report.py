"""`samspel-prequal report`: logs in, one self-contained page out, and a PDF when it is wanted."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from samspel_prequal.cli import options as option

__all__ = ["report"]


def report(
    logs: option.Logs,
    product: option.OfProduct,
    capacity_w: option.CapacityW,
    output: Annotated[Path, typer.Option("-o", "--output", help="HTML page to write.")] = Path("report.html"),
    pdf: Annotated[Path | None, typer.Option(help="PDF to write besides.")] = None,
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
    as_json: Annotated[bool, typer.Option("--json", help="Say the evaluation as JSON, besides.")] = False,
) -> None:
    """Write a report on one product. Exit 1 when the verdict is a fail."""
    from samspel_prequal.evaluate import Outcome  # noqa: PLC0415
    from samspel_prequal.report import html_page, report_on, section_from_files, write_pdf  # noqa: PLC0415

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
    found = section_from_files(logs, product, capacity_w, options)
    document = report_on(found.sources[0].log.resource, [found], datetime.now(UTC))
    output.write_text(html_page(document), encoding="utf-8")
    if pdf is not None:
        write_pdf(document, pdf)
    written = [str(path) for path in (output, pdf) if path is not None]
    said = {**found.numbers, "files": written}
    text = f"{found.name} {found.headline}\n{', '.join(written)}"
    typer.echo(json.dumps(said, allow_nan=False) if as_json else text)
    if found.verdict.verdict is Outcome.FAIL:
        raise typer.Exit(1)
