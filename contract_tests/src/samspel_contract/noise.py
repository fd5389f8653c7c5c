"""A restless hour: set-points of random size and sign from a seed, and what the device was written meanwhile."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from samspel.edge import Rates
from samspel.registers.model import Life, Register, SignalValue, Step

from samspel_contract.site import open_site
from samspel_contract.target import Target
from samspel_contract.wire import Write

__all__ = ["EVERY_S", "HOUR_S", "RESTFUL", "Hour", "magnitudes", "restless_hour", "wearing"]

HOUR_S = 3600.0
EVERY_S = 10.0
LEAST_W, MOST_W = 200.0, 3000.0
ZEROS = 1 / 6
SEED = 5
STEP_S = 1.0
RESTFUL = Rates(fast_s=25.0, slow_s=600.0, static_s=3600.0, faults_s=600.0)


@dataclass(frozen=True, slots=True)
class Hour:
    """What was wanted (seconds, W), what the twin was written, and what the owned registers held before.

    Until `moving_until` no zero was wanted.
    """

    wanted: Sequence[tuple[float, float]]
    written: Sequence[Write]
    before: dict[str, tuple[int, ...] | None]
    moving_until: float

    def of(self, row: Register) -> list[tuple[float, tuple[int, ...]]]:
        """Every write of this register: when, and the words."""
        found = [(one.at_s, one.of(row.address, row.count)) for one in self.written]
        return [(at_s, words) for at_s, words in found if words is not None]


def wearing(target: Target) -> list[Register]:
    """Owned registers whose writes wear the device's memory."""
    rows = [target.registers.registers[name] for name in target.registers.owned]
    return [row for row in rows if row.life is Life.PERSISTENT]


def magnitudes(target: Target, direction: str) -> list[Register]:
    """Registers that the direction's sequence writes the commanded power to."""
    steps = target.registers.sequences[direction]
    names = {name for step in steps for name in _powers(step)}
    return [target.registers.registers[name] for name in sorted(names)]


def _powers(step: Step) -> list[str]:
    pairs = zip(step.registers, step.values, strict=False)
    return [name for name, value in pairs if isinstance(value, SignalValue) and value.name == "target_power_w"]


async def restless_hour(target: Target) -> Hour:
    """One hour at a site with a new set-point every ten seconds; in its second half every sixth of them is a zero."""
    rng = random.Random(SEED)
    async with open_site(target, rates=RESTFUL, step_s=STEP_S) as site:
        life = await site.settled()
        before, wanted, begin = site.owned(), [], site.now
        while site.now < begin + HOUR_S:
            is_zero = site.now >= begin + HOUR_S / 2 and rng.random() < ZEROS
            power_w = 0.0 if is_zero else round(rng.uniform(LEAST_W, MOST_W)) * rng.choice((-1, 1))
            wanted.append((site.now, power_w))
            await site.send("set_power", power_w=power_w, ttl_s=4 * EVERY_S)
            await site.wait(EVERY_S)
        return Hour(wanted, tuple(life.wire.written), before, begin + HOUR_S / 2)
