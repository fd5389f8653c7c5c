"""A whole site under test, in simulated time: twin, wire, bus, driver, core's own path, store, broker, dispatcher.

Only the outermost parts are stand-ins: no socket, no disk, no clock but the event loop's.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from samspel.clock import LoopClock
from samspel.contract.capability import Capabilities, Direction, Route
from samspel.contract.command import Rank
from samspel.contract.ports import Inbound, Outbound
from samspel.control.state import Policy
from samspel.edge import Rates
from samspel.shaping.filter import Filter
from samspel.shaping.gate import Gate
from samspel.store.memory import MemoryStore
from samspel.transport.memory import MemoryBroker, MemoryTransport
from samspel_sim.behaviour import TwinOptions
from samspel_sim.twin import Twin

from samspel_contract.conversation import Conversation, Message, stamped
from samspel_contract.edge import CALM, DEVICE, DISPATCHER, MOST_W, RANKS, SITE, Life, Setting, end_tasks
from samspel_contract.rig import LATENCY_S, REST_W, STEP_S
from samspel_contract.target import Target
from samspel_contract.upward import leaks
from samspel_contract.view import TwinView
from samspel_contract.wire import Wire

__all__ = ["TOLERANCE_W", "Message", "Site", "make_twin", "open_site", "opened"]

TOLERANCE_W = 150.0
"""A battery this close to its target follows it."""

PATIENCE_S = 600.0
LOOK_S = 0.25


def make_twin(target: Target, *, soc_pct: float, pv_w: float, load_w: float, seed: int, step_s: float = STEP_S) -> Twin:
    """A device of the driver under test in a home that stands still."""
    clock = asyncio.get_running_loop().time
    twin = Twin(target.twin(TwinOptions(soc_pct=soc_pct, seed=seed)), clock=clock, seed=seed, step_s=step_s)
    twin.set({"pv_power_w": pv_w, "load_power_w": load_w})
    return twin


@dataclass
class Site(TwinView, Conversation):
    """`life` is the process that runs now."""

    setting: Setting
    life: Life = field(init=False)
    untouched: dict[str, tuple[int, ...] | None] = field(default_factory=dict)
    _raw: list[Inbound] = field(default_factory=list)
    _lives: int = 0
    _capabilities: Capabilities | None = None

    async def listen(self) -> None:
        """Hear everything that leaves the site, and be able to command."""
        broker = self.setting.broker
        self._listener, self._publisher = MemoryTransport(broker, "listener"), MemoryTransport(broker, "dispatcher")
        await self._listener.start([f"samspel/v1/{SITE}/#"], self._hear, lambda _: None)
        await self._publisher.start([], lambda _: None, lambda _: None)

    def _hear(self, message: Inbound) -> None:
        self._listener.acknowledge(message)
        if self.hear(message.topic, message.payload, _at=self.now) is not None:
            self._raw.append(message)

    def drain(self) -> list[Message]:
        """See `Conversation`."""
        self._raw = []
        return super().drain()

    def leaks(self) -> list[str]:
        """What is wrong with the messages that left the site; see `upward`."""
        return leaks(self._raw, self.target.manifest.words)

    # --- lives ---

    def wire(self) -> Wire:
        """What the next process is connected to the device by."""
        return Wire(self.twin)

    async def begin(self, store: MemoryStore | None = None, *, die_before: int | None = None) -> Life:
        """Start an edge, on what an earlier one left; it may run on in the background. `die_before`: see `Wire`."""
        self._lives += 1
        self.life = Life(self.setting, self._lives, store or MemoryStore(), self.wire())
        self.life.wire.die_before = die_before
        self.setting.broker.heal(SITE)
        await self.life.start()
        return self.life

    async def settled(self) -> Life:
        """A fresh edge that knows its device and commands nothing. `untouched` is how the device is now."""
        life = await self.begin()
        await self.until(lambda: not life.device.controller.state.unsettled, what="the edge knows its device")
        await self.wait(5.0)
        self.untouched, self._capabilities = self.owned(), self.capabilities
        return life

    # --- what the device can do ---

    @property
    def capabilities(self) -> Capabilities:
        """The record that control works by; that of the process before, while the present one has none yet."""
        self._capabilities = self.life.device.controller.state.capabilities or self._capabilities
        assert self._capabilities is not None, "the device has not been identified"
        return self._capabilities

    def route(self, power_w: float) -> Route:
        """The route that a power takes."""
        found = self.capabilities.route(Direction.of(power_w))
        assert found is not None, f"no route for {power_w:g} W"
        return found

    def settle_s(self, power_w: float) -> float:
        """How long the battery may take to follow."""
        latency_s = self.route(power_w).latency_s
        return 2 * (LATENCY_S if latency_s is None else latency_s) + 10

    # --- commands ---

    def command(
        self,
        kind: str,
        *,
        issuer: str = DISPATCHER,
        ttl_s: float = 120.0,
        age_s: float = 0.0,
        **fields: Any,  # noqa: ANN401 - whatever the contract's fields hold
    ) -> Message:
        """A command of the contract, as JSON. A set-point accepts whatever kind of following its route offers."""
        if kind == "set_power":
            fields.setdefault("accept", self.route(fields["power_w"]).authority.value)
        issued_at = self.setting.clock.wall() - timedelta(seconds=age_s)
        return self.say(kind, target=f"{SITE}/{DEVICE}", issuer=issuer, issued_at=issued_at, ttl_s=ttl_s, **fields)

    def stamp(self, in_s: float) -> str:
        """The site's own time so many seconds from now, as a message says it."""
        return stamped(self.setting.clock.wall() + timedelta(seconds=in_s))

    async def publish(self, command: Mapping[str, Any], *, retain: bool = False) -> str:
        """To the broker; the command's id."""
        topic = f"samspel/v1/{SITE}/{DEVICE}/command"
        await self._publisher.publish(Outbound(topic=topic, payload=json.dumps(command).encode(), retain=retain))
        return str(command["id"])

    async def send(self, kind: str, *, ttl_s: float = 120.0, retain: bool = False, **fields: Any) -> str:  # noqa: ANN401 - whatever the contract's fields hold
        """Make and publish."""
        return await self.publish(self.command(kind, ttl_s=ttl_s, **fields), retain=retain)

    async def followed(self, power_w: float, *, ttl_s: float = PATIENCE_S, **fields: Any) -> str:  # noqa: ANN401 - whatever the contract's fields hold
        """Command a power, for long unless `ttl_s` says otherwise, and see the battery follow it."""
        command = await self.publish(self.command("set_power", power_w=power_w, ttl_s=ttl_s, **fields))
        await self.outcome(command, stage="verified")
        await self.until(lambda: self.follows(power_w), self.settle_s(power_w), f"the battery follows {power_w:g} W")
        return command

    # --- what came of it ---

    async def outcome(self, command_id: str, *, within_s: float = PATIENCE_S, **wanted: object) -> Message:
        """Wait for it."""
        await self.until(lambda: self.found(command_id, **wanted) is not None, within_s, f"{command_id}: {wanted}")
        found = self.found(command_id, **wanted)
        assert found is not None
        return found

    # --- time and truth ---

    @property
    def now(self) -> float:
        """Monotonic seconds."""
        return self.setting.clock.monotonic()

    async def wait(self, seconds: float) -> None:
        """Let simulated time pass, physics included."""
        await asyncio.sleep(seconds)
        self.twin.advance()

    async def until(self, holds: Callable[[], bool], within_s: float = PATIENCE_S, what: str = "") -> None:
        """Let it pass until this holds."""
        give_up = self.now + within_s
        while not holds():
            assert self.now < give_up, f"not within {within_s:g} s: {what}\n{self.story()}"
            await asyncio.sleep(LOOK_S)

    def follows(self, power_w: float) -> bool:
        """Whether the battery does this now."""
        return abs(self.battery_w - power_w) <= max(TOLERANCE_W, 0.1 * abs(power_w))

    @property
    def at_rest(self) -> bool:
        """Whether it neither charges nor discharges."""
        return abs(self.battery_w) <= max(REST_W, self.route(0.0).dead_zone_w)

    def disturbed(self) -> list[str]:
        """Owned registers that are not as they were before anything was commanded, but for what release may leave."""
        left = self.target.declaration.left_on_release
        owned = self.owned()
        return [name for name, words in owned.items() if words != self.untouched[name] and name not in left]

    async def given_back(self, within_s: float = 90.0) -> None:
        """Wait for every register as it was, and control released."""
        await self.until(lambda: not self.disturbed(), within_s, f"given back: {self.disturbed()}")
        await self.until(lambda: self.life.phase == "released", within_s, self.life.phase)


