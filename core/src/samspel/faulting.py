"""The faults of one device at work: `faults/` decides, here they are published, kept, and told to control."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress

from samspel.contract.driver import ActiveFault, Json
from samspel.contract.errors import BusError, SequenceAbandoned
from samspel.contract.fault import Effect, Fault, FaultCode, Severity
from samspel.contract.ports import Clock
from samspel.control.events import Alarm, OutOfService
from samspel.faults.debounce import Debounce
from samspel.faults.service import judge_service, kept_service, service_of
from samspel.faults.tracker import FaultTracker

__all__ = ["BLIND_S", "Faulting"]

BLIND_S = 180.0
"""A connected device whose faults could not be read for so long has a fault."""


Look = Callable[[], Awaitable[Iterable[ActiveFault]]]


class Faulting:
    """`publish` queues a change for the way up, then `keep` notes what stands, to go to disk with it: neither is ever
    there without the other. `kept` is what was stored before a restart.

    What stood then counts at once: a device that a fault keeps out stays out until it has been read.
    """

    def __init__(
        self,
        device: str,
        clock: Clock,
        debounce: Debounce,
        publish: Callable[[Fault], None],
        keep: Callable[[Mapping[str, Json]], None],
        kept: Mapping[str, Json] | None,
    ) -> None:
        self.tracker = FaultTracker(device, debounce, kept)
        self._clock, self._publish, self._keep = clock, publish, keep
        now = clock.monotonic()
        self._service = judge_service(service_of(kept or {}, now, clock.wall()), self.tracker.effect, now)
        self._told = ""
        self._blind_from: float | None = None
        self._looked = False

    def observe(self, active: Iterable[ActiveFault]) -> None:
        """What the device reports now, completely."""
        self._looked, self._blind_from = True, None
        self._changed(self.tracker.observe(active, self._clock.wall(), self._clock.monotonic()))
        self.clear(FaultCode.INVERTER_MONITORING)

    async def look(self, read: Look) -> None:
        """Read what stands. Raises what `read` raises; a `BusError` is told once it has lasted."""
        try:
            active = await read()
        except BusError:
            self._look_in_vain()
            raise
        self.observe(active)

    async def look_first(self, read: Look) -> None:
        """Read it unless that was done on this link. What stood before still counts where it cannot be read."""
        if not self._looked:
            with suppress(BusError):
                await self.look(read)

    def check(self) -> None:
        """Before anything is written. Raises SequenceAbandoned when a fault keeps the device out."""
        if self.effect is Effect.OFFLINE:
            raise SequenceAbandoned("a fault keeps the device out")

    def _look_in_vain(self) -> None:
        now = self._clock.monotonic()
        self._blind_from = now if self._blind_from is None else self._blind_from
        if now - self._blind_from >= BLIND_S:
            self.tracker.lose_sight()
            text = f"the faults of the device have not been read for {BLIND_S:g} s; what stood then still counts"
            self.alarm(Alarm(FaultCode.INVERTER_MONITORING, Severity.MAJOR, text))

    def link_down(self) -> None:
        """The device is out of sight."""
        self._looked, self._blind_from = False, None
        self.tracker.lose_sight()

    def alarm(self, alarm: Alarm) -> None:
        """One that control or the site found."""
        self._changed(self.tracker.alarm(alarm.code, alarm.severity, alarm.text, self._clock.wall()))

    def clear(self, code: FaultCode) -> None:
        """And its end."""
        self._changed(self.tracker.clear(code))

    def _changed(self, changes: list[Fault]) -> None:
        for fault in changes:
            self._publish(fault)
        now = self._clock.monotonic()
        self._service = judge_service(self._service, self.tracker.effect, now)
        if changes:
            service = kept_service(self._service, now, self._clock.wall())
            self._keep({**self.tracker.to_json(), "service": service})

    # --- what control makes of it ---

    @property
    def effect(self) -> Effect:
        """The gravest effect, that of the pause after a fault included."""
        return Effect.OFFLINE if self._service.is_out(self._clock.monotonic()) else self.tracker.effect

    def news(self) -> OutOfService | None:
        """What control has to be told, once for each change."""
        why = self._why_out()
        if why == self._told:
            return None
        self._told = why
        return OutOfService(why)

    def _why_out(self) -> str:
        now = self._clock.monotonic()
        if self._service.offline:
            texts = [
                one.detail.text for one in self.tracker.standing if one.effect not in (Effect.NONE, Effect.DERATED)
            ]
            return f"a fault keeps the device out: {'; '.join(texts)}"
        if self._service.is_out(now):
            pause_s = self._service.back_at - self._service.left_at
            return f"a fault is over; set-points are taken again {pause_s:.0f} s after its end"
        return ""
