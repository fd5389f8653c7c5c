"""`python -m samspel_contract.simulation.soak`: as many home-days as the time gives, over every driver and scenario.

Each run has a seed of its own; one that fails is named with the command that repeats it. Exit code 1 then.
"""

from __future__ import annotations

import logging
import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Annotated

import typer

from samspel_contract.simulation.choice import Choice, command_line, drivers, target_of
from samspel_contract.simulation.plan import load_plan, names
from samspel_contract.simulation.record import span_of
from samspel_contract.simulation.report import invariant_names, rate_text, violation_text
from samspel_contract.simulation.run import Outcome, simulate
from samspel_contract.target import installed

__all__ = ["Job", "Tally", "jobs", "soak"]


@dataclass(frozen=True, slots=True)
class Job:
    """One run: a scenario, a device, a seed, and how long in simulated seconds."""

    scenario: str
    choice: Choice
    seed: int
    until_s: float

    def run(self) -> Outcome:
        """In whatever process."""
        logging.disable(logging.CRITICAL)
        plan = load_plan(self.scenario)
        return simulate(target_of(plan, self.choice), plan, self.seed, until_s=self.until_s)


@dataclass
class Tally:
    """What all runs together showed. `failed` are jobs with what was violated, or the defect that ended them."""

    simulated_s: float = 0.0
    runs: int = 0
    checked: Counter[str] = field(default_factory=Counter)
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    violated: Counter[str] = field(default_factory=Counter)
    failed: list[tuple[Job, str]] = field(default_factory=list)

    def add(self, job: Job, outcome: Outcome) -> None:
        """One more has ended."""
        self.simulated_s += outcome.simulated_s
        self.runs += 1
        self.checked.update(outcome.checked)
        for group, names_ in outcome.counts.items():
            self.counts.setdefault(group, Counter()).update(names_)
        for one in outcome.violations:
            self.violated[one.invariant] += 1
            again = command_line(job.scenario, job.choice, job.seed, one.at_s)
            self.failed.append((job, violation_text(one, again)))

    def table(self, took_s: float) -> str:
        """For people."""
        days = self.simulated_s / 86_400
        lines = [
            f"{self.runs} runs, {span_of(self.simulated_s)} of homes in {took_s / 60:.1f} minutes: "
            f"{days / max(took_s, 1e-9) * 3600:.0f} home-days an hour, {rate_text(self.simulated_s, took_s)}"
        ]
        for group in ("commands", "ends", "deviations", "disturbances", "writes"):
            counts = self.counts.get(group, Counter())
            parts = ", ".join(f"{name} {number}" for name, number in sorted(counts.items()))
            lines.append(f"{group}: {counts.total()} ({parts})")
        lines.append(f"{'invariants':<36}{'checked':>12}{'violated':>10}")
        lines += [f"  {name:<34}{self.checked[name]:>12}{self.violated[name]:>10}" for name in invariant_names()]
        return "\n".join(lines)


def jobs(rng: random.Random, hours: float) -> Iterator[Job]:
    """Without end: every driver in turn, in any of its variants that want no login, in any scenario."""
    while True:
        for driver in drivers():
            variants = installed(driver).variants
            open_ones = [number for number, one in enumerate(variants) if not one.path.session]
            choice = Choice(driver, rng.choice(open_ones or [0]))
            yield Job(rng.choice(names()), choice, rng.randrange(1_000_000), hours * 3600)


def soak(minutes: float, rng: random.Random, *, workers: int, hours: float) -> Tally:
    """Keep every core busy until the time is over, then let what runs end."""
    tally, waiting = Tally(), jobs(rng, hours)
    end = time.monotonic() + minutes * 60
    running: dict[Future[Outcome], Job] = {}
    with ProcessPoolExecutor(workers) as pool:
        while running or time.monotonic() < end:
            while len(running) < workers and time.monotonic() < end:
                job = next(waiting)
                running[pool.submit(job.run)] = job
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                _collect(tally, running.pop(future), future)
    return tally


def _collect(tally: Tally, job: Job, future: Future[Outcome]) -> None:
    """A run that ends by a defect is a failure with a seed like any other."""
    again = command_line(job.scenario, job.choice, job.seed, job.until_s)
    try:
        outcome = future.result()
    except Exception as error:  # noqa: BLE001 - whatever a simulation dies of is reported and the soak goes on
        tally.failed.append((job, f"DEFECT {error!r}\nagain: {again}"))
        typer.echo(tally.failed[-1][1])
        return
    before = len(tally.failed)
    tally.add(job, outcome)
    rate = rate_text(outcome.simulated_s, outcome.took_s)
    typer.echo(f"{job.scenario} on {job.choice.driver} {job.choice.variant} seed {job.seed}: {rate}")
    for _, text in tally.failed[before:]:
        typer.echo(text)


def main(
    minutes: Annotated[float, typer.Option(min=0.01, help="how long")] = 60.0,
    seed: Annotated[int | None, typer.Option(help="of the choice of runs")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="processes; else one a core")] = None,
    hours: Annotated[float, typer.Option(min=0.1, help="simulated length of a run")] = 24.0,
) -> None:
    """Soak every installed driver in every scenario."""
    chosen = random.SystemRandom().randrange(1_000_000) if seed is None else seed
    typer.echo(f"soak: {minutes:g} minutes, seed {chosen}, drivers {', '.join(drivers())}")
    began = time.monotonic()
    tally = soak(minutes, random.Random(chosen), workers=workers or os.cpu_count() or 1, hours=hours)
    typer.echo(tally.table(time.monotonic() - began))
    for job, _ in tally.failed:
        typer.echo(f"failed: {job.scenario} on {job.choice.driver} {job.choice.variant} seed {job.seed}")
    raise typer.Exit(1 if tally.failed else 0)


if __name__ == "__main__":
    typer.run(main)
