"""One device: what its stations ③ to ⑤ share, one method a station, and what they report upward.

In which order they are called is in `pipeline.DevicePath`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from functools import partial

from samspel.contract.capability import Direction, Route, Verify
from samspel.contract.driver import ControlReading, ControlState, Driver, Identity, Json, Snapshot, WriteReport
from samspel.contract.errors import DeviceBusy, DeviceRefused, SamspelError, StoreError, WrongDevice
from samspel.contract.fault import FaultCode, Severity
from samspel.contract.outcome import Deviation, Evidence, Stage, Verification
from samspel.contract.ports import Clock, JournalPort
from samspel.contract.site import DeviceBirth, DeviceHeadroom
from samspel.contract.telemetry import Quality, Reading
from samspel.control.events import Alarm, Clear, Follow, GiveBack, LinkDown, LinkUp, Say, Withdraw, said_written
from samspel.control.journal import Documents, load
from samspel.control.shell import Controller, Reports
from samspel.control.state import Action as ControlAction
from samspel.control.state import Phase, Policy, State
from samspel.delivery.tracker import Delivery, Tolerance, evidence, follow
from samspel.faults.tracker import FaultTracker
from samspel.field_maps.keeper import ON_TRIAL, MapKeeper
from samspel.headroom.simple import device_headroom
from samspel.outlet import Outlet
from samspel.pipeline import DevicePath
from samspel.shaping.chain import Chain, Result
from samspel.shaping.filter import ShapingContext
from samspel.shaping.gate import Action, decide

__all__ = ["Device", "DeviceLimits", "expected_serial"]

logger = logging.getLogger("samspel.device")

UNKNOWN_LATENCY_S = 30.0
"""How long a battery may take to follow where no route says it."""

FEED_S = 10.0
"""A feed that has not been sent by then is left to the next one."""

FRESH_S = 30.0
"""A state of charge older than this is read again before the first write after a start or a lost link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceLimits:
    """The contract's limits for headroom: W each way, window of charge in percent."""

    charge_w: float
    discharge_w: float
    soc_min_pct: float
    soc_max_pct: float


