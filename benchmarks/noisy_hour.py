"""`python -m benchmarks.noisy_hour [--minutes N] [BRAND ...]`: what a gate saves, on each twin in simulated time.

A dispatcher that trembles: every two seconds a new set-point, a slow wave with noise on it, an hour long. Counted are
the writes that reach the device, those of registers that wear, and the share of the time (after the first minute) in
which the battery was within tolerance of what was wanted. The same seeds each time; the figures are of the twins.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from samspel.delivery.tracker import Tolerance
from samspel.shaping.gate import Gate
from samspel_contract.edge import CALM
from samspel_contract.noise import wearing
from samspel_contract.simulated import SimulatedLoop
from samspel_contract.site import open_site
from samspel_contract.target import Target, installed

__all__ = ["Hour", "main", "noisy_hour"]

BRANDS = ("huawei", "sungrow", "saj")
EVERY_S = 2.0
MIDDLE_W, SWING_W, NOISE_W = 2000.0, 1000.0, 15.0
WAVE_S = 1200.0
SETTLING_S = 60.0
SEED = 7


@dataclass(frozen=True, slots=True)
class Hour:
    """What came of it. `writes` are frames that reached the device, `worn` the registers in them that wear."""

    brand: str
    gate: Gate | None
    set_points: int
    writes: int
    worn: int
    in_tolerance_pct: float


def wanted_w(now_s: float, rng: random.Random) -> float:
    """A discharge that swings slowly and trembles."""
    return round(MIDDLE_W + SWING_W * math.sin(2 * math.pi * now_s / WAVE_S) + rng.gauss(0.0, NOISE_W))


async def noisy_hour(target: Target, gate: Gate | None, minutes: float) -> Hour:
    """One run; without a gate every change that the device can tell is written, as its route's spacing allows."""
    rng, tolerance = random.Random(SEED), Tolerance()
    shaping = () if gate is None else (gate,)
    async with open_site(target, rates=CALM, step_s=0.5, soc_pct=90.0, load_w=6000.0, shaping=shaping) as site:
        life = await site.settled()
        first, begin, count = len(life.wire.written), site.now, 0
        within: list[bool] = []
        while site.now < begin + 60 * minutes:
            power_w = wanted_w(site.now - begin, rng)
            await site.send("set_power", power_w=power_w, ttl_s=30.0)
            count += 1
            await site.wait(EVERY_S)
            if site.now > begin + SETTLING_S:
                within.append(tolerance.holds(power_w, site.battery_w))
        writes = life.wire.written[first:]
        worn = sum(one.of(row.address, row.count) is not None for one in writes for row in wearing(target))
        return Hour(target.name, gate, count, len(writes), worn, 100 * sum(within) / max(1, len(within)))


def run(brand: str, gate: Gate | None, minutes: float) -> Hour:
    """In simulated time."""
    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        return runner.run(noisy_hour(installed(brand), gate, minutes))


def main(arguments: Sequence[str] | None = None) -> int:
    """The table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.noisy_hour", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("brands", nargs="*", default=BRANDS)
    options = parser.parse_args(arguments)
    hours = [run(brand, gate, options.minutes) for brand in options.brands for gate in (None, Gate())]
    show(hours, Console() if sys.stdout.isatty() else Console(width=110))
    return 0


def show(hours: Sequence[Hour], console: Console) -> None:
    """For people."""
    table = Table(title="A noisy hour on the twins")
    for title in ("twin", "gate", "set-points", "writes", "of registers that wear", "time in tolerance"):
        table.add_column(title, justify="left" if title in ("twin", "gate") else "right")
    for one in hours:
        gate = "none" if one.gate is None else f"{one.gate.delta_w:g} W, {one.gate.time_s:g} s"
        figures = (one.set_points, one.writes, one.worn)
        table.add_row(one.brand, gate, *map(str, figures), f"{one.in_tolerance_pct:.1f} %")
    console.print(table)


if __name__ == "__main__":
    sys.exit(main())
