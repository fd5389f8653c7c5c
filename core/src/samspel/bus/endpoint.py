"""The one owner of a device's address: connects, proves who is there, and carries one request at a time.

The worker is `Endpoint.run`. Callers put requests into the queue and wait; only the worker talks to the
connection, so a caller that is cancelled never cancels a transaction.

*Without a connection* every request fails at once with LinkDown, so nothing stale is ever sent after a reconnect:
who still wants it asks again when `on_link` says so.

*Identity.* A unit with an identity check gets no request through before the check succeeded on the present
connection. Its requests wait during the first check, and fail with the check's error until a later one succeeds.

*Polling is shed first*: a telemetry read pushes out a waiting telemetry read of the same registers, and telemetry
that waited longer than `telemetry_patience_s` is dropped, which reaches the slow ones first since they give way to
fast ones for a moment. The caller gets a BusError; nothing was sent.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from samspel.bus.carrier import Carrier
from samspel.bus.connection import Connection, Connector
from samspel.bus.intake import Intake
from samspel.bus.link import ProvingLink, UnitLink
from samspel.bus.pdu import Request
from samspel.bus.profile import BusProfile
from samspel.bus.pymodbus_connection import connect
from samspel.bus.queue import Ticket
from samspel.bus.stats import BusStats
from samspel.bus.unit import Confirm, LinkSignal, Unit
from samspel.contract.errors import BusError, LinkDown, SamspelError
from samspel.contract.ports import Clock, Priority

__all__ = ["Endpoint"]

T = TypeVar("T")

logger = logging.getLogger("samspel.bus")

_PROVING_PRIORITY = Priority.RELEASE
"""Identity checks go before everything but another unit's stop."""
_TICK_S = 1e-6
"""Shorter waits than this are rounding."""


