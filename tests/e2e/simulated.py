"""The contract suite's site as a home of one brand, in simulated time: every request counts, and registers have names.

Its twin does without the pauses of a real link, and the edge has the usual gate and wear budget.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from samspel.clock import LoopClock
from samspel.contract.command import Rank
from samspel.control.state import Policy
from samspel.edge import Rates
from samspel.shaping.gate import Gate
from samspel.shaping.wear import WearBudget
from samspel.transport.memory import MemoryBroker
from samspel_contract.edge import QUIET, RANKS, SITE, Life, Setting
from samspel_contract.site import Site, opened
from samspel_contract.target import installed
from samspel_contract.wire import Wire
from samspel_sim.behaviour import TwinOptions
from samspel_sim.testing import simulated_twin

from .registers import registers

__all__ = ["QUIET", "SITE", "Home", "Life", "simulated_home"]

LIVELY = Rates(fast_s=2.0, slow_s=30.0, static_s=3600.0, faults_s=10.0)
MORE_RANKS = {"fleet-b": Rank.DISPATCHER, "family": Rank.HOUSEHOLD}
EVERY_FUNCTION = range(0x80)
ANSWER_S = 0.02


@dataclass
class Home(Site):
    """`before` are the registers that a test has found before its command, `sent_at` is the moment of that."""

    before: dict[str, int] = field(default_factory=dict)
    sent_at: float = 0.0

    @property
    def clock(self) -> LoopClock:
        return self.setting.clock

    @property
    def broker(self) -> MemoryBroker:
        return self.setting.broker

    def wire(self) -> Wire:
        return Wire(self.twin, counted=EVERY_FUNCTION, latency_s=ANSWER_S)

    def registers(self) -> dict[str, int]:
        """The owned registers, straight from the twin's memory."""
        return registers(self.twin)

    def write_names(self) -> list[str]:
        return [str(one["name"]) for one in self.twin.writes]


@asynccontextmanager
async def simulated_home(
    *, rates: Rates = LIVELY, policy: Policy | None = None, maps: Path | None = None
) -> AsyncIterator[Home]:
    """At night, with a house that takes 500 W."""
    clock, target = LoopClock(), installed("huawei")
    twin = simulated_twin("huawei", asyncio.get_running_loop().time, TwinOptions(soc_pct=60.0, seed=7))
    twin.set({"pv_power_w": 0.0, "load_power_w": 500.0})
    setting = Setting(
        target=target,
        broker=MemoryBroker(clock, max_queued=5000),
        clock=clock,
        rates=rates,
        policy=policy or Policy(),
        ranks={**RANKS, **MORE_RANKS},
        shaping=(Gate(), WearBudget()),
        maps=maps,
    )
    async with opened(Home(target, twin, setting)) as home:
        yield home
