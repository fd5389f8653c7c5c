"""One process of the edge at the simulated site: core's own parts, over a wire and a broker in memory.

"Killed" means that not one more line of it runs; its successor finds what its store held at that very moment.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from samspel.admission.freshness import FreshnessRules
from samspel.admission.gate import Admission, Order, Rules
from samspel.bus.endpoint import Endpoint
from samspel.bus.profile import BusProfile
from samspel.bus.url import BusUrl, parse_url
from samspel.clock import LoopClock
from samspel.connect import profile_of
from samspel.contract.command import Rank
from samspel.contract.errors import WrongDevice
from samspel.contract.ports import BusLink, Inbound, Outbound
from samspel.control.state import Policy
from samspel.device import Device, DeviceLimits, expected_serial
from samspel.driver.map_driver import MapDriver
from samspel.driver.options import DriverOptions
from samspel.edge import Edge, Rates, Station, offline_message
from samspel.field_maps.folder import Found, MapFolder
from samspel.field_maps.keeper import MapKeeper
from samspel.outlet import Outlet
from samspel.shaping.chain import Chain
from samspel.shaping.filter import Filter
from samspel.shaping.gate import Gate
from samspel.shaping.limits import BatteryLimits, ContractLimits
from samspel.store.memory import MemoryStore
from samspel.transport.memory import MemoryBroker, MemoryTransport

from samspel_contract.target import Target
from samspel_contract.wire import Wire

__all__ = ["CALM", "DEVICE", "QUIET", "RANKS", "SITE", "Life", "Setting", "end_tasks"]

SITE, DEVICE = "site-0001", "battery"
DISPATCHER, INSTALLER = "fleet", "installer"
RANKS: Mapping[str, Rank] = {DISPATCHER: Rank.DISPATCHER, INSTALLER: Rank.INSTALLER}
MOST_W = 5000.0
WINDOW_PCT = (5.0, 95.0)

CALM = Rates(fast_s=5.0, slow_s=60.0, static_s=3600.0, faults_s=30.0)
QUIET = Rates(fast_s=1e6, slow_s=1e6, static_s=1e6, faults_s=1e6)
"""No polling after the first: only commands make requests."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What every process of one site has in common. `most_w` are the contract's limits, each way; `shaping` is what
    stands between those and the battery's own. What a process draws at random comes from `seed` and its own number.
    `maps` is the box's folder of corrected maps.
    """

    target: Target
    broker: MemoryBroker
    clock: LoopClock
    rates: Rates = CALM
    policy: Policy = field(default_factory=Policy)
    most_w: float = MOST_W
    ranks: Mapping[str, Rank] = field(default_factory=lambda: RANKS)
    seed: int = 1
    shaping: Sequence[Filter[Any] | Gate] = ()
    maps: Path | None = None


async def end_tasks(tasks: set[asyncio.Task[Any]]) -> None:
    """Cancel them, always in the same order, and see them end."""
    for task in sorted(tasks, key=lambda task: task.get_name()):
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class _Voice(MemoryTransport):
    """A process that dies in the middle of a write says nothing more, though its tasks end a little later."""

    def __init__(self, broker: MemoryBroker, client_id: str, dead: asyncio.Event) -> None:
        super().__init__(broker, client_id)
        self._dead = dead

    async def publish(self, message: Outbound) -> None:
        if self._dead.is_set():
            await asyncio.Event().wait()
        await super().publish(message)

    def acknowledge(self, message: Inbound) -> None:
        """What it had not acknowledged when it died, the broker has for its successor."""
        if not self._dead.is_set():
            super().acknowledge(message)


class Life:
    """From `start` to `kill` or `terminate`."""

    def __init__(self, setting: Setting, number: int, store: MemoryStore, wire: Wire) -> None:
        self.setting, self.store, self.wire = setting, store, wire
        self._left: MemoryStore | None = None
        wire.on_death = self._remember
        self._transport = _Voice(setting.broker, SITE, wire.dead)
        self.edge = self._build(f"run-{number}")
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def device(self) -> Device:
        """What its stations share."""
        return self.edge.devices[DEVICE]

    @property
    def profile(self) -> BusProfile:
        """How the device is spoken to."""
        return profile_of(self.setting.target.path, self._url)

    @property
    def _url(self) -> BusUrl:
        port, unit = self.setting.target.path.port, self.wire.twin.behaviour.unit
        return parse_url(f"modbus-tcp://device:{port}?unit={unit}")

    @property
    def phase(self) -> str:
        """Control's word for who holds the battery."""
        return self.device.controller.state.phase.value

    async def start(self) -> None:
        """Every loop runs."""
        self._bystanders = asyncio.all_tasks()
        await self.edge.start()

    async def kill(self) -> MemoryStore:
        """SIGKILL. Returns what its successor finds."""
        if self._left is None:
            self._remember()
        assert self._left is not None
        self.wire.dead.set()
        self.setting.broker.cut(SITE)
        await end_tasks(asyncio.all_tasks() - self._bystanders)
        self.setting.broker.disconnect(self._transport)
        return self._left

    async def terminate(self) -> MemoryStore:
        """SIGTERM: it hands over first."""
        await self.edge.stop()
        return await self.kill()

    def _remember(self) -> None:
        """What a disk would hold at this moment."""
        self._left = MemoryStore()
        self._left.journal._documents.update(self.store.journal._documents)
        for row, droppable in self.store.outbox.rows():
            self._left.outbox.add(row.message, droppable=droppable)

    # --- as `samspel.assembly` does it ---

    def _build(self, run_id: str) -> Edge:
        setting, clock = self.setting, self.setting.clock
        rng = random.Random(f"{setting.seed}/{run_id}")
        outlet = Outlet(SITE, run_id, self.store.outbox, clock)
        self._transport.will = offline_message(SITE, outlet, clock)
        order = Order.from_json(self.store.journal.get(f"{DEVICE}/order") or {})
        rules = Rules(site=SITE, devices=frozenset({DEVICE}), ranks=setting.ranks, freshness=FreshnessRules())
        return Edge(
            site=SITE,
            stations={DEVICE: self._station(outlet, rng)},
            transport=self._transport,
            admission=Admission(rules, {DEVICE: order}),
            outlet=outlet,
            outbox=self.store.outbox,
            journal=self.store.journal,
            clock=clock,
            rng=rng,
            versions={setting.target.dist or setting.target.name: setting.target.version},
            nonce_s=30.0,
            log_sample=self.store.oplog.log_sample,
        )

    def _station(self, outlet: Outlet, rng: random.Random) -> Station:
        setting, journal = self.setting, self.store.journal
        most_w, (low, high) = setting.most_w, WINDOW_PCT
        limits = DeviceLimits(charge_w=most_w, discharge_w=most_w, soc_min_pct=low, soc_max_pct=high)
        chain = Chain(
            [
                ContractLimits(charge_w=most_w, discharge_w=most_w),
                *setting.shaping,
                BatteryLimits(soc_min_pct=low, soc_max_pct=high),
            ]
        )
        url = self._url
        endpoint = Endpoint(url.host, url.port, self.profile, setting.clock, rng=rng, connector=self.wire.connect)

        async def confirm(raw: BusLink) -> None:
            try:
                await driver.confirm(raw)
            except WrongDevice as error:
                device.wrong_device(error)
                raise

        link = endpoint.link(url.unit or 0, confirm)
        options = DriverOptions(expected_serial=expected_serial(None, DEVICE, journal, setting.clock))
        driver = setting.target.driver(link, setting.clock, options=options)
        maps = self._map_keeper(driver)
        device = Device(DEVICE, driver, chain, outlet, journal, setting.clock, setting.policy, limits, maps=maps)
        return Station(
            device=device,
            rates=setting.rates,
            serve=endpoint.run,
            watch=link.on_link,
            tend=driver.tend_session if setting.target.path.session else None,
        )

    def _map_keeper(self, driver: MapDriver) -> MapKeeper | None:
        """The folder is read in line, since simulated time knows no threads."""
        setting = self.setting
        if setting.maps is None:
            return None
        folder = MapFolder(setting.maps / setting.target.manifest.name, driver.load_map)
        return MapKeeper(DEVICE, driver, folder, self.store.journal, _in_line)


async def _in_line(work: Callable[[], Found]) -> Found:
    return work()