class Endpoint:
    """One host and port. `run` must be running for anything to happen."""

    def __init__(
        self,
        host: str,
        port: int,
        profile: BusProfile,
        clock: Clock,
        *,
        rng: random.Random,
        connector: Connector = connect,
    ) -> None:
        self._host, self._port = host, port
        self._where = f"{host}:{port}"
        self._profile = profile
        self._clock = clock
        self._rng = rng
        self._connector = connector
        self._units: dict[int, Unit] = {}
        self._stats = BusStats()
        self._signal = LinkSignal()
        self._open = asyncio.Event()
        self._wake = asyncio.Event()
        self._stopped = asyncio.Event()
        self._intake = Intake(self._where, profile, clock, self._stats, self._wake.set)
        self._carrier = Carrier(profile, clock, self._stats, self._intake, self._answered)
        self._connection: Connection | None = None
        self._worker: asyncio.Task[Any] | None = None
        self._closing = False
        self._proven = False
        self._down_because = "not connected yet"
        self._reported = ""

    # What others see

    @property
    def connected(self) -> bool:
        """A connection stands and at least one unit has proved itself on it."""
        return self._signal.up

    @property
    def latency_s(self) -> float | None:
        """Median of the recent answer times; None while nothing is known."""
        return self._carrier.latency.median_s

    @property
    def stats(self) -> BusStats:
        """A copy of the counts."""
        return replace(self._stats)

    @property
    def waiting(self) -> int:
        """Requests in the queue."""
        return len(self._intake.queue)

    def on_link(self, callback: Callable[[bool], None]) -> None:
        """Call at every change of `connected`, from the event loop; must not block."""
        self._signal.listeners.append(callback)

    async def wait_connected(self) -> None:
        """Until `connected`. Units without identity check prove themselves only by answering a request."""
        await self._signal.wait_up()

    async def wait_open(self) -> None:
        """Until requests are taken: the socket is open, though nobody has proved who answers there."""
        await self._open.wait()

    def link(self, unit: int, confirm: Confirm | None = None) -> UnitLink:
        """The way to one unit (0..255). `confirm` runs on every new connection before anything else is sent to it.

        Links to one unit share its state. A check given later, for example once the serial is known, holds from
        then on; ValueError if there is another one already.
        """
        if not 0 <= unit <= 255:
            raise ValueError(f"unit {unit} is outside 0 to 255")
        known = self._units.get(unit)
        if known is None:
            known = self._add_unit(unit, confirm)
        elif confirm not in (None, known.confirm):
            self._add_check(known, confirm)
        return UnitLink(self, known)

    def _add_unit(self, number: int, confirm: Confirm | None) -> Unit:
        unit = self._units[number] = Unit(number, self._profile, confirm)
        unit.listeners.append(lambda _: self._signal.set(up=any(each.up for each in self._units.values())))
        if self._connection is not None:
            self._prove(unit, self._connection)
        return unit

    def _add_check(self, unit: Unit, confirm: Confirm | None) -> None:
        if unit.confirm is not None:
            raise ValueError(f"unit {unit.number} at {self._where} already has another identity check")
        unit.confirm = confirm
        unit.lost()
        if self._connection is not None:
            self._prove(unit, self._connection)

    async def submit(
        self,
        unit: Unit,
        request: Request[T],
        *,
        priority: Priority,
        not_after: float | None,
        proving: Connection | None = None,
    ) -> T:
        """Queue a request and wait for its answer; links call this. Raises any BusError."""
        if self._connection is None or (proving is not None and proving is not self._connection):
            raise LinkDown(f"{self._where} unit {unit.number}: {self._down_because}; nothing was sent")
        if proving is not None:
            return await self._intake.submit(unit.number, request, _PROVING_PRIORITY, not_after, proving=True)
        if unit.error is not None:
            raise unit.error.with_traceback(None)
        if asyncio.current_task() is unit.check:
            raise RuntimeError("an identity check must use the link that it is given")
        return await self._intake.submit(unit.number, request, priority, not_after, proving=False)

    # The worker

    async def run(self) -> None:
        """Connect, serve and reconnect for ever. Returns only after `close`; a cancellation goes through."""
        if self._worker is not None:
            raise RuntimeError(f"{self._where}: run() is already running")
        worker = self._worker = asyncio.current_task()
        try:
            await self._supervise()
        except asyncio.CancelledError:
            if not self._closing or worker is None:
                raise
            worker.uncancel()
        finally:
            self._worker = None
            self._stopped.set()

    async def close(self) -> None:
        """Finish the transaction in flight, fail the rest with LinkDown, disconnect and end `run`."""
        self._closing = True
        self._down_because = "the bus is closed"
        self._wake.set()
        await self._carrier.idle.wait()
        if self._worker is not None:
            self._worker.cancel()
            await self._stopped.wait()

    async def _supervise(self) -> None:
        failures = 0
        while not self._closing:
            self._proven = False
            try:
                await self._connect_and_serve()
            except LinkDown as error:
                self._stats.failed_connects += 1
                self._report_down(str(error))
            except Exception:
                self._down_because = "the bus worker failed; see the log"
                logger.exception("%s: the bus worker failed; it starts again", self._where)
            failures = 0 if self._proven else failures + 1
            if not self._closing:
                await asyncio.sleep(self._retry_wait_s(failures))

    def _retry_wait_s(self, failures: int) -> float:
        """Doubles with every failure after the first; between half and all of it, by chance."""
        first_s, longest_s = self._profile.reconnect_s
        wait_s = min(longest_s, first_s * 2.0 ** min(max(0, failures - 1), 16))
        return wait_s * self._rng.uniform(0.5, 1.0)

    async def _connect_and_serve(self) -> None:
        connection = await self._connector(self._host, self._port, self._profile, self._wake.set)
        try:
            await asyncio.sleep(self._profile.connect_wait_s)
            self._begin(connection)
            await self._serve(connection)
        finally:
            await self._end(connection)

    def _begin(self, connection: Connection) -> None:
        if not connection.alive:
            raise LinkDown(f"{self._where}: closed by the peer right after the connect; has it another client?")
        self._stats.connects += 1
        self._connection = connection
        self._carrier.new_connection()
        self._open.set()
        for unit in self._units.values():
            self._prove(unit, connection)

    async def _serve(self, connection: Connection) -> None:
        while connection.alive and not self._closing:
            self._wake.clear()
            ticket = self._intake.queue.first(self._may_go)
            if ticket is None:
                await self._wake.wait()
                continue
            wait_s = self._carrier.pacer.ready_at(ticket.priority) - self._clock.monotonic()
            if wait_s > _TICK_S:
                alarm = asyncio.get_running_loop().call_later(wait_s, self._wake.set)
                await self._wake.wait()
                alarm.cancel()
                continue
            self._intake.queue.discard(ticket)
            await self._carrier.carry(connection, ticket)

    def _may_go(self, ticket: Ticket) -> bool:
        return ticket.proving or self._units[ticket.unit].confirmed

    def _answered(self, number: int) -> None:
        """A connection that only looked open would not answer."""
        if not self._proven:
            self._proven, self._reported = True, ""
            logger.info("%s: connected, the device answers", self._where)
        unit = self._units[number]
        if unit.confirmed:
            unit.set(up=True)

    async def _end(self, connection: Connection) -> None:
        if self._closing:
            connection.close()
        else:
            connection.reset()
        if self._connection is None:
            return
        self._connection = None
        self._open.clear()
        if not self._closing:
            self._report_down(self._carrier.dropped_because or "the peer closed the connection")
        self._intake.fail_all(lambda ticket: LinkDown(f"{ticket.name}: {self._down_because}; nothing was sent"))
        for unit in self._units.values():
            unit.lost()
        checks = [unit.check for unit in self._units.values() if unit.check is not None]
        await asyncio.gather(*checks, return_exceptions=True)

    def _report_down(self, reason: str) -> None:
        """Warn about what is new; repeat the same only in detail."""
        level = logging.DEBUG if reason == self._reported else logging.WARNING
        self._down_because = self._reported = reason
        logger.log(level, "%s: %s; trying again", self._where, reason)

    # Identity

    def _prove(self, unit: Unit, connection: Connection) -> None:
        if unit.confirm is None:
            unit.confirmed = True
            return
        unit.check = asyncio.create_task(self._check(unit, unit.confirm, connection))

    async def _check(self, unit: Unit, confirm: Confirm, connection: Connection) -> None:
        link = ProvingLink(self, unit, connection)
        failures = 0
        while (error := await self._identity_error(unit, confirm, link)) is not None:
            failures += 1
            self._refuse(unit, error)
            await asyncio.sleep(self._retry_wait_s(failures))
        unit.confirmed, unit.error = True, None
        unit.set(up=True)
        self._wake.set()

    async def _identity_error(self, unit: Unit, confirm: Confirm, link: ProvingLink) -> BusError | None:
        try:
            await confirm(link)
        except BusError as error:
            return error
        except SamspelError as error:
            return self._check_broke(unit, error)
        except Exception as error:
            logger.exception("%s unit %d: the identity check broke", self._where, unit.number)
            return self._check_broke(unit, error)
        return None

    def _check_broke(self, unit: Unit, error: Exception) -> BusError:
        failed = BusError(f"{self._where} unit {unit.number}: identity check failed: {error}")
        failed.__cause__ = error
        return failed

    def _refuse(self, unit: Unit, error: BusError) -> None:
        unit.error = error
        logger.warning("%s unit %d: not confirmed: %s", self._where, unit.number, error)
        self._intake.fail_all(lambda _: error, unit.number)