class Device:
    """Holds the newest readings, and of each signal the newest good one; everything else is asked of the stations."""

    def __init__(
        self,
        name: str,
        driver: Driver,
        chain: Chain,
        outlet: Outlet,
        journal: JournalPort,
        clock: Clock,
        policy: Policy,
        limits: DeviceLimits,
        maps: MapKeeper | None = None,
    ) -> None:
        self.name = name
        self.readings: dict[str, Reading] = {}
        self._good: dict[str, Reading] = {}
        self.identity: Identity | None = None
        self.versions: dict[str, str] = {}
        self._driver, self._chain, self._outlet, self._clock, self._limits = driver, chain, outlet, clock, limits
        self._journal, self._maps = journal, maps
        self._remembering: asyncio.Task[None] | None = None
        self.faults = FaultTracker(name)
        self._delivery: Delivery | None = None
        self._delivering: str | None = None
        self._said_notes: tuple[str, ...] = ()
        self._wrote_at = float("-inf")
        self._waiting: str | None = None
        reports = Reports(self._say, self._alarm, self._clear, chain.reset)
        self.controller = Controller(name, DevicePath(self), reports, journal, clock, policy)

    # --- the stations, in the order of the path ---

    async def look(self, state: State) -> tuple[ControlReading, Snapshot | None]:
        """Read the control block; at its default, also what a stop would have to restore."""
        reading = await self._driver.read_control(state.marks, state.snapshot or state.baseline)
        if reading.state is not ControlState.DEFAULT or state.phase is not Phase.RELEASED:
            return reading, None
        return reading, await self._baseline()

    async def _baseline(self) -> Snapshot | None:
        try:
            return await self._driver.take()
        except SamspelError as error:
            logger.info("no baseline", extra={"device": self.name, "error": str(error)})
            return None

    async def snapshot(self) -> Snapshot:
        """⑤ What a release will give back."""
        return await self._driver.take()

    async def know_the_battery(self) -> None:
        """The first write after a start or a lost link waits for one look: limits need a state of charge."""
        soc = self._good.get("soc_pct")
        if soc is None or self._clock.monotonic() - soc.monotonic_s > FRESH_S:
            await self.poll(("fast",))

    def shape(self, order: Follow, state: State) -> float:
        """④ The power that may be written now, in W; a limit that changes it is told."""
        context = ShapingContext(now=self._clock.monotonic(), written_w=state.written_w, readings=self._good)
        shaped = self._on_trial(self._chain.shape(order.power_w, context))
        self._say_clamps(shaped, order.command_id)
        return shaped.target_w

    def _on_trial(self, shaped: Result) -> Result:
        """A new map gets little power until the battery has shown that it means what it says."""
        bounded_w = shaped.target_w if self._maps is None else self._maps.bound(shaped.target_w)
        return shaped if bounded_w == shaped.target_w else shaped.bounded(bounded_w, "map_trial", ON_TRIAL)

    def gate(self, target_w: float, order: Follow, state: State) -> Action:
        """④ Whether it is worth a write, and whether that may be now."""
        route, now = self._route(target_w), self._clock.monotonic()
        gate = partial(
            decide,
            target_w,
            written_w=state.written_w,
            force=order.force,
            granularity_w=route.granularity_w if route else 1.0,
            feed_due=route is not None and route.feed_s is not None and now - state.fed_at >= route.feed_s,
            limited=target_w != order.power_w,
        )
        action = gate(spacing_left_s=self._wrote_at + route.spacing_s - now if route else 0.0)
        if action is not Action.WRITE:
            self._waiting = order.command_id if gate() is Action.WRITE else None
        return action

    async def journal(self, order: Follow, target_w: float) -> None:
        """③ What may be written is on disk before it is. Raises SequenceAbandoned when something took over."""
        await self.controller.intend(order, self._driver.plan(target_w))

    async def write(self, target_w: float, order: Follow, state: State) -> WriteReport:
        """⑤ Nothing is sent after the order's `not_after`."""
        writing = self._driver.set_power(target_w, order.not_after, _held(state), state.written_w)
        report = await self._watched(writing)
        self._wrote_at = self._clock.monotonic()
        late = self._waiting == order.command_id and not order.news  # control has said that it was suppressed
        for say in said_written(order.command_id, report) if late else ():
            self._say(say)
        self._waiting = None
        return report

    async def feed(self, target_w: float, order: Follow, state: State) -> None:
        """⑤ The device's own timer, or its volatile command: the one in force, though another may wait."""
        power_w = target_w if state.written_w is None else state.written_w
        await self._driver.keep_alive(power_w, order.not_after, _held(state))

    async def stop(self, state: State, *, feed: bool) -> WriteReport:
        """⑤ Zero now, and held; with `feed` it holds, and the device's own timer is told so."""
        if feed:
            await self._driver.keep_alive(0.0, self._clock.monotonic() + FEED_S, _held(state))
            return WriteReport(mark={}, verification=Verification.SKIPPED)
        return await self._watched(self._driver.stop(state.snapshot or state.baseline))

    async def release(self, order: GiveBack, state: State) -> WriteReport:
        """⑤ Give back and verify."""
        return await self._watched(self._driver.release(order.snapshot, state.marks))

    async def _watched(self, writing: Awaitable[WriteReport]) -> WriteReport:
        """A device that refuses what it is told has a fault of its own: only a person can lift a lock or a login."""
        try:
            report = await writing
        except DeviceRefused as error:
            if not isinstance(error, DeviceBusy):
                self._alarm(Alarm(FaultCode.COMMS_WRITE_REFUSED, Severity.MAJOR, str(error)))
            raise
        self._clear(Clear(FaultCode.COMMS_WRITE_REFUSED))
        return report

    def _route(self, power_w: float) -> Route | None:
        direction = Direction.ZERO
        if power_w:
            direction = Direction.DISCHARGE if power_w > 0 else Direction.CHARGE
        capabilities = self.controller.state.capabilities
        return None if capabilities is None else capabilities.route(direction)

    # --- ⑤→①: upward ---

    async def link_up(self) -> None:
        """The bus has confirmed who answers: learn what it can do, and tell control."""
        self.identity = await self._driver.identify()
        await self._choose_map()
        self.clear(FaultCode.COMMS_WRONG_DEVICE)
        self._remember_serial(self.identity.serial)
        self.controller.submit(LinkUp(self._driver.capabilities()))

    def _remember_serial(self, serial: str) -> None:
        """Not waited for: a hanging disk must not keep a stop from the device. A take, which is, comes later."""
        name, document = f"{self.name}/identity", {"serial": serial}
        if self._journal.get(name) != document:
            self._remembering = asyncio.create_task(self._keep(name, document))

    async def _keep(self, name: str, document: Mapping[str, Json]) -> None:
        try:
            await self._journal.put(name, document)
        except StoreError as error:
            logger.warning("identity not kept", extra={"device": self.name, "error": str(error)})

    def link_down(self) -> None:
        """The bus has lost the device."""
        self.controller.submit(LinkDown())

    def wrong_device(self, error: WrongDevice) -> None:
        """Another serial number answers at the address; nothing is written to it."""
        self._alarm(Alarm(FaultCode.COMMS_WRONG_DEVICE, Severity.MAJOR, str(error)))

    async def poll(self, groups: tuple[str, ...]) -> None:
        """Read, remember, judge delivery, publish."""
        readings = await self._driver.read(groups)
        self.readings.update(readings)
        self._good.update((name, one) for name, one in readings.items() if one.quality is Quality.GOOD)
        self._judge_delivery()
        await self._judge_map()
        self._outlet.telemetry(self.name, readings)

    async def poll_faults(self) -> None:
        """Read what stands on the device and publish what changed."""
        for fault in self.faults.observe(await self._driver.read_faults(), self._clock.wall()):
            self._outlet.fault(fault)

    def headroom(self) -> DeviceHeadroom:
        """What it could do now."""
        limits = self._limits
        state = self.controller.state
        return device_headroom(
            self.readings,
            charge_w=limits.charge_w,
            discharge_w=limits.discharge_w,
            soc_min_pct=limits.soc_min_pct,
            soc_max_pct=limits.soc_max_pct,
            effect=self.faults.effect,
            available=state.link_up and state.stop is None and state.phase is not Phase.FOREIGN,
        )

    def birth(self) -> DeviceBirth:
        """Who it is and what it can do."""
        return DeviceBirth(device=self.name, identity=self.identity, capabilities=self.controller.state.capabilities)

    # --- the register map in use ---

    async def _choose_map(self) -> None:
        """A device that is held goes on with the map that it was taken with."""
        state = self.controller.state
        if self._maps is not None:
            await self._maps.begin(state.snapshot if state.phase is not Phase.RELEASED else None, self._is_released)
        self._note_versions()

    async def tend_map(self) -> bool:
        """Change to a corrected map if one lies in the folder and nothing is held; True when birth has news."""
        if self._maps is None:
            return False
        before = self.versions
        if await self._maps.consider(self._is_released):
            self.controller.submit(LinkUp(self._driver.capabilities()))
        self._note_versions()
        return self.versions != before

    def _is_released(self) -> bool:
        state = self.controller.state
        return state.phase is Phase.RELEASED and state.stop is None and state.action in (None, ControlAction.LOOK)

    def _note_versions(self) -> None:
        told = {**self._driver.versions(), **(self._maps.versions() if self._maps is not None else {})}
        self.versions = {f"{self.name}/{what}": text for what, text in told.items()}
        if self._maps is not None and self._maps.suspect:
            text = "a register map in the configuration folder is not used; the birth message says why"
            self._alarm(Alarm(FaultCode.CONTROL_MAP_SUSPECT, Severity.WARNING, text))
        else:
            self._clear(Clear(FaultCode.CONTROL_MAP_SUSPECT))

    async def _judge_map(self) -> None:
        """A map on trial that moves the battery the wrong way is withdrawn; the one before it comes back."""
        written_w = self.controller.state.written_w
        if self._maps is None or written_w is None:
            return
        route = self._route(written_w)
        latency_s = (route.latency_s if route else None) or UNKNOWN_LATENCY_S
        reading = self.readings.get("battery_power_w")
        why = await self._maps.judge(written_w, latency_s, self._clock.monotonic(), reading)
        if why:
            self._note_versions()
            self.controller.submit(Withdraw("map_suspect", f"the new register map failed its trial: {why}"))

    # --- control's reports ---

    def _say(self, say: Say) -> None:
        """Publish an outcome, with the evidence that belongs to it."""
        if say.stage in (Stage.WRITTEN, Stage.WRITE_SUPPRESSED):
            self._begin_delivery(say.command_id)
        tracked = self._delivery if say.command_id == self._delivering else None
        after = evidence(self.readings, self._clock.monotonic()) if say.stage is None else None
        self._outlet.outcome(
            self.name,
            say,
            evidence=(tracked.before if tracked is not None and say.end is not None else None, after),
            in_tolerance_pct=tracked.in_tolerance_pct if tracked is not None and say.end is not None else None,
            energy_wh=tracked.energy_wh if tracked is not None and say.end is not None else None,
        )
        if say.end is not None and tracked is not None:
            self._delivery = self._delivering = None

    def _alarm(self, alarm: Alarm) -> None:
        for fault in self.faults.alarm(alarm.code, alarm.severity, alarm.text, self._clock.wall()):
            self._outlet.fault(fault)

    def _clear(self, clear: Clear) -> None:
        for fault in self.faults.clear(clear.code):
            self._outlet.fault(fault)

    def alarm(self, alarm: Alarm) -> None:
        """A fault that the site itself found."""
        self._alarm(alarm)

    def clear(self, code: FaultCode) -> None:
        """And its end."""
        self._clear(Clear(code))

    # --- delivery ---

    def _begin_delivery(self, command_id: str) -> None:
        now = self._clock.monotonic()
        before: Evidence = evidence(self.readings, now)
        self._delivery, self._delivering = Delivery(before=before, written_at=now), command_id
        self._said_notes = ()

    def _judge_delivery(self) -> None:
        """While a command waits for the route's spacing, what stands in the registers is not yet its power."""
        state = self.controller.state
        if self._delivery is None or self._delivering is None or state.written_w is None:
            return
        if self._waiting == self._delivering:
            return
        before = self._delivery
        self._delivery = follow(before, state.written_w, self.readings.get("battery_power_w"), Tolerance())
        if self._delivery.delivered and not before.delivered:
            route = self._route(state.written_w)
            if route is not None and route.verify is Verify.EFFECT:
                self._say(Say(command_id=self._delivering, stage=Stage.VERIFIED, verification=Verification.EFFECT))
            self._say(Say(command_id=self._delivering, stage=Stage.DELIVERED, target_power_w=state.written_w))

    def _say_clamps(self, shaped: Result, command_id: str) -> None:
        """One deviation for each new set of reasons, not one a tick."""
        reasons = tuple(note.reason for note in shaped.notes)
        if reasons and reasons != self._said_notes:
            self._say(
                Say(
                    command_id=command_id,
                    deviation=Deviation.CLAMPED,
                    reason=reasons[-1],
                    text="; ".join(note.text for note in shaped.notes),
                    target_power_w=shaped.target_w,
                )
            )
        self._said_notes = reasons


def _held(state: State) -> Snapshot:
    return state.snapshot or state.baseline or {}


def expected_serial(configured: str | None, device: str, journal: JournalPort, clock: Clock) -> str | None:
    """Who may be written to: the configured serial, else the device that an earlier run left under control.

    Without either any device is welcome. Another one at the address of a held device is refused by the bus, so that
    neither its snapshot nor its stop is ever written to somebody else.
    """
    if configured is not None:
        return configured
    held = load(Documents(control=journal.get(f"{device}/control")), clock).phase is not Phase.RELEASED
    serial = (journal.get(f"{device}/identity") or {}).get("serial")
    return serial if held and isinstance(serial, str) else None


def newest(devices: Mapping[str, Device]) -> dict[str, DeviceHeadroom]:
    """Headroom of every device, for the site's message."""
    return {name: device.headroom() for name, device in devices.items()}
