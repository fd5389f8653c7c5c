"""`samspel-prequal report`: logs in, one self-contained page out, and a PDF when it is wanted."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from samspel_prequal.cli.choice import named
from samspel_prequal.product import Product

__all__ = ["report"]


def report(
    logs: Annotated[list[Path], typer.Argument(help="Logs in the TSOs' CSV form, or folders of them.")],
    product: Annotated[Product, typer.Option(help="What is to be prequalified: fcr-n, fcr-d-up or fcr-d-down.")],
    capacity_w: Annotated[float, typer.Option(help="The capacity: the theoretical steady-state response in W.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="HTML page to write.")] = Path("report.html"),
    pdf: Annotated[Path | None, typer.Option(help="PDF to write besides.")] = None,
    t_fme: Annotated[float | None, typer.Option(help="Time constant of the frequency meter in s.")] = None,
    interpolation: Annotated[
        str, typer.Option(help="How the Nyquist curve runs between points; as for evaluate.")
    ] = "strictest",
    window: Annotated[str, typer.Option(help="Where steady power is read: last-60-s or inner.")] = "last-60-s",
    energy_wh: Annotated[float | None, typer.Option(help="Energy range used for FCR in Wh, for NEM and AEM.")] = None,
    rated_w: Annotated[float | None, typer.Option(help="Rated power; the capacity if left out.")] = None,
    combined_fcr_n_w: Annotated[float | None, typer.Option(help="FCR-N that ran beside FCR-D, for R1b.")] = None,
    exempted: Annotated[bool, typer.Option("--r8-exempted", help="FCR-N with the 75 % radius.")] = False,
    mode_shifting: Annotated[bool, typer.Option("--mode-shifting", help="The entity shifts modes.")] = False,
    non_continuous: Annotated[bool, typer.Option("--non-continuous", help="Relay-like entity.")] = False,
    low_rate_consent: Annotated[bool, typer.Option("--low-rate-consent", help="Tests at 1 Hz are allowed.")] = False,
    power_accuracy: Annotated[float | None, typer.Option(help="Declared, as a share of full power: 0.01.")] = None,
    frequency_accuracy_hz: Annotated[float | None, typer.Option(help="Declared, in Hz: 0.002.")] = None,
    clock: Annotated[bool | None, typer.Option("--clock-synced/--clock-free", help="Declared.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Say the evaluation as JSON, besides.")] = False,
) -> None:
    """Write a report on one product. Exit 1 when the verdict is a fail."""
    from samspel_prequal.evaluate import (  # noqa: PLC0415
        AveragingWindow,
        EvaluationOptions,
        Interpolation,
        Outcome,
    )
    from samspel_prequal.report import html_page, report_on, section_from_files, write_pdf  # noqa: PLC0415

    options = EvaluationOptions(
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
