"""`samspel-prequal signal`: write a test signal, show the list, draw a picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from samspel_prequal.product import Product

if TYPE_CHECKING:
    from samspel_prequal.signals import Signal

__all__ = ["signal"]


def signal(
    product: Annotated[Product | None, typer.Argument(help="Whose signal.")] = None,
    name: Annotated[str | None, typer.Argument(help="Which one; --list shows them.")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="CSV to write; one a period for sines.")] = None,
    rate: Annotated[float, typer.Option(help="Samples a second.")] = 10.0,
    period: Annotated[float | None, typer.Option(help="Only the sine of this period, in seconds.")] = None,
    periods: Annotated[float, typer.Option(help="Number of periods; the recommended one by default.")] = 0.0,
    change: Annotated[
        list[str] | None, typer.Option("--set", help="KEY=VALUE of an afrr or mfrr profile, as hold_s=600.")
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="Picture to draw (.png, .svg, .pdf).")] = None,
    show_list: Annotated[bool, typer.Option("--list", help="List the signals and stop.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Say what was done as JSON.")] = False,
) -> None:
    """Write a test signal as CSV (`time_s` and the value), for a signal generator or a player."""
    from samspel_prequal.signals.write import write_signal  # noqa: PLC0415

    if show_list:
        _list(product, as_json=as_json)
        return
    if product is None or name is None:
        raise typer.BadParameter("expected a product and the name of a signal; --list shows them all")
    found = _made(product, name, period, periods, change or [])
    if plot is not None:
        from samspel_prequal.signals.plot import plot_signals  # noqa: PLC0415

        plot_signals(found, plot)
    targets = _targets(found, output) if output is not None or plot is None else []
    for one, target in zip(found, targets, strict=False):
        write_signal(one, rate, target)
    _say(found, [str(target) for target in targets if target], plot, as_json=as_json)


def _made(product: Product, name: str, period: float | None, periods: float, changes: list[str]) -> tuple[Signal, ...]:
    from samspel_prequal.signals import find, sine  # noqa: PLC0415
    from samspel_prequal.signals.profile import changed_profile  # noqa: PLC0415

    if name == "sine" and period is not None:
        return (sine(product, period, periods=periods),)
    if changes:
        return (changed_profile(product, name, changes),)
    return find(product, name).make()


def _targets(found: tuple[Signal, ...], output: Path | None) -> list[Path | None]:
    """One file a signal; standard output for a single one without a file."""
    if len(found) == 1:
        return [output]
    if output is None:
        raise typer.BadParameter(f"this makes {len(found)} files: say where with -o FILE.csv")
    return [output.with_stem(f"{output.stem}-{one.head.name.rpartition('-')[2]}") for one in found]


def _list(product: Product | None, *, as_json: bool) -> None:
    from samspel_prequal.signals import entries  # noqa: PLC0415

    rows = [(entry, entry.make()) for entry in entries(product)]
    if as_json:
        typer.echo(json.dumps([{"name": entry.name, "about": entry.about, **_facts(made)} for entry, made in rows]))
        return
    for entry, made in rows:
        facts = _facts(made)
        mark = "" if facts["confidence"] == "high" else f"  [{facts['confidence']} confidence]"
        typer.echo(f"{entry.product:<10} {entry.name:<26} {facts['duration_s']:>8.0f} s  {entry.about}{mark}")


def _facts(made: tuple[Signal, ...]) -> dict[str, Any]:
    head = made[0].head
    return {
        "product": head.product.value,
        "signals": len(made),
        "duration_s": sum(one.duration_s for one in made),
        "quantity": head.quantity.value,
        "source": head.source,
        "confidence": head.confidence.value,
    }


def _say(found: tuple[Signal, ...], files: list[str], plot: Path | None, *, as_json: bool) -> None:
    facts = _facts(found)
    if as_json and (files or plot):
        typer.echo(json.dumps({**facts, "files": files, "plot": str(plot) if plot else None}))
    elif files or plot:
        shown = ", ".join([*files, *([str(plot)] if plot else [])])
        note = f"{facts['source']}; confidence {facts['confidence']}"
        typer.echo(f"{shown}: {facts['duration_s']:g} s in {facts['signals']} signal(s); {note}", err=True)
