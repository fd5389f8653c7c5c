"""Who may write: one sequence at a time, and the milder one leaves when a more urgent one comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from enum import IntEnum
from typing import TypeVar

from samspel.contract.errors import SequenceAbandoned

__all__ = ["Ticket", "Turns", "Urgency"]

T = TypeVar("T")


class Urgency(IntEnum):
    """Higher makes lower leave. Equal ones queue."""

    SET_POINT = 0
    RELEASE = 1
    STOP = 2


class Ticket:
    """One sequence's permission to go on. It never comes back once it is withdrawn."""

    def __init__(self, urgency: Urgency) -> None:
        self.urgency = urgency
        self._withdrawn = False
        self._waits: set[asyncio.Timeout] = set()

    def withdraw(self) -> None:
        """Make the holder leave at its next step boundary, or at once where it only waits or reads."""
        if not self._withdrawn:
            self._withdrawn = True
            for wait in self._waits:
                wait.reschedule(_now())

    def check(self) -> None:
        """Raises SequenceAbandoned once the ticket is withdrawn."""
        if self._withdrawn:
            raise SequenceAbandoned("a stop or release took over; the rest of the sequence was not written")

    async def sleep(self, seconds: float) -> None:
        """Wait. Raises SequenceAbandoned as soon as the ticket is withdrawn."""
        await self.unless_withdrawn(asyncio.sleep(seconds))

    async def unless_withdrawn(self, work: Awaitable[T]) -> T:
        """Wait for something without effect on the device (a read, a pause), but no longer than the ticket holds.

        Never used for a write: what has been handed to the bus is waited for, so that the next sequence's writes
        come after it.
        """
        wait = asyncio.timeout_at(_now() if self._withdrawn else None)
        self._waits.add(wait)
        try:
            async with wait:
                result = await work
        except Exception:
            self.check()  # Whatever a withdrawn wait ended with, nobody asks any more.
            raise
        finally:
            self._waits.discard(wait)
        self.check()
        return result


class Turns:
    """Hands out tickets. Whoever waits for a turn is withdrawn like whoever has it: nothing old runs after a stop."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._tickets: set[Ticket] = set()

    @asynccontextmanager
    async def turn(self, urgency: Urgency) -> AsyncIterator[Ticket]:
        """Withdraw everything milder, wait until it has left, and run.

        A set-point that comes while a stop runs or waits is withdrawn itself: it was decided before the stop.
        """
        ticket = Ticket(urgency)
        for other in self._tickets:
            if other.urgency < urgency:
                other.withdraw()
            elif urgency is Urgency.SET_POINT and other.urgency is Urgency.STOP:
                ticket.withdraw()
        self._tickets.add(ticket)
        try:
            async with self._lock:
                ticket.check()
                yield ticket
        finally:
            self._tickets.discard(ticket)


def _now() -> float:
    return asyncio.get_running_loop().time()
