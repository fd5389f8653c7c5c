"""A whole home in simulated time: edge, bus, broker in memory, and a twin behind a wire that can be cut anywhere.

Only the outermost parts are stand-ins: no socket, no disk, no clock but the event loop's. A process is "killed" by
letting none of its tasks run another line, and its successor finds what its store held at that very moment.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from samspel.admission.freshness import FreshnessRules
from samspel.admission.gate import Admission, Order, Rules
from samspel.bus.connection import Answer
from samspel.bus.endpoint import Endpoint
from samspel.bus.profile import BusProfile
from samspel.bus.url import parse_url
from samspel.clock import LoopClock
from samspel.connect import Connected, attach, choose_path, profile_of
from samspel.contract.command import Rank
from samspel.contract.errors import LinkDown, NoAnswer
from samspel.contract.ports import Inbound, Outbound
from samspel.control.state import Policy
from samspel.device import Device, DeviceLimits, expected_serial
from samspel.driver.manifest import load_manifest
from samspel.driver.options import DriverOptions
from samspel.edge import Edge, Rates, Station, offline_message
from samspel.field_maps.folder import Found, MapFolder
from samspel.field_maps.keeper import MapKeeper
from samspel.outlet import Outlet
from samspel.plugins.loader import LoadedDriver, load_driver
from samspel.shaping.chain import Chain
from samspel.shaping.gate import Gate
from samspel.shaping.limits import BatteryLimits, ContractLimits
from samspel.shaping.wear import WearBudget
from samspel.store.memory import MemoryStore
from samspel.transport.memory import MemoryBroker, MemoryTransport
from samspel_sim.behaviour import TwinOptions
from samspel_sim.testing import simulated_twin
from samspel_sim.twin import Close, Twin

SITE, DEVICE = "home-0001", "battery"
RANKS = {
    "fleet-a": Rank.DISPATCHER,
    "fleet-b": Rank.DISPATCHER,
    "installer": Rank.INSTALLER,
    "family": Rank.HOUSEHOLD,
}
READ_ONLY_FUNCTIONS = (3, 4)
ANSWER_S = 0.02

OWNED = (
    "forcible_charge_power",
    "forcible_discharge_power",
    "forced_period",
    "forcible_mode",
    "forcible_command",
    "storage_max_charging_power",
    "storage_max_discharging_power",
)
"""What a command may change on the device, in the twin's own words."""


@dataclass
class Wire:
    """Everything between one edge and the twin. `die_before`: the edge dies at its n-th request, which is not sent.

    `written` are the writes that reached the device. With `counting` off, requests are not numbered.
    """

    twin: Twin
    die_before: int | None = None
    counting: bool = False
    requests: int = 0
    written: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)
    dead: asyncio.Event = field(default_factory=asyncio.Event)
    on_death: Callable[[], None] = lambda: None
    latency_s: float = ANSWER_S

    async def connect(self, host: str, port: int, profile: BusProfile, on_lost: Callable[[], None]) -> WireConnection:
        return WireConnection(self, on_lost)

    def about_to_send(self) -> bool:
        """Whether the edge lives to send this request."""
        if self.counting and not self.dead.is_set():
            if self.requests == self.die_before:
                self.on_death()
                self.dead.set()
            self.requests += 1
        return not self.dead.is_set()


