"""One device: what its stations ③ to ⑤ share, one method a station, and what they report upward.

In which order they are called is in `pipeline.DevicePath`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from samspel.contract.capability import Route
from samspel.contract.driver import ControlReading, ControlState, Driver, Identity, Json, Snapshot, WriteReport
from samspel.contract.errors import DeviceBusy, DeviceRefused, SamspelError, StoreError, WrongDevice
from samspel.contract.fault import FaultCode, Severity
from samspel.contract.outcome import Stage, Verification
from samspel.contract.ports import Clock, JournalPort
from samspel.contract.site import DeviceBirth, DeviceHeadroom
from samspel.contract.telemetry import Quality, Reading
from samspel.control.commands import refused_ways
from samspel.control.events import Alarm, Clear, Follow, GiveBack, LinkDown, LinkUp, Say, Suspect, Withdraw
from samspel.control.journal import Documents, load
from samspel.control.kept import KeptMarks
from samspel.control.shell import Controller, Reports
from samspel.control.state import Action as ControlAction
from samspel.control.state import Phase, Policy, State
from samspel.delivering import Delivering, route_of
from samspel.delivery.latency import UNKNOWN_LATENCY_S
from samspel.faulting import Faulting
from samspel.faults.debounce import USUAL, Debounce
from samspel.field_maps.keeper import MapKeeper
from samspel.headroom.simple import device_headroom
from samspel.outlet import Outlet
from samspel.pipeline import DevicePath
from samspel.shaper import Shaper
from samspel.shaping.chain import Chain, Result
from samspel.shaping.gate import Action
from samspel.shaping.wear import WearMeter

__all__ = ["Device", "DeviceLimits", "expected_serial"]

logger = logging.getLogger("samspel.device")

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
        debounce: Debounce = USUAL,
    ) -> None:
        self.name = name
        self.readings: dict[str, Reading] = {}
        self._good: dict[str, Reading] = {}
        self.identity: Identity | None = None
        self.versions: dict[str, str] = {}
        self._driver, self._outlet, self._clock, self._limits = driver, outlet, clock, limits
        self._journal, self._maps = journal, maps
        self._keeping: set[asyncio.Task[None]] = set()
        self._faulting = Faulting(
            name,
            clock,
            debounce,
            self._outlet.fault,
            partial(journal.note, f"{name}/faults"),
            journal.get(f"{name}/faults"),
        )
        self.faults = self._faulting.tracker
        keep = partial(self._keep, f"{name}/learned")
        self._delivering = Delivering(clock, self._say, self._is_ours, keep, journal.get(f"{name}/learned"))
        reports = Reports(self._say, self._alarm, self._clear, chain.reset)
        wear = WearMeter(chain.wear_budget, journal.get(f"{name}/wear"), clock, partial(self._keep, f"{name}/wear"))
        self._shaper = Shaper(driver, chain, clock, wear, reports, maps)
        self.controller = Controller(name, DevicePath(self), reports, journal, clock, policy)
        self._kept = KeptMarks(self.controller.state.marks)
        self.disk_refuses: Callable[[], bool] = lambda: False
        self._tell_service()

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
        """⑤ What a release will give back. Raises RequirementFailed, too, when the wear budget is spent."""
        self._shaper.check_wear()
        return await self._driver.take()

    async def know_the_battery(self, order: Follow) -> None:
        """Before the first write after a start or a lost link: limits need a state of charge, a fault may forbid it.
        Looks again if the poller's newer look made the bus drop this one. Raises SequenceAbandoned.
        """
        for _ in range(2):
            soc = self._good.get("soc_pct")
            if soc is None or self._clock.monotonic() - soc.monotonic_s > FRESH_S:
                await self.poll(("fast",))
            await self._faulting.look_first(self._driver.read_faults)
        self._tell_service()
        self._faulting.check()
        self.controller.check(order)

    def shape(self, order: Follow, state: State) -> Result:
        """④ The power that may be written now; a limit that changes it is told."""
        return self._shaper.shape(order, state, self._good, self.faults.effects)

    def rest(self, shaped: Result, state: State) -> tuple[Result, float]:
        """④ A reversal is held at 0 W for its dwell: what may be written meanwhile, and what is left of it (s)."""
        return self._shaper.rest(shaped, state)

    def gate(self, shaped: Result, order: Follow, state: State) -> Action:
        """④ Whether it is worth a write, and whether that may be now."""
        return self._shaper.gate(shaped, order, state, self._route(shaped.target_w))

    @property
    def waits(self) -> bool:
        """④ Whether what was asked of the gate last waits for the route's spacing."""
        return self._shaper.wire.waiting is not None

    async def journal(self, order: Follow, target_w: float) -> None:
        """③ What may be written is on disk before it is. Raises SequenceAbandoned when something took over, and
        StoreError when the disk did not take it.
        """
        mark = self._driver.plan(target_w)
        await self.controller.intend(order, mark)
        refuses = self.disk_refuses() or self.controller.disk_hangs
        self._kept.check(mark, self.controller.state.marks, refuses=refuses)

    async def write(self, target_w: float, order: Follow, state: State) -> WriteReport:
        """⑤ Nothing is sent after the order's `not_after`."""
        self._shaper.say_own_rest(target_w, order, state, self._route(target_w))
        wanted = partial(self.controller.wants, order)
        writing = self._driver.set_power(target_w, order.not_after, _held(state), state.written_w, wanted)
        report = await self._watched(writing)
        self._shaper.wrote(target_w, order, report.power_w, self._route(target_w))
        return report

    async def feed(self, target_w: float, order: Follow, state: State) -> None:
        """⑤ The device's own timer, or its volatile command: the one in force, though another may wait."""
        if self._delivering.strays and not await self._is_ours(state):
            return
        self.controller.check(order)  # A stop may have come and gone while that was read.
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
        self._delivering.wrote()
        return report

    def _route(self, power_w: float) -> Route | None:
        return route_of(self.controller.state.capabilities, power_w)

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
            self._keep(name, document)

    def _keep(self, name: str, document: Mapping[str, Json]) -> None:
        keeping = asyncio.create_task(self._put(name, document))
        self._keeping.add(keeping)
        keeping.add_done_callback(self._keeping.discard)

    async def _put(self, name: str, document: Mapping[str, Json]) -> None:
        try:
            await self._journal.put(name, document)
        except StoreError as error:
            logger.warning("not kept", extra={"device": self.name, "document": name, "error": str(error)})

    def link_down(self) -> None:
        """The bus has lost the device."""
        self._faulting.link_down()
        self.controller.submit(LinkDown())

    def wrong_device(self, error: WrongDevice) -> None:
        """Another serial number answers at the address; nothing is written to it."""
        self._alarm(Alarm(FaultCode.COMMS_WRONG_DEVICE, Severity.MAJOR, str(error)))

    async def poll(self, groups: tuple[str, ...]) -> None:
        """Read, remember, judge delivery, publish."""
        readings = await self._driver.read(groups)
        self.readings.update(readings)
        self._good.update((name, one) for name, one in readings.items() if one.quality is Quality.GOOD)
        await self._delivering.observe(self.readings, self.controller.state, waiting=self._shaper.underway)
        await self._judge_map()
        self._outlet.telemetry(self.name, readings)

    async def poll_faults(self) -> None:
        """Read what stands on the device and publish what changed."""
        await self._faulting.look(self._driver.read_faults)
        self._tell_service()

    def _tell_service(self) -> None:
        if (news := self._faulting.news()) is not None:
            self.controller.submit(news)

    def headroom(self) -> DeviceHeadroom:
        """What it could do now."""
        limits = self._limits
        state = self.controller.state
        self._shaper.worn()
        wear = self._shaper.wear
        room = device_headroom(
            self.readings,
            charge_w=limits.charge_w,
            discharge_w=limits.discharge_w,
            soc_min_pct=limits.soc_min_pct,
            soc_max_pct=limits.soc_max_pct,
            effect=self._faulting.effect,
            available=state.link_up and state.stop is None and state.phase is not Phase.FOREIGN and not wear.spent,
            refused=refused_ways(state),
        )
        return replace(room, writes_left=wear.left, why=(*room.why, *(["write_budget"] if wear.spent else [])))

    def birth(self) -> DeviceBirth:
        """Who it is and what it can do."""
        capabilities = None if self.identity is None else self._driver.capabilities()
        return DeviceBirth(
            device=self.name,
            identity=self.identity,
            capabilities=capabilities,
            learned_latency_s=self._delivering.latencies.learned(),
        )

    # --- the register map in use ---

    async def _choose_map(self) -> None:
        """A device that is held goes on with the map that it was taken with."""
        state = self.controller.state
        if self._maps is not None:
            await self._maps.begin(state.snapshot if state.phase is not Phase.RELEASED else None, self._is_released)
        self._note_versions()

    def learned(self) -> bool:
        """Whether birth has news of how fast this battery is."""
        return self._delivering.news()

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
            self._delivering.begin(say.command_id, self.readings)
        self._outlet.outcome(self.name, say, **self._delivering.told(say, self.readings))

    def _alarm(self, alarm: Alarm) -> None:
        self._faulting.alarm(alarm)

    def _clear(self, clear: Clear) -> None:
        self._faulting.clear(clear.code)

    def alarm(self, alarm: Alarm) -> None:
        """A fault that the site itself found."""
        self._alarm(alarm)

    def clear(self, code: FaultCode) -> None:
        """And its end."""
        self._clear(Clear(code))

    async def _is_ours(self, state: State) -> bool:
        """Whether the control block still holds what we wrote. If not, control looks who commands now; under a stop it
        is told in any case.
        """
        try:
            reading = await self._driver.read_control(state.marks, state.snapshot or state.baseline)
        except SamspelError:
            return True  # Nothing is known of another; what was seen of the battery stands.
        is_ours = reading.state is ControlState.OURS
        if not is_ours or state.stop is not None:
            self.controller.submit(Suspect(reads_as_ours=is_ours))
        return is_ours


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
