"""One home under test: a twin, a link to it in memory and the driver on that link, in simulated time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from samspel.clock import LoopClock
from samspel.contract.capability import Direction
from samspel.contract.driver import Snapshot
from samspel.driver.map_driver import MapDriver
from samspel.driver.options import DriverOptions
from samspel_sim.behaviour import TwinOptions
from samspel_sim.twin import Twin

from samspel_contract.link import MemoryLink
from samspel_contract.target import Target
from samspel_contract.view import TwinView

__all__ = ["REST_W", "STEP_S", "Rig"]

STEP_S = 0.5
REST_W = 50.0
"""A battery below this is at rest: what its electronics need, and what a regulator hunts by."""

LATENCY_S = 30.0
"""Where a route states none."""


@dataclass
class Rig(TwinView):
    """`driver` may be replaced by `restart_driver`; `twin` and its home go on."""

    link: MemoryLink
    driver: MapDriver
    options: DriverOptions = field(default_factory=DriverOptions)

    @classmethod
    def make(
        cls,
        target: Target,
        *,
        soc_pct: float = 50.0,
        pv_w: float = 1500.0,
        load_w: float = 2500.0,
        seed: int = 1,
        options: DriverOptions | None = None,
    ) -> Rig:
        """A home with fixed PV and load; by default its own logic discharges about 1 kW into the house."""
        loop = asyncio.get_running_loop()
        twin = Twin(target.twin(TwinOptions(soc_pct=soc_pct, seed=seed)), clock=loop.time, seed=seed, step_s=STEP_S)
        twin.set({"pv_power_w": pv_w, "load_power_w": load_w})
        options = options or DriverOptions()
        link = MemoryLink(twin, target.path)
        rig = cls(target, twin, link, target.driver(link, LoopClock(), options=options), options)
        link.on_connect = rig.driver.confirm
        return rig

    async def restart_driver(self) -> None:
        """As after a crash: a new driver that remembers nothing, on a new connection."""
        self.link.drop()
        self.driver = self.target.driver(self.link, LoopClock(), options=self.options)
        self.link.on_connect = self.driver.confirm
        await self.driver.identify()

    # --- time and truth ---

    async def wait(self, seconds: float) -> None:
        """Let simulated time pass, physics included."""
        await asyncio.sleep(seconds)
        self.twin.advance()

    async def settle(self, direction: Direction) -> None:
        """Wait as long as the route in this direction needs at most."""
        route = self.driver.capabilities().route(direction)
        latency_s = LATENCY_S if route is None or route.latency_s is None else route.latency_s
        await self.wait(2 * latency_s + 5)

    @property
    def now(self) -> float:
        """Monotonic seconds, as the driver counts them."""
        return asyncio.get_running_loop().time()

    @property
    def at_rest(self) -> bool:
        """Whether the battery neither charges nor discharges."""
        route = self.driver.capabilities().route(Direction.ZERO)
        return abs(self.battery_w) <= max(REST_W, route.dead_zone_w if route else 0.0)

    # --- commands ---

    async def take(self) -> Snapshot:
        """Identify, and take."""
        await self.driver.identify()
        return await self.driver.take()

    async def set_power(self, power_w: float, snapshot: Snapshot, previous_w: float | None = None) -> float:
        """Command a power for an hour; the power that was really written."""
        report = await self.driver.set_power(power_w, self.now + 3600, snapshot, previous_w)
        return report.power_w
