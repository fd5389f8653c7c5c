"""One transaction: send, judge the answer, learn from it, and tell the caller or let the request wait again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from samspel.bus.connection import Connection
from samspel.bus.intake import Intake
from samspel.bus.pacing import Latency, Pacer
from samspel.bus.pdu import accept
from samspel.bus.profile import BusProfile
from samspel.bus.queue import Ticket
from samspel.bus.stats import BusStats
from samspel.contract.errors import BadAnswer, BusError, DeviceBusy, DeviceRefused, NoAnswer
from samspel.contract.ports import Clock, Priority

__all__ = ["Carrier"]


class Carrier:
    """Carries one ticket at a time. `answered` is told the unit of every answer that makes sense."""

    def __init__(
        self,
        profile: BusProfile,
        clock: Clock,
        stats: BusStats,
        intake: Intake,
        answered: Callable[[int], None],
    ) -> None:
        self.pacer = Pacer(profile)
        self.latency = Latency(profile)
        self.idle = asyncio.Event()
        self.idle.set()
        self.dropped_because = ""
        """Why the present connection was dropped here; empty while it was not."""
        self._profile = profile
        self._clock = clock
        self._stats = stats
        self._intake = intake
        self._answered = answered
        self._silent_in_a_row = 0
        self._heard: set[int] = set()

    def new_connection(self) -> None:
        """What was silent was the old socket."""
        self._silent_in_a_row = 0
        self._heard.clear()
        self.dropped_because = ""

    async def carry(self, connection: Connection, ticket: Ticket) -> None:
        """One ticket, from the check of its deadline at the instant of sending to its end or its next wait."""
        sent_at = self._clock.monotonic()
        if ticket.too_late(sent_at):
            self._intake.expire(ticket)
            return
        self.idle.clear()
        try:
            result = await self._transact(connection, ticket, sent_at)
        except BusError as error:
            self._failed(connection, ticket, error)
        except BaseException as error:
            stopped = NoAnswer(f"{ticket.name}: the bus stopped while it waited for the answer")
            stopped.__cause__ = error
            ticket.fail(stopped)
            raise
        else:
            self._succeeded(ticket, result)
        finally:
            self.pacer.finished(self._clock.monotonic(), wrote=ticket.request.writes)
            self.idle.set()

    async def _transact(self, connection: Connection, ticket: Ticket, sent_at: float) -> object:
        request = ticket.request
        ticket.tries += 1
        self._stats.requests += 1
        answer = await connection.transact(ticket.unit, request.function, request.payload, self.latency.timeout_s)
        self.latency.add(self._clock.monotonic() - sent_at)
        self._silent_in_a_row = 0
        self._heard.add(ticket.unit)
        return accept(request, answer, self._profile)

    def _succeeded(self, ticket: Ticket, result: object) -> None:
        self._stats.answers += 1
        self.pacer.answered()
        self._answered(ticket.unit)
        ticket.succeed(result)

    def _failed(self, connection: Connection, ticket: Ticket, error: BusError) -> None:
        match error:
            case DeviceBusy():
                self._busy(ticket, error)
                return
            case DeviceRefused():
                self._stats.refused += 1
                self._answered(ticket.unit)
            case NoAnswer():
                self._silent(connection, ticket.unit)
            case BadAnswer():
                self._out_of_step(connection)
        ticket.fail(error)

    def _busy(self, ticket: Ticket, error: DeviceBusy) -> None:
        now = self._clock.monotonic()
        self._stats.busy += 1
        self._answered(ticket.unit)
        self.pacer.busy(now, ticket.priority)
        ticket.refusal = error
        if self._may_repeat(ticket, now):
            self._intake.put(ticket)
        else:
            ticket.fail(error)

    def _may_repeat(self, ticket: Ticket, now: float) -> bool:
        """Only what is harmless twice, and after a busy answer only: after silence the caller decides."""
        tries_left = ticket.tries < self._profile.busy_tries or ticket.priority is Priority.STOP
        wanted = not ticket.abandoned and not ticket.too_late(now)
        return ticket.request.repeatable and tries_left and wanted

    def _silent(self, connection: Connection, unit: int) -> None:
        """Without transaction ids a late answer would be taken for the next one's; a half-open socket stays so.

        A unit that has never been heard on this connection, while another one has, says nothing about the socket.
        """
        self._stats.timeouts += 1
        if self._heard and unit not in self._heard:
            return
        self.latency.forget()
        self._silent_in_a_row += 1
        limit = 1 if self._profile.framing == "rtu" else self._profile.drop_after_timeouts
        if self._silent_in_a_row >= limit:
            self._drop(connection, f"the connection was dropped after {limit} unanswered request(s)")

    def _out_of_step(self, connection: Connection) -> None:
        """An answer to something else. With transaction ids the next one is in step again by itself."""
        self._stats.bad_answers += 1
        if self._profile.framing == "rtu":
            self._drop(connection, "the connection was dropped after an answer that did not fit")

    def _drop(self, connection: Connection, reason: str) -> None:
        self.dropped_because = reason
        connection.reset()
