"""`samspel-prequal evaluate`: logs in, the pass/fail table out."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from samspel_prequal.product import Product

if TYPE_CHECKING:
    from samspel_prequal.evaluate import Verdict
    from samspel_prequal.logs import Log

__all__ = ["evaluate", "load_logs", "shown"]

_Name = TypeVar("_Name", bound=StrEnum)
_WORDS = {True: "pass", False: "FAIL", None: "open"}
_RULES = "chords, chord-to-origin, interpolated-f-polar, interpolated-f-cartesian, strictest (the default), model"


def evaluate(
    logs: Annotated[list[Path], typer.Argument(help="Logs in the TSOs' CSV form, or folders of them.")],
    product: Annotated[Product, typer.Option(help="What is to be prequalified: fcr-n, fcr-d-up or fcr-d-down.")],
    capacity_w: Annotated[float, typer.Option(help="The capacity: the theoretical steady-state response in W.")],
    t_fme: Annotated[
        float | None, typer.Option(help="Time constant of the frequency meter in s, for a signal put in behind it.")
    ] = None,
    interpolation: Annotated[
        str, typer.Option(help=f"How the Nyquist curve runs between points: {_RULES}.")
    ] = "strictest",
    window: Annotated[str, typer.Option(help="Where steady power is read: last-60-s or inner.")] = "last-60-s",
    energy_wh: Annotated[float | None, typer.Option(help="Energy range used for FCR in Wh, for NEM and AEM.")] = None,
    rated_w: Annotated[float | None, typer.Option(help="Rated power; the capacity if left out.")] = None,
    combined_fcr_n_w: Annotated[float | None, typer.Option(help="FCR-N that ran beside FCR-D, for R1b.")] = None,
    exempted: Annotated[
        bool, typer.Option("--r8-exempted", help="FCR-N with the 75 % radius, on application.")
    ] = False,
    mode_shifting: Annotated[
        bool, typer.Option("--mode-shifting", help="The entity shifts modes: R13 is due.")
    ] = False,
    non_continuous: Annotated[bool, typer.Option("--non-continuous", help="Relay-like entity: R11 is due.")] = False,
    low_rate_consent: Annotated[bool, typer.Option("--low-rate-consent", help="The TSO allows tests at 1 Hz.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Say it as JSON.")] = False,
) -> None:
    """Put logs to every requirement that they can show. Exit 1 when the verdict is a fail."""
    from samspel_prequal.evaluate import AveragingWindow, EvaluationOptions, Interpolation, Outcome  # noqa: PLC0415
    from samspel_prequal.evaluate import evaluate as put_to_all  # noqa: PLC0415

    options = EvaluationOptions(
        t_fme_s=t_fme,
        interpolation=_named(Interpolation, interpolation),
        window=_named(AveragingWindow, window),
        energy_wh=energy_wh,
        rated_w=rated_w,
        combined_fcr_n_w=combined_fcr_n_w,
        r8_exempted=exempted,
        mode_shifting=mode_shifting,
        non_continuous=non_continuous,
        low_rate_consent=low_rate_consent,
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


def _named(kind: type[_Name], text: str) -> _Name:
    try:
        return kind(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r}: expected one of {', '.join(kind)}") from None
