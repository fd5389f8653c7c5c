"""`samspel-prequal demo`: the whole way, from signal to report, on two toy plants."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from samspel_prequal.report.demo import DemoCase, DemoResult

__all__ = ["demo"]


def demo(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for logs and reports.")] = Path("prequal-demo"),
    pdf: Annotated[bool, typer.Option("--pdf", help="Write PDFs besides; takes as long again.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Say the outcomes as JSON.")] = False,
) -> None:
    """Take a fast and a slow toy plant through FCR-N and FCR-D. Exit 0 when the outcomes are as expected."""
    from samspel_prequal.report.demo import CASES  # noqa: PLC0415

    results = _under_a_bar(CASES, output, pdf)
    if as_json:
        typer.echo(json.dumps([_plain(result) for result in results]))
    else:
        _table(results, output)
    if not all(result.as_expected for result in results):
        raise typer.Exit(1)


def _under_a_bar(cases: tuple[DemoCase, ...], output: Path, pdf: bool) -> list[DemoResult]:
    """Run everything; the bar is drawn on standard error."""
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    from samspel_prequal.report.demo import run_demo, steps_of  # noqa: PLC0415

    columns = (TextColumn("{task.description:<32}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=sum(steps_of(case) for case in cases))

        def step(text: str) -> None:
            progress.update(task, description=text, advance=1)

        return run_demo(output, datetime.now(UTC), cases=cases, pdf=pdf, on_step=step)


def _table(results: list[DemoResult], output: Path) -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table("plant", "product", "verdict", "why", "as expected")
    for result in results:
        expected = "yes" if result.as_expected else "NO"
        table.add_row(
            result.case.plant, result.section.name, result.section.verdict.verdict.value, _why(result), expected
        )
    Console().print(table)
    plants = dict.fromkeys(result.case.plant for result in results)
    typer.echo(f"reports: {', '.join(str(output / f'{plant}.html') for plant in plants)}")


def _why(result: DemoResult) -> str:
    """What fails and by how much; of what passes, what is left before R8 fails."""
    rows = [row for row in result.section.rows if row.name in result.case.fails or row.state == "fail"]
    if not rows:
        return next((row.room for row in result.section.rows if row.name == "R8"), "")
    return "\n".join(f"{row.name}: {row.value}, needs {row.limit}; {row.room}" for row in rows)


def _plain(result: DemoResult) -> dict[str, object]:
    verdict = result.section.verdict
    fails = [name for name, one in verdict.requirements.items() if one.passed is False]
    return {
        "plant": result.case.plant,
        "product": verdict.product.value,
        "verdict": verdict.verdict.value,
        "fails": fails,
        "as_expected": result.as_expected,
    }
