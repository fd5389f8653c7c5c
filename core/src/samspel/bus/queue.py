"""Who goes next: most urgent first, first come first served within one priority; polling takes turns. Pure.

Protection table (unsafe condition · limit · reaction · recovery · outranked by):
* more polls than the link can carry · `GIVES_WAY_S` · a slow poll that has waited so long goes before every fast one
  that came later than that: nothing that is polled starves · there is room again · everything that is not polling
"""

from __future__ import annotations

import asyncio
from bisect import insort
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from samspel.bus.pdu import Request
from samspel.contract.errors import BusError, DeviceBusy
from samspel.contract.ports import Priority

__all__ = ["GIVES_WAY_S", "RequestQueue", "Ticket"]

GIVES_WAY_S = 2.0
"""A slow poll lets those fast ones go first that come before it has waited for so long."""


@dataclass(slots=True, eq=False, kw_only=True)
class Ticket:
    """One caller's request on its way through the bus."""

    name: str
    """Endpoint, unit and request, for people."""
    unit: int
    request: Request[Any]
    priority: Priority
    not_after: float | None
    """Monotonic seconds."""
    future: asyncio.Future[Any]
    order: int
    """Rising with every submitted request."""
    asked_at: float
    """Monotonic seconds."""
    proving: bool = False
    """Belongs to an identity check, so it may go while its unit is unconfirmed."""
    tries: int = 0
    refusal: DeviceBusy | None = None
    """The last busy answer it got."""

    @property
    def rank(self) -> tuple[int, float, int]:
        """Lower goes first."""
        if not self.telemetry:
            return self.priority, 0.0, self.order
        gives_way_s = 0.0 if self.priority is Priority.FAST_TELEMETRY else GIVES_WAY_S
        return Priority.FAST_TELEMETRY, self.asked_at + gives_way_s, self.order

    @property
    def telemetry(self) -> bool:
        """Polling: paced widest and shed first."""
        return self.priority >= Priority.FAST_TELEMETRY

    @property
    def abandoned(self) -> bool:
        """Nobody waits for it any more."""
        return self.future.done()

    def too_late(self, now: float) -> bool:
        """It must not be sent any more."""
        return self.not_after is not None and now >= self.not_after

    def succeed(self, result: object) -> None:
        """Hand the answer to the caller, if it still waits."""
        if not self.future.done():
            self.future.set_result(result)

    def fail(self, error: BusError) -> None:
        """Hand the error to the caller, if it still waits."""
        if not self.future.done():
            self.future.set_exception(error)


class RequestQueue:
    """The waiting requests. A ticket that is being carried is not in here."""

    def __init__(self) -> None:
        self._waiting: list[Ticket] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def push(self, ticket: Ticket) -> None:
        """Queue at the place of its rank; a ticket that comes back after a busy answer gets its old place."""
        insort(self._waiting, ticket, key=lambda waiting: waiting.rank)

    def discard(self, ticket: Ticket) -> bool:
        """Take it out; False if it is not waiting (any more)."""
        if ticket not in self._waiting:
            return False
        self._waiting.remove(ticket)
        return True

    def first(self, may_go: Callable[[Ticket], bool]) -> Ticket | None:
        """The one to carry next among those that may go. It stays in the queue."""
        return next((ticket for ticket in self._waiting if may_go(ticket)), None)

    def outdated_by(self, newer: Ticket) -> Ticket | None:
        """A waiting poll of the very same registers that is not more urgent."""
        if not newer.telemetry or newer.request.block is None:
            return None
        return self.first(
            lambda older: (
                older.priority >= newer.priority
                and older.unit == newer.unit
                and older.request.block == newer.request.block
            )
        )

    def drain(self, unit: int | None = None) -> list[Ticket]:
        """Take out everything, or everything of one unit."""
        taken = [ticket for ticket in self._waiting if unit is None or ticket.unit == unit]
        self._waiting = [ticket for ticket in self._waiting if ticket not in taken]
        return taken
