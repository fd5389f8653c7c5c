"""Puts the commands together. A command is a function in a module of its own; heavy imports wait until it runs."""

from __future__ import annotations

import typer

from samspel_prequal.cli.aggregate import aggregate
from samspel_prequal.cli.check import check
from samspel_prequal.cli.demo import demo
from samspel_prequal.cli.design import design
from samspel_prequal.cli.evaluate import evaluate
from samspel_prequal.cli.report import report
from samspel_prequal.cli.signal import signal
from samspel_prequal.cli.simulate import simulate

__all__ = ["app"]

app = typer.Typer(
    name="samspel-prequal",
    help="Nordic reserve prequalification: test signals, the TSOs' logs, verdicts and simulated runs.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(signal)
app.command()(check)
app.command()(simulate)
app.command()(evaluate)
app.command()(design)
app.command()(aggregate)
app.command()(report)
app.command()(demo)
