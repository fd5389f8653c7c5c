"""The faults of one device at work: `faults/` decides, here they are published, kept, and told to control."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from samspel.contract.driver import ActiveFault, Json
from samspel.contract.fault import Effect, Fault, FaultCode
from samspel.contract.ports import Clock
from samspel.control.events import Alarm, OutOfService
from samspel.faults.debounce import Debounce
from samspel.faults.service import Service, judge_service
from samspel.faults.tracker import FaultTracker

__all__ = ["Faulting"]


class Faulting:
    """`publish` sends a change up, `keep` stores what stands; `kept` is what it stored before a restart.

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
        self.tracker = FaultTracker(device, debounce, kept, clock.monotonic())
        self._clock, self._publish, self._keep = clock, publish, keep
        self._service = judge_service(Service(), self.tracker.effect, clock.monotonic())
        self._told = ""

    def observe(self, active: Iterable[ActiveFault]) -> None:
        """What the device reports now, completely."""
        self._changed(self.tracker.observe(active, self._clock.wall(), self._clock.monotonic()))

    def alarm(self, alarm: Alarm) -> None:
        """One that control or the site found."""
        self._changed(self.tracker.alarm(alarm.code, alarm.severity, alarm.text, self._clock.wall()))

    def clear(self, code: FaultCode) -> None:
        """And its end."""
        self._changed(self.tracker.clear(code))

    def _changed(self, changes: list[Fault]) -> None:
        for fault in changes:
            self._publish(fault)
        if changes:
            self._keep(self.tracker.to_json())
        self._service = judge_service(self._service, self.tracker.effect, self._clock.monotonic())

    # --- what control makes of it ---

    @property
    def effect(self) -> Effect:
        """The gravest effect, that of the pause after a fault included."""
        return Effect.OFFLINE if self._service.is_out(self._clock.monotonic()) else self.tracker.effect

    def news(self) -> OutOfService | None:
        """What control has to be told, once for each change."""
        why = self._why_out()
        if bool(why) == bool(self._told):
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
            return f"a fault is over; set-points are taken again in {self._service.back_at - now:.0f} s"
        return ""
