"""Runs a programme and writes its logs under a progress bar."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from samspel_prequal.logs import write_log
from samspel_prequal.plant import PlantSettings
from samspel_prequal.player import Site
from samspel_prequal.simulate import Programme, Test, programme, simulate

__all__ = ["written"]


def written(
    wanted: Programme, settings: PlantSettings, site: Site, rate_hz: float, folder: Path, *, compact: bool
) -> list[str]:
    """The paths of the logs, in the order of the tests. The bar is drawn on standard error."""
    tests = programme(wanted)
    columns = (TextColumn("{task.description:<20}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=sum(test.estimate_s for test in tests))

        def begin(test: Test) -> None:
            progress.update(task, description=str(test.label))

        files = []
        logs = simulate(wanted, settings, rate_hz=rate_hz, site=site, on_test=begin)
        for test, log in zip(tests, logs, strict=True):
            files.append(str(write_log(log, folder, compact=compact)))
            progress.advance(task, test.estimate_s)
    return files