AnySite = TypeVar("AnySite", bound=Site)


@asynccontextmanager
async def opened(site: AnySite) -> AsyncIterator[AnySite]:
    """Its messages are heard; at the end nothing of it runs on."""
    await site.listen()
    try:
        yield site
    finally:
        await end_tasks(asyncio.all_tasks() - {task for task in [asyncio.current_task()] if task is not None})


@asynccontextmanager
async def open_site(
    target: Target,
    *,
    rates: Rates = CALM,
    policy: Policy | None = None,
    most_w: float = MOST_W,
    soc_pct: float = 50.0,
    pv_w: float = 0.0,
    load_w: float = 3000.0,
    seed: int = 1,
    step_s: float = STEP_S,
    ranks: Mapping[str, Rank] | None = None,
    shaping: Sequence[Filter[Any] | Gate] = (),
    maps: Path | None = None,
) -> AsyncIterator[Site]:
    """A home whose own logic discharges into the house. Nothing runs yet: `begin` or `settled` starts an edge."""
    clock = LoopClock()
    twin = make_twin(target, soc_pct=soc_pct, pv_w=pv_w, load_w=load_w, seed=seed, step_s=step_s)
    setting = Setting(
        target=target,
        broker=MemoryBroker(clock, max_queued=5000),
        clock=clock,
        rates=rates,
        policy=policy or Policy(),
        most_w=most_w,
        ranks=ranks or RANKS,
        seed=seed,
        shaping=shaping,
        maps=maps,
    )
    async with opened(Site(target, twin, setting)) as site:
        yield site
