"""The waiting room: takes requests in, and lets go of those whose time is over or whose caller left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from samspel.bus.pdu import Request
from samspel.bus.profile import BusProfile
from samspel.bus.queue import RequestQueue, Ticket
from samspel.bus.stats import BusStats
from samspel.contract.errors import BusError, DeadlinePassed
from samspel.contract.ports import Clock, Priority

__all__ = ["Intake"]

T = TypeVar("T")


class Intake:
    """Callers wait here; the worker takes from `queue`. `wake` is called whenever something new may go."""

    def __init__(
        self, where: str, profile: BusProfile, clock: Clock, stats: BusStats, wake: Callable[[], None]
    ) -> None:
        self.queue = RequestQueue()
        self._where = where
        self._profile = profile
        self._clock = clock
        self._stats = stats
        self._wake = wake
        self._order = 0

    async def submit(
        self, unit: int, request: Request[T], priority: Priority, not_after: float | None, *, proving: bool
    ) -> T:
        """Queue a request and wait for its answer. A caller that is cancelled takes a waiting request back."""
        self._order += 1
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        ticket = Ticket(
            name=f"{self._where} unit {unit}: {request.what}",
            unit=unit,
            request=request,
            priority=priority,
            not_after=not_after,
            future=future,
            order=self._order,
            asked_at=self._clock.monotonic(),
            proving=proving,
        )
        self._shed_outdated(ticket)
        timer = self._set_timer(ticket)
        self.put(ticket)
        try:
            return await future
        finally:
            if timer is not None:
                timer.cancel()
            self.queue.discard(ticket)

    def put(self, ticket: Ticket) -> None:
        """Let a ticket wait, for the first time or again."""
        self.queue.push(ticket)
        self._wake()

    def expire(self, ticket: Ticket) -> None:
        """Its deadline came before it could be sent (again)."""
        self.queue.discard(ticket)
        self._stats.expired += 1
        late = DeadlinePassed(f"{ticket.name}: the deadline passed before it could be sent")
        ticket.fail(ticket.refusal or late)

    def fail_all(self, error: Callable[[Ticket], BusError], unit: int | None = None) -> None:
        """Fail everything that waits, or everything that waits for one unit."""
        for ticket in self.queue.drain(unit):
            ticket.fail(error(ticket))

    def _shed_outdated(self, newer: Ticket) -> None:
        older = self.queue.outdated_by(newer)
        if older is not None:
            self._shed(older, "a newer poll of the same registers took its place")

    def _set_timer(self, ticket: Ticket) -> asyncio.TimerHandle | None:
        """Fail it promptly when its time is over while it waits."""
        now = self._clock.monotonic()
        patience_s = self._profile.telemetry_patience_s
        loop = asyncio.get_running_loop()
        if ticket.telemetry and (ticket.not_after is None or now + patience_s < ticket.not_after):
            return loop.call_later(patience_s, self._run_out_of_patience, ticket)
        if ticket.not_after is not None:
            return loop.call_later(max(0.0, ticket.not_after - now), self._expire_waiting, ticket)
        return None

    def _expire_waiting(self, ticket: Ticket) -> None:
        if self.queue.discard(ticket):
            self.expire(ticket)

    def _run_out_of_patience(self, ticket: Ticket) -> None:
        if self.queue.discard(ticket):
            self._shed(ticket, f"it waited {self._profile.telemetry_patience_s:g} s behind other requests")

    def _shed(self, ticket: Ticket, reason: str) -> None:
        self.queue.discard(ticket)
        self._stats.shed += 1
        ticket.fail(BusError(f"{ticket.name}: dropped: {reason}"))
