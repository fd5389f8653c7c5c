"""`samspel-prequal check`: what is wrong with log files, by line and column."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from samspel_prequal.product import Product

__all__ = ["check"]


def check(
    files: Annotated[list[Path], typer.Argument(help="Logs in the TSOs' CSV form.")],
    product: Annotated[Product | None, typer.Option(help="What the logs are taken for.")] = None,
    rated_w: Annotated[float | None, typer.Option(help="Rated power, for unit and resolution.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Say it as JSON.")] = False,
) -> None:
    """Read logs and say everything that is wrong with them. Exit 1 when a file has an error or a defect."""
    from samspel_prequal.logs import Severity, check_log  # noqa: PLC0415

    results = [(path, check_log(path, product=product, rated_w=rated_w)) for path in files]
    if as_json:
        shown = [{"file": str(path), "problems": [_plain(item) for item in found.problems]} for path, found in results]
        typer.echo(json.dumps(shown))
    else:
        for path, found in results:
            typer.echo(f"{path}: {'as it should be' if found.clean else f'{len(found.problems)} problem(s)'}")
            for item in found.problems:
                typer.echo(f"  {item}")
    if any(item.severity is not Severity.NOTE for _, found in results for item in found.problems):
        raise typer.Exit(1)


def _plain(problem: object) -> dict[str, object]:
    names = ("code", "severity", "message", "line", "column", "header", "count")
    return {name: getattr(problem, name) for name in names}
