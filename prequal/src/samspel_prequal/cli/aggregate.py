"""`samspel-prequal aggregate`: a fleet's logs as one entity, and what each home costs it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from samspel_prequal.product import Product

if TYPE_CHECKING:
    from samspel_prequal.aggregate import Source
    from samspel_prequal.logs import TestLabel

__all__ = ["aggregate"]

DEFAULT_HOME_W = 5000.0


def aggregate(
    product: Annotated[Product, typer.Option(help="fcr-n, fcr-d-up or fcr-d-down.")],
    folder: Annotated[Path | None, typer.Argument(help="Logs of all homes; --simulate fills it first.")] = None,
    capacity_w: Annotated[float | None, typer.Option(help="Capacity of the whole fleet, W.")] = None,
    top: Annotated[int, typer.Option(help="How many homes to show.")] = 20,
    rank_by: Annotated[str, typer.Option(help="Requirement to rank by, as R8; the tightest by default.")] = "",
    gaps: Annotated[Literal["absent", "hold", "line"], typer.Option(help="Long gaps: nothing delivered, …")] = "absent",
    longest_fill_s: Annotated[float, typer.Option(help="Up to here a gap is a straight line, s.")] = 1.0,
    t_fme_s: Annotated[float | None, typer.Option("--t-fme", help="Time constant of the frequency meter, s.")] = None,
    simulate: Annotated[int, typer.Option(help="Make so many homes instead of reading them.")] = 0,
    seed: Annotated[int, typer.Option(help="Of the simulated homes.")] = 1,
    form: Annotated[Literal["parquet", "csv"], typer.Option(help="What simulated logs are written as.")] = "parquet",
    write_sum: Annotated[Path | None, typer.Option(help="Folder for the logs of the sum, in the TSOs' form.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Say it as JSON.")] = False,
) -> None:
    """Judge the sum of many homes and rank them by what they cost. Exit 1 when the sum fails."""
    from samspel_prequal.aggregate import GapRule, Gaps  # noqa: PLC0415
    from samspel_prequal.aggregate import aggregate as judged  # noqa: PLC0415
    from samspel_prequal.aggregate.show import as_data, as_tables  # noqa: PLC0415
    from samspel_prequal.evaluate.options import EvaluationOptions  # noqa: PLC0415
    from samspel_prequal.evaluate.verdict import Outcome  # noqa: PLC0415

    if capacity_w is None and not simulate:
        raise typer.BadParameter("--capacity-w is due: what the fleet as a whole is to be prequalified for")
    total_w = capacity_w or simulate * DEFAULT_HOME_W
    source = _source(product, folder, total_w, simulate, seed, form)
    treated = Gaps(GapRule(gaps), longest_fill_s)
    options = EvaluationOptions(t_fme_s=t_fme_s)
    found = judged(source, total_w, options, gaps=treated, rank_by=rank_by, on_test=_told)
    if write_sum is not None:
        from samspel_prequal.logs import write_log  # noqa: PLC0415

        write_sum.mkdir(parents=True, exist_ok=True)
        for log in found.sums:
            write_log(log, write_sum, compact=True)
    if as_json:
        typer.echo(json.dumps(as_data(found, top)))
    else:
        from rich.console import Console  # noqa: PLC0415

        Console().print(as_tables(found, top))
    if found.verdict.verdict is Outcome.FAIL:
        raise typer.Exit(1)


def _source(product: Product, folder: Path | None, capacity_w: float, simulate: int, seed: int, form: str) -> Source:
    """Homes from a folder, from a seed, or from a seed by way of a folder."""
    from samspel_prequal.aggregate import Folder, Population, SimulatedFleet, draw, write_fleet  # noqa: PLC0415

    if not simulate:
        if folder is None:
            raise typer.BadParameter("name a folder with logs, or --simulate a number of homes")
        return Folder(folder, product)
    fleet = SimulatedFleet(product, draw(Population(simulate, capacity_w), product, seed))
    if folder is None:
        return fleet
    write_fleet(fleet, folder, form=form)
    return Folder(folder, product)


def _told(label: TestLabel) -> None:
    """One line a test on standard error, since a large fleet takes a while."""
    typer.echo(f"reading {label}", err=True)