class WireConnection:
    """One connection to the twin, as `samspel.bus` sees it."""

    def __init__(self, wire: Wire, on_lost: Callable[[], None]) -> None:
        self._wire, self._on_lost = wire, on_lost
        session = wire.twin.open(self._dropped)
        if session is None:
            raise LinkDown("the twin refuses connections")
        self._session = session
        self.alive = True

    def _dropped(self, how: Close) -> None:
        if self.alive:
            self.alive = False
            self._on_lost()

    async def transact(self, unit: int, function: int, payload: bytes, timeout_s: float) -> Answer:
        if not self._wire.about_to_send():
            await asyncio.Event().wait()
        reply = self._session.receive(unit, bytes([function]) + payload)
        if function not in READ_ONLY_FUNCTIONS and reply.pdu is not None:
            self._wire.written.append((int.from_bytes(payload[:2], "big"), tuple(payload[2:])))
        if reply.close is not Close.NO:
            self._dropped(reply.close)
            raise NoAnswer("the twin hung up")
        if reply.pdu is None:
            await asyncio.sleep(timeout_s)
            raise NoAnswer("the twin is silent")
        await asyncio.sleep(self._wire.latency_s + reply.delay_s)
        self._session.answered()
        if not self.alive:
            raise NoAnswer("the connection was lost before the answer")
        return Answer(reply.pdu[0], reply.pdu[1:])

    def close(self) -> None:
        self._session.close()
        self.alive = False

    def reset(self) -> None:
        self.close()


class Life:
    """One process of the edge, from its start to its end by `kill` or `terminate`."""

    def __init__(self, home: Home, store: MemoryStore, wire: Wire) -> None:
        self.home, self.store, self.wire = home, store, wire
        self.left: MemoryStore | None = None
        wire.on_death = self._remember
        self.transport = MemoryTransport(home.broker, SITE)
        self.edge = self._build()
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def device(self) -> Device:
        return self.edge.devices[DEVICE]

    @property
    def phase(self) -> str:
        return self.device.controller.state.phase.value

    async def start(self) -> None:
        before = asyncio.all_tasks()
        await self.edge.start()
        self._tasks = asyncio.all_tasks() - before

    def _remember(self) -> None:
        """What a disk would hold at this moment."""
        self.left = MemoryStore()
        self.left.journal._documents.update(self.store.journal._documents)
        for row, droppable in self.store.outbox.rows():
            self.left.outbox.add(row.message, droppable=droppable)

    async def kill(self) -> MemoryStore:
        """SIGKILL: not one more line of it runs. Returns what its successor finds."""
        if self.left is None:
            self._remember()
        assert self.left is not None
        self.wire.counting, self.wire.die_before = True, self.wire.requests
        self.wire.dead.set()
        self.home.broker.cut(SITE)
        await _end(asyncio.all_tasks() - self.home.bystanders)
        self.home.broker.disconnect(self.transport)
        return self.left

    async def terminate(self) -> MemoryStore:
        """SIGTERM."""
        await self.edge.stop()
        return await self.kill()

    def _build(self) -> Edge:
        """As `samspel.assembly` does it, over the wire and the broker in memory."""
        home, clock, rng = self.home, self.home.clock, random.Random(1)
        outlet = Outlet(SITE, f"run-{home.lives}", self.store.outbox, clock)
        self.transport.will = offline_message(SITE, outlet, clock)
        connected = attach(
            home.brand,
            home.url,
            clock,
            rng,
            options=DriverOptions(expected_serial=expected_serial(None, DEVICE, self.store.journal, clock)),
            endpoint=Endpoint("twin", 502, home.profile, clock, rng=rng, connector=self.wire.connect),
        )
        limits_w, window = {"charge_w": 5000, "discharge_w": 5000}, {"soc_min_pct": 10, "soc_max_pct": 95}
        limits = DeviceLimits(**limits_w, **window)
        chain = Chain([ContractLimits(**limits_w), Gate(), WearBudget(), BatteryLimits(**window)])
        keeper = self._map_keeper(connected)
        device = Device(DEVICE, connected.driver, chain, outlet, self.store.journal, clock, home.policy, limits, keeper)
        connected.wrong_device.append(device.wrong_device)
        order = Order.from_json(self.store.journal.get(f"{DEVICE}/order") or {})
        rules = Rules(site=SITE, devices=frozenset({DEVICE}), ranks=RANKS, freshness=FreshnessRules())
        return Edge(
            site=SITE,
            stations={
                DEVICE: Station(
                    device=device,
                    rates=home.rates,
                    serve=connected.endpoint.run,
                    watch=connected.link.on_link,
                )
            },
            transport=self.transport,
            admission=Admission(rules, {DEVICE: order}),
            outlet=outlet,
            outbox=self.store.outbox,
            journal=self.store.journal,
            clock=clock,
            rng=rng,
            versions={},
            nonce_s=30.0,
            log_sample=self.store.oplog.log_sample,
        )

    def _map_keeper(self, connected: Connected) -> MapKeeper | None:
        """As `samspel.assembly.map_keeper`, but the disk is read in line: simulated time knows no threads."""
        if self.home.maps is None:
            return None
        folder = MapFolder(self.home.maps / connected.manifest.name, connected.driver.load_map)
        return MapKeeper(DEVICE, connected.driver, folder, self.store.journal, _in_line)


