"""What runs: the tasks of one site, each watched, none able to take another device's down.

`assembly.py` builds the parts; here they live. Every loop survives its own failures, logs them and goes on; only
`stop` ends them.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from samspel.admission.gate import Admission, Order
from samspel.contract.errors import BusError, SamspelError
from samspel.contract.fault import FaultCode, Severity
from samspel.contract.outcome import End
from samspel.contract.ports import Clock, JournalPort, Outbound, OutboxPort, Transport, TransportState
from samspel.contract.site import Condition, Status
from samspel.control.events import Alarm, Say, Unguarded
from samspel.device import Device, newest
from samspel.outlet import Outlet
from samspel.pipeline import Pipeline
from samspel.transport.outbox_pump import drain
from samspel.transport.wire import dump
from samspel.untold import Untold

__all__ = ["Edge", "Rates", "Station", "offline_message"]

logger = logging.getLogger("samspel.edge")

HEADROOM_S = 10.0
OPLOG_S = 1.0
MAPS_S = 10.0
"""How often the folder of corrected maps is looked at."""

RESTART_S = 1.0
FAREWELL_S = 4.0
FIRST_CONTACT_S = 60.0
OPLOG_SIGNALS = ("battery_power_w", "soc_pct", "grid_power_w", "pv_power_w", "ac_power_w", "grid_frequency_hz")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """How often each group is read, in seconds."""

    fast_s: float = 2.0
    slow_s: float = 30.0
    static_s: float = 3600.0
    faults_s: float = 10.0


@dataclass(slots=True, kw_only=True)
class Station:
    """One device with what keeps its link: `serve` runs its bus for ever (`None`: another station's does), `tend` its
    vendor's login, `watch` reports its link.

    `up` and `down` mirror the link; `known` is set while the device on it has been identified; `measured` once its
    fast signals have been asked for.
    """

    device: Device
    rates: Rates
    serve: Callable[[], Awaitable[None]] | None
    watch: Callable[[Callable[[bool], None]], None]
    tend: Callable[[], Awaitable[None]] | None = None
    up: asyncio.Event = field(default_factory=asyncio.Event)
    down: asyncio.Event = field(default_factory=asyncio.Event)
    known: asyncio.Event = field(default_factory=asyncio.Event)
    measured: asyncio.Event = field(default_factory=asyncio.Event)


class Edge:
    """One site. `run` until cancelled or `stop`; `stop` hands over and says goodbye within five seconds."""

    def __init__(
        self,
        *,
        site: str,
        stations: Mapping[str, Station],
        transport: Transport,
        admission: Admission,
        outlet: Outlet,
        outbox: OutboxPort,
        journal: JournalPort,
        clock: Clock,
        rng: random.Random,
        versions: Mapping[str, str],
        nonce_s: float,
        log_sample: Callable[[str, datetime, Mapping[str, float]], None],
        store_failing: Callable[[], bool] = lambda: False,
        store_lost: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        self._site, self._stations, self._transport = site, stations, transport
        self._admission, self._outlet, self._outbox, self._journal = admission, outlet, outbox, journal
        self._clock, self._rng, self._versions, self._nonce_s = clock, rng, versions, nonce_s
        self._log_sample, self._store_failing, self._store_lost = log_sample, store_failing, store_lost
        self.devices = {name: station.device for name, station in stations.items()}
        self.pipeline = Pipeline(transport, admission, self.devices, outlet, journal, clock)
        self._untold = Untold(journal)
        outlet.on_queued = self._untold.note
        for device in self.devices.values():
            device.disk_refuses = store_failing
        self._tasks: list[asyncio.Task[None]] = []
        self._online = self._is_unguarded = False

    # --- life ---

    async def run(self) -> None:
        """Start everything and stay until cancelled; then hand over."""
        try:
            await self.start()
            await asyncio.Event().wait()
        finally:
            await self.stop()

    async def start(self) -> None:
        """Start every loop; returns at once."""
        for name, station in self._stations.items():
            self._tell_ends(station.device)
            self._start_station(name, station)
        self._spawn("outbox", lambda: drain(self._outbox, self._transport, self._clock))
        self._spawn("status", self._publish_status_for_ever)
        self._spawn("headroom", self._publish_headroom_for_ever)
        self._spawn("oplog", self._log_for_ever)
        await self._transport.start([self._outlet.topics.command_filter()], self.pipeline.receive, self._on_transport)

    def _tell_ends(self, device: Device) -> None:
        """What ended when the last process was killed, and was not said. What it had not decided comes again."""
        text = "it was over when the process died, and how was not said"
        order, state = self._admission.orders.get(device.name, Order()), device.controller.state
        held = [one.command_id for one in (state.lease, state.stop, state.give_back) if one is not None]
        for command_id in self._untold.left(device.name, held, decided=(*order.seen, *order.stops)):
            say = Say(command_id=command_id, end=End.INTERRUPTED, reason="recovered", text=text)
            self._outlet.outcome(device.name, say)
        self._untold.adopt(device.name, [one for one in held if one is not None])

    def _start_station(self, name: str, station: Station) -> None:
        station.watch(lambda up: self._on_link(station, up=up))
        if station.serve is not None:
            self._spawn(f"{name}/bus", station.serve)
        if station.tend is not None:
            self._spawn(f"{name}/login", station.tend)
        self._spawn(f"{name}/control", station.device.controller.run)
        self._spawn(f"{name}/link", lambda: self._greet_for_ever(station))
        rates = station.rates
        self._spawn(f"{name}/fast", self._poller(station, rates.fast_s, partial(self._measure, station)))
        for group, every_s in (("slow", rates.slow_s), ("static", rates.static_s)):
            self._spawn(f"{name}/{group}", self._poller(station, every_s, partial(station.device.poll, (group,))))
        self._spawn(f"{name}/faults", self._poller(station, rates.faults_s, partial(self._look_at_faults, station)))
        self._spawn(f"{name}/map", self._poller(station, MAPS_S, partial(self._tend_map, station.device)))

    async def stop(self) -> None:
        """Hand every device over, say goodbye, end the tasks. Never takes longer than five seconds."""
        try:
            async with asyncio.timeout(FAREWELL_S):
                await asyncio.gather(*(device.controller.hand_over() for device in self.devices.values()))
                self._outlet.flush()
                await self._transport.close(self._farewell())
        except (TimeoutError, SamspelError) as error:
            logger.warning("goodbye was not complete", extra={"error": str(error)})
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._outlet.flush()

    def _spawn(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        self._tasks.append(asyncio.get_running_loop().create_task(self._supervise(name, work), name=name))

    async def _supervise(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """A loop that ends by a defect is begun again: nothing here may stay dead unnoticed."""
        while True:
            try:
                await work()
            except SamspelError as error:
                logger.warning("task waits", extra={"task": name, "error": str(error)})
            except Exception:
                logger.exception("task failed and is begun again", extra={"task": name})
            await asyncio.sleep(RESTART_S)

    def unguarded(self, why: str) -> None:
        """Tell control and the dispatcher that no guard watches us, `why` being for people; empty: one does again."""
        self._is_unguarded = bool(why)
        for device in self.devices.values():
            device.controller.submit(Unguarded(why))
        self._publish_status()

    # --- link ---

    def _on_link(self, station: Station, *, up: bool) -> None:
        logger.info("link", extra={"device": station.device.name, "up": up})
        if up:
            station.down.clear()
            station.up.set()
        else:
            station.up.clear()
            station.known.clear()
            station.down.set()
            station.device.link_down()

    async def _greet_for_ever(self, station: Station) -> None:
        """After each link-up: learn who answers, then tell control. A failure is tried again while the link stands."""
        await self._await_first_contact(station)
        while True:
            await station.up.wait()
            try:
                await station.device.link_up()
            except SamspelError as error:
                logger.warning("identify", extra={"device": station.device.name, "error": str(error)})
                await asyncio.sleep(RESTART_S)
                continue
            station.known.set()
            self._publish_birth()
            await station.down.wait()

    async def _tend_map(self, device: Device) -> None:
        if await device.tend_map() or device.learned():
            self._publish_birth()

    async def _await_first_contact(self, station: Station) -> None:
        """A device that has never answered is as good as lost; control then alarms a stop of an earlier life, too."""
        try:
            async with asyncio.timeout(FIRST_CONTACT_S):
                await station.up.wait()
        except TimeoutError:
            station.device.link_down()

    async def _measure(self, station: Station) -> None:
        try:
            await station.device.poll(("fast",))
        finally:
            station.measured.set()

    async def _look_at_faults(self, station: Station) -> None:
        """Not before the first telemetry was asked for: both would take turns on the link, and telemetry come as late
        as the faults.
        """
        await station.measured.wait()
        await station.device.poll_faults()

    def _poller(
        self, station: Station, every_s: float, poll: Callable[[], Awaitable[None]]
    ) -> Callable[[], Awaitable[None]]:
        async def loop() -> None:
            while True:
                await station.known.wait()
                began = self._clock.monotonic()
                try:
                    await poll()
                except BusError as error:
                    logger.info("poll", extra={"device": station.device.name, "error": str(error)})
                except SamspelError as error:
                    logger.warning("poll", extra={"device": station.device.name, "error": str(error)})
                await asyncio.sleep(max(every_s - (self._clock.monotonic() - began), 0.01))

        return loop

    # --- site messages ---

    def _on_transport(self, state: TransportState) -> None:
        self._online = state is TransportState.UP
        logger.info("transport", extra={"state": state.value})
        if self._online:
            self._publish_birth()
            self._publish_status()

    def _publish_birth(self) -> None:
        versions = dict(self._versions)
        for device in self.devices.values():
            versions |= device.versions
        self._outlet.birth(versions, [device.birth() for device in self.devices.values()])

    async def _publish_status_for_ever(self) -> None:
        while True:
            self._publish_status()
            await asyncio.sleep(self._nonce_s)

    def _publish_status(self) -> None:
        nonce = f"{self._rng.getrandbits(96):024x}"
        self._admission.nonces.issue(nonce, self._clock.monotonic())
        self._outlet.status(self._status(nonce))

    def _status(self, nonce: str | None) -> Status:
        why = self._why_degraded()
        return Status(
            site=self._site,
            boot_id=self._outlet.run_id,
            at=self._clock.wall(),
            condition=Condition.DEGRADED if why else Condition.ONLINE,
            why=why,
            nonce=nonce,
            control={name: device.controller.state.phase.value for name, device in self.devices.items()},
        )

    def _why_degraded(self) -> tuple[str, ...]:
        why: list[str] = [] if self._clock.synchronised() else ["clock"]
        if self._store_failing():
            why.append("store")
        if self._is_unguarded:
            why.append("guard")
        return (
            *why,
            *(f"device:{name}" for name, device in self.devices.items() if not device.controller.state.link_up),
        )

    def _farewell(self) -> Outbound:
        return offline_message(self._site, self._outlet, self._clock)

    async def _publish_headroom_for_ever(self) -> None:
        while True:
            await asyncio.sleep(HEADROOM_S)
            self._outlet.headroom(newest(self.devices))

    async def _log_for_ever(self) -> None:
        while True:
            await asyncio.sleep(OPLOG_S)
            for name, device in self.devices.items():
                self._log_sample(name, self._clock.wall(), _sample(device))
                self._watch_store(device)
                self._watch_broker(device)

    def _watch_store(self, device: Device) -> None:
        """The fault stands while the disk refuses or hangs, and is cleared once, when it does neither. Where something
        of the earlier run could not be read, it stands until the next start.
        """
        if self._store_failing() or device.controller.disk_hangs:
            device.alarm(Alarm(FaultCode.SITE_STORE, Severity.MAJOR, "the disk refuses writes, or does not answer"))
        elif lost := self._store_lost():
            device.alarm(Alarm(FaultCode.SITE_STORE, Severity.MAJOR, "; ".join(lost)))
        else:
            device.clear(FaultCode.SITE_STORE)

    def _watch_broker(self, device: Device) -> None:
        """The fault stands while something waits that the broker refuses."""
        if self._outbox.refused(1):
            text = "the broker refuses some of what we say; the log says which, and why"
            device.alarm(Alarm(FaultCode.SITE_TRANSPORT, Severity.MAJOR, text))
        else:
            device.clear(FaultCode.SITE_TRANSPORT)


def offline_message(site: str, outlet: Outlet, clock: Clock) -> Outbound:
    """Goodbye, and the last will."""
    status = Status(site=site, boot_id=outlet.run_id, at=clock.wall(), condition=Condition.OFFLINE)
    return Outbound(topic=outlet.topics.status(), payload=dump(status), retain=True)


def _sample(device: Device) -> dict[str, float]:
    values = {
        signal: value
        for signal in OPLOG_SIGNALS
        if (reading := device.readings.get(signal)) is not None and (value := reading.usable()) is not None
    }
    lease = device.controller.state.lease
    written_w = device.controller.state.written_w
    if lease is not None:
        values["wanted_power_w"] = lease.power_w
    if written_w is not None:
        values["written_power_w"] = written_w
    return values
