"""One home under test: a twin, a link to it in memory and the driver on that link, in simulated time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from samspel.clock import LoopClock
from samspel.contract.capability import Deadman, Direction
from samspel.contract.driver import Mark, Snapshot, WriteReport
from samspel.contract.errors import BusError
from samspel.driver.map_driver import MapDriver
from samspel.driver.options import DriverOptions
from samspel_sim.behaviour import TwinOptions
from samspel_sim.twin import Twin

from samspel_contract.link import MemoryLink
from samspel_contract.login import WatchedSession
from samspel_contract.target import Target
from samspel_contract.view import TwinView

__all__ = ["REST_W", "STEP_S", "Rig"]

STEP_S = 0.5
REST_W = 50.0
"""A battery below this is at rest: what its electronics need, and what a regulator hunts by."""

LATENCY_S = 30.0
"""Where a route states none."""

FEED_S = 10.0
"""Where a route with a timer does not say how often it wants to be fed."""


@dataclass
class Rig(TwinView):
    """`driver` may be replaced by `restart_driver`; `twin` and its home go on. `login` replaces the variant's own.

    What a site does beside commanding, `wait` does: it feeds a device that has a timer, and keeps a login.
    """

    link: MemoryLink
    options: DriverOptions = field(default_factory=DriverOptions)
    login: Mapping[str, object] | None = None
    driver: MapDriver = field(init=False)
    login_writes: set[int] = field(default_factory=set)
    _feed: Callable[[], Awaitable[object]] | None = None
    _feed_s: float = 0.0
    _fed_at: float = 0.0
    _tending: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self._new_driver()

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
        login: Mapping[str, object] | None = None,
    ) -> Rig:
        """A home with fixed PV and load; by default its own logic discharges about 1 kW into the house."""
        loop = asyncio.get_running_loop()
        twin = Twin(target.twin(TwinOptions(soc_pct=soc_pct, seed=seed)), clock=loop.time, seed=seed, step_s=STEP_S)
        twin.set({"pv_power_w": pv_w, "load_power_w": load_w})
        return cls(target, twin, MemoryLink(twin, target.path), options or DriverOptions(), login)

    async def restart_driver(self) -> None:
        """As after a crash: a new driver that remembers nothing, on a new connection."""
        self.link.drop()
        self._new_driver()
        await self.driver.identify()

    def _new_driver(self) -> None:
        if self._tending is not None:
            self._tending.cancel()
        session = self.target.session(self.login)
        watched = None if session is None else WatchedSession(session, self.login_writes)
        further = {name: self.link.at(unit) for name, unit in self.target.variant.units.items()}
        self.driver = self.target.driver(self.link, LoopClock(), options=self.options, session=watched, further=further)
        self.link.on_connect = self.driver.confirm
        self._feed = None
        self._tending = None if watched is None else asyncio.ensure_future(self.driver.tend_session())

    # --- time and truth ---

    async def wait(self, seconds: float) -> None:
        """Let simulated time pass, physics included."""
        end = self.now + seconds
        while self._feed is not None and (due := self._fed_at + self._feed_s) <= end:
            await asyncio.sleep(max(0.0, due - self.now))
            self._fed_at = self.now
            with suppress(BusError):
                await self._feed()
        await asyncio.sleep(max(0.0, end - self.now))
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
        until = self.now + 3600
        report = await self.driver.set_power(power_w, until, snapshot, previous_w)
        self._stands(power_w, lambda: self.driver.keep_alive(power_w, until, snapshot))
        return report.power_w

    async def stop(self, snapshot: Snapshot | None) -> WriteReport:
        """Zero, held: said again where the device would forget it."""
        report = await self.driver.stop(snapshot)
        self._stands(0.0, lambda: self.driver.stop(snapshot))
        return report

    async def release(self, snapshot: Snapshot | None, marks: Sequence[Mark] = ()) -> WriteReport:
        """Give back."""
        self._feed = None
        return await self.driver.release(snapshot, marks)

    def _stands(self, power_w: float, feed: Callable[[], Awaitable[object]]) -> None:
        """From now on this is fed, as often as its route says, where the device has a timer."""
        route = self.driver.capabilities().route(Direction.of(power_w))
        timed = route is not None and route.deadman is Deadman.TIMEOUT
        self._feed_s = (route.feed_s if route is not None else None) or FEED_S
        self._feed, self._fed_at = (feed if timed else None), self.now

    def stray_writes(self) -> list[str]:
        """Writes to anything that neither a sequence of the map owns nor the login."""
        return self.strays(self.login_writes)