async def _in_line(work: Callable[[], Found]) -> Found:
    return work()


async def _end(tasks: set[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class Home:
    """A twin, a broker and a dispatcher; `life` is the edge that runs now."""

    def __init__(self, twin: Twin, clock: LoopClock, rates: Rates, policy: Policy, maps: Path | None = None) -> None:
        self.twin, self.clock, self.rates, self.policy, self.maps = twin, clock, rates, policy, maps
        self.broker = MemoryBroker(clock, max_queued=5000)
        self.messages: list[dict[str, Any]] = []
        self._outcomes: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        self.brand = brand()
        self.url = parse_url("modbus-tcp://twin:502?unit=1")
        self.profile = profile_of(choose_path(load_manifest(self.brand.manifest), self.url, None), self.url)
        self.lives = 0
        self.untouched: dict[str, int] = {}
        self.bystanders: set[asyncio.Task[Any]] = set()
        self._seq = 0
        self._listener = MemoryTransport(self.broker, "listener")
        self._publisher = MemoryTransport(self.broker, "publisher")
        self.life: Life

    async def listen(self) -> None:
        await self._listener.start([f"samspel/v1/{SITE}/#"], self._hear, lambda _: None)
        await self._publisher.start([], lambda _: None, lambda _: None)
        self.bystanders = asyncio.all_tasks()

    def _hear(self, message: Inbound) -> None:
        self._listener.acknowledge(message)
        leaf = message.topic.rsplit("/", 1)[-1]
        if leaf == "command":
            return
        heard = {**json.loads(message.payload), "_leaf": leaf, "_at": self.clock.monotonic()}
        self.messages.append(heard)
        if leaf == "outcome":
            self._outcomes[heard["command_id"]].append(heard)

    # --- lives ---

    async def begin(self, store: MemoryStore | None = None, **wire: Any) -> Life:
        """Start an edge, on what an earlier one left."""
        self.lives += 1
        self.life = Life(self, store or MemoryStore(), Wire(self.twin, **wire))
        self.broker.heal(SITE)
        await self.life.start()
        return self.life

    async def settled(self) -> Life:
        """A fresh edge that knows its device and commands nothing."""
        life = await self.begin()
        await self.until(lambda: not life.device.controller.state.unsettled)
        await self.pass_time(5.0)
        return life

    # --- commands ---

    def command(
        self, kind: str, *, issuer: str = "fleet-a", age_s: float = 0.0, ttl_s: float = 120.0, **fields: Any
    ) -> dict[str, Any]:
        self._seq += 1
        issued = self.clock.wall() - timedelta(seconds=age_s)
        return {
            "schema": "command/1.0",
            "id": f"{issuer}-{self._seq}",
            "issuer": issuer,
            "epoch": 1,
            "seq": self._seq,
            "issued_at": issued.isoformat(timespec="milliseconds"),
            "ttl_s": ttl_s,
            "target": f"{SITE}/{DEVICE}",
            "kind": kind,
            **fields,
        }

    async def publish(self, command: Mapping[str, Any], *, retain: bool = False) -> str:
        topic = f"samspel/v1/{SITE}/{DEVICE}/command"
        await self._publisher.publish(Outbound(topic=topic, payload=json.dumps(command).encode(), retain=retain))
        return str(command["id"])

    async def send(self, kind: str, *, retain: bool = False, **fields: Any) -> str:
        return await self.publish(self.command(kind, **fields), retain=retain)

    # --- what came of it ---

    def outcomes(self, command_id: str) -> list[dict[str, Any]]:
        return self._outcomes[command_id]

    def found(self, command_id: str, **wanted: Any) -> dict[str, Any] | None:
        """The first outcome of a command with these fields."""
        fits = (one for one in self.outcomes(command_id) if all(one.get(key) == wanted[key] for key in wanted))
        return next(fits, None)

    def ends(self, command_id: str) -> list[str]:
        """Its ends, each counted once however often the message came."""
        ended = {(one["boot_id"], one["seq"]): one["end"] for one in self.outcomes(command_id) if "end" in one}
        return list(ended.values())

    async def outcome(self, command_id: str, *, within_s: float = 600.0, **wanted: Any) -> dict[str, Any]:
        await self.until(lambda: self.found(command_id, **wanted) is not None, within_s, f"{command_id}: {wanted}")
        found = self.found(command_id, **wanted)
        assert found is not None
        return found

    def faults(self, code: str) -> list[str]:
        return [one["state"] for one in self.messages if one["_leaf"] == "fault" and one["code"] == code]

    async def pass_time(self, seconds: float) -> None:
        """Simulated seconds pass, whatever happens."""
        await asyncio.sleep(seconds)

    async def until(self, holds: Callable[[], bool], within_s: float = 600.0, what: str = "") -> None:
        """Simulated seconds pass until it holds."""
        give_up = self.clock.monotonic() + within_s
        while not holds():
            assert self.clock.monotonic() < give_up, f"not within {within_s:g} s: {what}\n{self.story()}"
            await asyncio.sleep(0.1)

    def story(self) -> str:
        """The last of what was said, for a failing test."""
        shown = [one for one in self.messages if one["_leaf"] in ("outcome", "fault")][-25:]
        keys = ("command_id", "stage", "deviation", "end", "code", "state", "reason", "text")
        return "\n".join(f"{one['_at']:9.2f}  " + " · ".join(str(one[k]) for k in keys if one.get(k)) for one in shown)

    # --- the device ---

    def registers(self) -> dict[str, int]:
        """The owned registers, straight from the twin's memory."""
        self.twin.advance()
        bank = self.twin.behaviour.banks[self.twin.behaviour.unit]
        return {name: bank.raw(name) for name in OWNED}

    @property
    def battery_w(self) -> float:
        self.twin.advance()
        return float(self.twin.behaviour.home.flows.battery_w)

    def write_names(self) -> list[str]:
        return [str(one["name"]) for one in self.twin.writes]


QUIET = Rates(fast_s=1e6, slow_s=1e6, static_s=1e6, faults_s=1e6)
"""No polling after the first: every request counts, and only commands make any."""
LIVELY = Rates(fast_s=2.0, slow_s=30.0, static_s=3600.0, faults_s=10.0)


@cache
def brand() -> LoadedDriver:
    return load_driver("huawei")


@asynccontextmanager
async def simulated_home(
    *,
    rates: Rates = LIVELY,
    policy: Policy | None = None,
    options: TwinOptions | None = None,
    maps: Path | None = None,
) -> AsyncIterator[Home]:
    clock = LoopClock()
    options = options or TwinOptions(soc_pct=60.0, seed=7)
    twin = simulated_twin("huawei", asyncio.get_running_loop().time, options)
    twin.set({"pv_power_w": 0.0, "load_power_w": 500.0})
    home = Home(twin, clock, rates, policy or Policy(), maps)
    await home.listen()
    try:
        yield home
    finally:
        await _end(asyncio.all_tasks() - {task for task in [asyncio.current_task()] if task is not None})
