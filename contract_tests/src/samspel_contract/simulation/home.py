"""The simulated home: a site of the suite with everything that can happen to it, and the stream of what does."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from samspel.store.memory import MemoryStore

from samspel_contract.edge import SITE, Life
from samspel_contract.rig import LATENCY_S, REST_W
from samspel_contract.simulation.declared import Declared
from samspel_contract.simulation.events import Disturbed, Event, Heard, Looked, Terms, Wrote
from samspel_contract.site import Site
from samspel_contract.wire import Write

__all__ = ["Home"]

QUIET_OUTBOX = 5
"""With so few messages waiting, everything that was to be said has been heard."""

SETTLED_AGAIN_S = 180.0
"""After somebody else's commands: how long control has been released before what stands counts as the household's."""

GRACE_S = 150.0


@dataclass
class Home:
    """`events` is the stream since it was last drained; `strange` are the raw registers of a second master."""

    site: Site
    seed: int
    strange: Mapping[str, int]
    events: list[Event] = field(default_factory=list)
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    nonce: str | None = None
    _began: float = 0.0
    _troubles: set[str] = field(default_factory=set)
    _calm_since: float = 0.0
    _heard_since: float = 0.0
    _is_meddled: bool = False
    _first: Mapping[str, tuple[int, ...] | None] = field(default_factory=dict)
    _left: MemoryStore | None = None
    _is_mqtt_out: bool = False
    _is_disk_full: bool = False
    _boots: int = 1

    def __post_init__(self) -> None:
        self.rng = cache(lambda name: random.Random(f"{self.seed}/{name}"))
        self.twin = self.site.twin
        self.declared = Declared(self.site.target.registers, self._present)

    async def open(self) -> None:
        """The first process knows its device; from here time is counted from zero."""
        life = await self.site.settled()
        self._watch(life)
        self._first = self.site.untouched
        self._began = self._calm_since = self._heard_since = self.site.now
        self.site.drain()
        self.ready.set()

    @property
    def now_s(self) -> float:
        """Seconds since the simulation began."""
        return self.site.now - self._began

    @property
    def true_wall_offset_s(self) -> float:
        """What the site's wall clock is wrong by."""
        return self.site.setting.clock.wall_offset_s

    def terms(self) -> Terms:
        """What the invariants hold it to."""
        target, capabilities = self.site.target, self.site.capabilities
        zero_w = max((route.dead_zone_w for route in capabilities.routes), default=0.0)
        latencies = [LATENCY_S if route.latency_s is None else route.latency_s for route in capabilities.routes]
        wakes = [route.wake_s or 0.0 for route in capabilities.routes]
        rests = [route.reversal_dwell_s for route in capabilities.routes if self.declared.map.sequences["reverse"]]
        return Terms(
            most_w=self.site.setting.most_w,
            soc_min_pct=5.0,
            soc_max_pct=95.0,
            stop_s=target.declaration.stop_s,
            rest_w=max(REST_W, zero_w),
            settle_s=2 * max(latencies, default=LATENCY_S) + max(wakes, default=0.0) + 30.0,
            grace_s=GRACE_S,
            rest_between_s=max(rests, default=0.0),
            stop_hold_max_s=self.site.setting.policy.stop_hold_max_s,
            declared=self.declared.addresses,
        )

    # --- what happens to it ---

    def trouble(self, what: str, *, on: bool, detail: str = "") -> None:
        """Something is out of order, or in order again."""
        (self._troubles.add if on else self._troubles.discard)(what)
        self._calm_since = self.site.now
        self.note(what, on=on, detail=detail)

    def note(self, what: str, *, on: bool, detail: str = "") -> None:
        """Into the stream."""
        self.events.append(Disturbed(at_s=self.now_s, what=what, on=on, detail=detail))

    def set_cable(self, *, out: bool) -> None:
        """Between edge and device; it stays out for a process that begins meanwhile."""
        self.trouble("cable", on=out)
        wire = self.site.life.wire
        wire.cut() if out else wire.mend()

    def set_mqtt(self, *, out: bool) -> None:
        """Between edge and broker; what is commanded meanwhile waits at the broker."""
        self.note("mqtt", on=out)
        self._is_mqtt_out, self._heard_since = out, self.site.now
        broker = self.site.setting.broker
        if out:
            broker.cut(SITE)
        elif self._left is None:
            broker.heal(SITE)

    def set_clock(self, *, offset_s: float, synchronised: bool) -> None:
        """The wall clock of the box."""
        clock = self.site.setting.clock
        clock.wall_offset_s, clock.is_synchronised = offset_s, synchronised
        self.note("clock", on=not synchronised, detail=f"{offset_s:+g} s")

    def set_disk(self, *, full: bool) -> None:
        """What must survive loss of power cannot be kept."""
        self._is_disk_full = self.site.life.store.journal.full = full
        self.note("disk_full", on=full)

    def misbehave(self, name: str, *, on: bool, **parameters: object) -> None:
        """The twin's own. Raises UnknownMisbehaviourError or OptionError."""
        entry = self.twin.misbehaviours.check(name, parameters)
        self.twin.misbehave(name, on, **parameters)
        self.trouble(name, on=on and not entry.momentary)
        self._is_meddled |= name == "second_master"

    def stranger_registers(self) -> Mapping[str, int]:
        """What a second master would write here."""
        return self.strange

    def new_boot(self) -> None:
        """The box itself has restarted."""
        self._boots += 1
        self.site.setting.clock.boot = f"boot-{self._boots}"
        self.note("boot", on=True)

    # --- its process ---

    async def end_life(self, *, gently: bool) -> None:
        """SIGTERM or SIGKILL; nothing where none runs."""
        if self._left is not None:
            return
        self.trouble("process", on=True, detail="SIGTERM" if gently else "SIGKILL")
        life = self.site.life
        self._left = MemoryStore()  # nobody else ends it while this does
        self._left = await (life.terminate() if gently else life.kill())

    async def begin_life(self) -> None:
        """The next process, on what the last one left; nothing where one runs."""
        if self._left is None:
            return
        store, self._left = self._left, None
        store.journal.full = self._is_disk_full
        life = await self.site.begin(store)
        self._watch(life)
        life.wire.is_cut = "cable" in self._troubles
        if self._is_mqtt_out:
            self.site.setting.broker.cut(SITE)
        self.trouble("process", on=False)

    def _watch(self, life: Life) -> None:
        life.wire.on_write = lambda write: self._wrote(life, write)

    def _wrote(self, life: Life, write: Write) -> None:
        state = life.device.controller.state
        lease = state.lease
        self.events.append(
            Wrote(
                at_s=self.now_s,
                address=write.address,
                words=write.words,
                names=self.declared.names(write.address, len(write.words)),
                power_w=self.declared.power_w(write.address, write.words),
                phase=state.phase.value,
                command_id=None if lease is None else lease.command_id,
            )
        )

    def _present(self, signal: str) -> float | None:
        stated = self.site.target.variant.constants.get(signal)
        reading = self.site.life.device.readings.get(signal)
        value = None if reading is None else reading.usable()
        return value if value is not None else stated

    # --- the stream ---

    def look(self) -> list[Event]:
        """What happened since the last look, in order, and the truth now."""
        self._forget()
        events, self.events = [*self.events, *self._heard()], []
        self._note_truth()
        return [*sorted(events, key=lambda event: event.at_s), self._looked()]

    def _heard(self) -> list[Heard]:
        heard = []
        for message in self.site.drain():
            self.nonce = message.get("nonce") or self.nonce
            plain = {key: value for key, value in message.items() if not key.startswith("_")}
            at_s = message["_at"] - self._began
            made_s = message["monotonic_s"] - self._began if "monotonic_s" in message else at_s
            heard.append(Heard(at_s=at_s, leaf=message["_leaf"], message=plain, made_s=made_s))
        return heard

    def _forget(self) -> None:
        """What a long simulation must not gather."""
        life = self.site.life
        life.wire.written.clear()
        life.store.oplog.samples.clear()

    def _note_truth(self) -> None:
        if self._troubles:
            self._calm_since = self.site.now
        if self._is_mqtt_out or len(self.site.life.store.outbox) > QUIET_OUTBOX:
            self._heard_since = self.site.now
        calm_s = self.site.now - self._calm_since
        if self._is_meddled and calm_s > SETTLED_AGAIN_S and self.site.life.phase == "released":
            self._is_meddled, self.site.untouched = False, self.site.owned()

    def _disturbed(self) -> list[str]:
        """What somebody else has left may stay, or go: a release sets some registers to neutral, whoever wrote them."""
        now, first = self.site.owned(), self._first
        return [name for name in self.site.disturbed() if now[name] != first[name]]

    def _looked(self) -> Looked:
        site = self.site
        return Looked(
            at_s=self.now_s,
            battery_w=site.battery_w,
            soc_pct=self.twin.behaviour.home.battery.soc_pct,
            phase=site.life.phase if self._left is None else "dead",
            calm_s=site.now - self._calm_since,
            heard_s=site.now - self._heard_since,
            disturbed=tuple(self._disturbed()),
            meddled=self._is_meddled,
        )
