"""The way up: every message that leaves the site is made and queued here."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from samspel.contract.fault import Fault
from samspel.contract.outcome import Evidence, Outcome, Stage
from samspel.contract.ports import Clock, Outbound, OutboxPort
from samspel.contract.site import Birth, DeviceBirth, DeviceHeadroom, Headroom, Status
from samspel.contract.telemetry import Reading, Telemetry
from samspel.control.events import Say
from samspel.transport.topics import Topics
from samspel.transport.wire import dump

__all__ = ["LINGER_S", "Outlet"]

LINGER_S = 0.01
"""A report is written out so much later than it is made: a set-point reaches the device before it is talked about."""

logger = logging.getLogger("samspel.outlet")


@dataclass(frozen=True, slots=True)
class _Report:
    topic: str
    message: object
    retain: bool
    droppable: bool
    correlation: str | None


class Outlet:
    """Makes messages and puts them into the outbox. Outcomes and faults are never dropped; the rest may be. Call it on
    the event loop only: nothing is written out before `LINGER_S` has passed or `flush` is called.

    `run_id` stands in every message as boot id: sequence numbers and monotonic times compare only within one.
    `on_queued` is called with each outcome once it is in the outbox.
    """

    def __init__(self, site: str, run_id: str, outbox: OutboxPort, clock: Clock) -> None:
        self.site, self.run_id = site, run_id
        self._outbox, self._clock = outbox, clock
        self.topics = Topics(site)
        self._outcomes, self._cycles = count(), count()
        self._waiting: deque[_Report] = deque()
        self.on_queued: Callable[[Outcome], object] = lambda _: None

    def outcome(
        self,
        device: str,
        say: Say,
        *,
        evidence: tuple[Evidence | None, Evidence | None] = (None, None),
        in_tolerance_pct: float | None = None,
        energy_wh: float | None = None,
    ) -> None:
        """One step in a command's life."""
        before, after = evidence
        message = Outcome(
            command_id=say.command_id,
            device=device,
            boot_id=self.run_id,
            seq=next(self._outcomes),
            at=self._clock.wall(),
            monotonic_s=round(self._clock.monotonic(), 6),
            stage=say.stage,
            deviation=say.deviation,
            end=say.end,
            reason=say.reason,
            text=say.text,
            target_power_w=say.target_power_w,
            verification=say.verification,
            rung=say.rung,
            stations=say.stations,
            before=before,
            after=after,
            in_tolerance_pct=in_tolerance_pct,
            energy_wh=energy_wh,
        )
        self._send(self.topics.outcome(device), message, correlation=say.command_id)

    def received(self, device: str, command_id: str, *, duplicate: bool = False) -> None:
        """A command has arrived; `duplicate` when it had arrived before."""
        self.outcome(device, Say(command_id=command_id, stage=Stage.RECEIVED, reason="duplicate" if duplicate else ""))

    def telemetry(self, device: str, readings: Mapping[str, Reading]) -> None:
        """One cycle."""
        message = Telemetry(
            device=device,
            boot_id=self.run_id,
            seq=next(self._cycles),
            at=self._clock.wall(),
            readings=readings,
        )
        self._send(self.topics.telemetry(device), message, droppable=True)

    def fault(self, fault: Fault) -> None:
        """Raised or cleared; queued at once, so that it goes to disk with the note of what stands now."""
        self._send(self.topics.fault(fault.device), fault)
        self.flush()

    def headroom(self, devices: Mapping[str, DeviceHeadroom]) -> None:
        """The site's sum and each device."""
        message = Headroom(
            site=self.site,
            at=self._clock.wall(),
            charge_w=sum(one.charge_w for one in devices.values()),
            discharge_w=sum(one.discharge_w for one in devices.values()),
            devices=devices,
        )
        self._send(self.topics.headroom(), message, retain=True, droppable=True)

    def birth(self, versions: Mapping[str, str], devices: Sequence[DeviceBirth]) -> None:
        """What runs here."""
        message = Birth(
            site=self.site,
            boot_id=self.run_id,
            at=self._clock.wall(),
            versions=versions,
            devices=tuple(devices),
        )
        self._send(self.topics.birth(), message, retain=True, droppable=True)

    def status(self, status: Status) -> None:
        """The site in one word."""
        self._send(self.topics.status(), status, retain=True, droppable=True)

    def flush(self) -> None:
        """Queue what lingers now: before a message is acknowledged, and before the end."""
        while self._waiting:
            report = self._waiting.popleft()
            try:
                payload = dump(report.message)
            except (TypeError, ValueError):
                logger.exception("a message that cannot be written out", extra={"topic": report.topic})
                continue
            outbound = Outbound(
                topic=report.topic, payload=payload, retain=report.retain, correlation=report.correlation
            )
            self._outbox.add(outbound, droppable=report.droppable)
            if isinstance(report.message, Outcome):
                self.on_queued(report.message)

    async def kept(self) -> None:
        """Queue what lingers, and wait until it would survive kill -9, or the disk has refused it."""
        self.flush()
        await self._outbox.kept()

    def _send(
        self,
        topic: str,
        message: object,
        *,
        retain: bool = False,
        droppable: bool = False,
        correlation: str | None = None,
    ) -> None:
        if not self._waiting:
            asyncio.get_running_loop().call_later(LINGER_S, self.flush)
        self._waiting.append(_Report(topic, message, retain, droppable, correlation))
