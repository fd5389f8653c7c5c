"""`samspel simulate SCENARIO`: days of one home in minutes, with every invariant checked at each step.

Exit codes: 0 every invariant held, 1 one did not, 2 the scenario or the device cannot be had.
"""

from __future__ import annotations

import logging
import random
from typing import Annotated

import typer
from samspel.contract.errors import SamspelError

from samspel_contract.simulation.choice import Choice, choices, command_line, seconds_of, target_of
from samspel_contract.simulation.plan import Plan, load_plan, names
from samspel_contract.simulation.report import day_line, json_of, table, violation_text
from samspel_contract.simulation.run import Outcome, simulate

__all__ = ["command"]

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(name="simulate", epilog="Scenarios of this package: " + ", ".join(names()) + ".")
def simulate_command(
    scenario: Annotated[str, typer.Argument(help="a scenario by name, or a SCENARIO.toml")],
    seed: Annotated[int | None, typer.Option(help="seed of everything random; drawn and printed if not given")] = None,
    driver: Annotated[str | None, typer.Option(help="one installed driver; else all that the scenario names")] = None,
    variant: Annotated[int | None, typer.Option(help="number of a variant in the driver's contract.toml")] = None,
    device: Annotated[int | None, typer.Option(help="number of one of the scenario's [[devices]]")] = None,
    days: Annotated[float | None, typer.Option(min=0.001, help="how long; else as the scenario says")] = None,
    until: Annotated[str | None, typer.Option(help="end after this time, as in 3d04h")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON document for each device")] = False,
) -> None:
    """Run the real edge in simulated time on simulated devices."""
    plan = load_plan(scenario)
    chosen_seed = random.SystemRandom().randrange(1_000_000) if seed is None else seed
    until_s = seconds_of(until) if until else (plan.days if days is None else days) * 86_400
    wanted = choices(plan, driver, variant, device)
    passed = [_run(scenario, plan, one, chosen_seed, until_s, as_json=as_json) for one in wanted]
    raise typer.Exit(0 if all(passed) else 1)


def _run(scenario: str, plan: Plan, choice: Choice, seed: int, until_s: float, *, as_json: bool) -> bool:
    target = target_of(plan, choice)
    if not as_json:
        typer.echo(f"{scenario} on {choice.driver} ({target.variant.name}), seed {seed}: {plan.title}")
    quiet = logging.getLogger("samspel")
    before = quiet.level
    quiet.setLevel(logging.CRITICAL)  # what goes wrong is asked for, and told by the stream
    try:
        on_day = (lambda _: None) if as_json else (lambda day: typer.echo(day_line(day)))
        outcome = simulate(target, plan, seed, until_s=until_s, on_day=on_day)
    finally:
        quiet.setLevel(before)
    _tell(outcome, scenario, choice, seed, as_json=as_json)
    return not outcome.violations


def _tell(outcome: Outcome, scenario: str, choice: Choice, seed: int, *, as_json: bool) -> None:
    again = [command_line(scenario, choice, seed, one.at_s) for one in outcome.violations]
    if as_json:
        typer.echo(json_of(outcome, scenario=scenario, driver=choice.driver, seed=seed, again=again))
        return
    typer.echo(table(outcome))
    for violation, line in zip(outcome.violations, again, strict=True):
        typer.echo(violation_text(violation, line))


def command(argv: list[str]) -> int:
    """Run with these arguments; the exit code."""
    try:
        code = app(args=argv, prog_name="samspel simulate", standalone_mode=False)
    except typer.Exit as stop:
        return int(stop.exit_code)
    except typer.Abort:
        return 130
    except SamspelError as error:
        typer.echo(f"samspel simulate: {error}", err=True)
        return 2
    except Exception as error:
        if not hasattr(error, "format_message"):
            raise
        typer.echo(f"samspel simulate: {error.format_message()}", err=True)
        return 2
    return int(code or 0)
