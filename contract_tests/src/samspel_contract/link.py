"""A `BusLink` to a twin in memory: no sockets, no threads, simulated time.

It speaks Modbus PDUs and maps answers to errors as the bus does, but on its own. One request at a time; pauses and
error codes as the manifest's path states them.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from samspel.contract.errors import (
    BadAnswer,
    DeadlinePassed,
    DeviceBusy,
    DeviceRefused,
    LinkDown,
    NoAnswer,
    RegisterAbsent,
)
from samspel.contract.ports import BusLink, Priority, Table
from samspel.driver.manifest import DevicePath
from samspel_sim.twin import Close, Reply, Session, Twin

__all__ = ["WRITES", "MemoryLink", "Request"]

READ_FUNCTIONS = {Table.HOLDING: 3, Table.INPUT: 4}
WRITES = frozenset({6, 16})
EXCEPTION_BIT = 0x80
NO_SUCH_ADDRESS = 2
DEFAULT_TIMEOUT_S = 5.0
DEFAULT_GAP_S = 0.05


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it was asked for: its function code, priority and deadline, and when."""

    function: int
    priority: Priority
    not_after: float | None
    at_s: float


class _Requests:
    """The three calls of a `BusLink` as PDUs."""

    async def _ask(self, pdu: bytes, not_after: float | None) -> bytes:
        raise NotImplementedError

    def _note(self, function: int, priority: Priority, not_after: float | None) -> None:
        """Remember what was asked for."""

    async def read(
        self, table: Table, address: int, count: int, *, priority: Priority, not_after: float | None = None
    ) -> tuple[int, ...]:
        """See `BusLink`; the priority changes nothing where nobody queues."""
        self._note(READ_FUNCTIONS[table], priority, not_after)
        answer = await self._ask(struct.pack(">BHH", READ_FUNCTIONS[table], address, count), not_after)
        if len(answer) != 2 + 2 * count or answer[1] != 2 * count:
            raise BadAnswer(f"{count} registers from {address}: {len(answer)} bytes came")
        return struct.unpack(f">{count}H", answer[2:])

    async def write(
        self,
        address: int,
        words: Sequence[int],
        *,
        function: Literal[6, 16],
        priority: Priority,
        not_after: float | None = None,
    ) -> None:
        """See `BusLink`. The echo is checked."""
        self._note(function, priority, not_after)
        data = struct.pack(f">{len(words)}H", *words)
        if function == 6:
            request = echo = struct.pack(">BH", 6, address) + data
        else:
            echo = struct.pack(">BHH", 16, address, len(words))
            request = echo + bytes([len(data)]) + data
        answer = await self._ask(request, not_after)
        if answer != echo:
            raise BadAnswer(f"write at {address}: expected the echo {echo.hex()}, got {answer.hex()}")

    async def exchange(
        self, function: int, payload: bytes, *, priority: Priority, not_after: float | None = None
    ) -> bytes:
        """See `BusLink`."""
        self._note(function, priority, not_after)
        return (await self._ask(bytes([function]) + payload, not_after))[1:]


class _FurtherLink(_Requests):
    """Another unit of the same device, over the same connection."""

    def __init__(self, link: MemoryLink, unit: int) -> None:
        self._link, self._unit = link, unit

    async def _ask(self, pdu: bytes, not_after: float | None) -> bytes:
        return await self._link.ask(pdu, not_after, self._unit)


class _RawLink(_Requests):
    """What an identity check gets: the connection that is being opened."""

    def __init__(self, link: MemoryLink) -> None:
        self._link = link

    async def _ask(self, pdu: bytes, not_after: float | None) -> bytes:
        return await self._link.transact(pdu, not_after)


class MemoryLink(_Requests):
    """One unit of one twin. `on_connect` proves a new connection before anything else goes over it."""

    def __init__(self, twin: Twin, path: DevicePath) -> None:
        self._twin = twin
        self._settings = path.bus.settings
        self._session: Session | None = None
        self._lock = asyncio.Lock()
        self._free_at = 0.0
        self._is_cut = False
        self._writes_left: int | None = None
        self._requests_left: int | None = None
        self._denied: set[tuple[int, int]] = set()
        self.denied = 0
        """Requests that were refused because of `deny`."""
        self.requests: list[Request] = []
        self.on_connect: Callable[[BusLink], Awaitable[None]] | None = None

    # --- what a test does to it ---

    def cut(self) -> None:
        """The cable is out until `mend`."""
        self._is_cut = True
        self._hang_up()

    def cut_after_writes(self, count: int) -> None:
        """The device carries out so many writes; the answer to the last is lost, and the cable is out from then on."""
        self._writes_left = count

    def cut_after_requests(self, count: int) -> None:
        """So many requests are answered, and the cable is out from then on."""
        self._requests_left = count

    def mend(self) -> None:
        """The cable is in again; the next request connects."""
        self._is_cut, self._writes_left, self._requests_left = False, None, None

    def deny(self, table: Table, address: int, count: int) -> None:
        """The device has no such registers: a read of any of them is refused."""
        self._denied |= {(READ_FUNCTIONS[table], at) for at in range(address, address + count)}

    def permit(self) -> None:
        """It has everything again."""
        self._denied.clear()

    def drop(self) -> None:
        """This connection is gone; the next request makes another."""
        self._hang_up()

    def lead_to(self, twin: Twin) -> None:
        """Another device has taken over the address."""
        self._hang_up()
        self._twin = twin

    # --- the way ---

    def _note(self, function: int, priority: Priority, not_after: float | None) -> None:
        self.requests.append(Request(function, priority, not_after, asyncio.get_running_loop().time()))

    def at(self, unit: int) -> BusLink:
        """Another unit behind the same address."""
        return _FurtherLink(self, unit)

    async def _ask(self, pdu: bytes, not_after: float | None) -> bytes:
        return await self.ask(pdu, not_after)

    async def ask(self, pdu: bytes, not_after: float | None, unit: int | None = None) -> bytes:
        """One request in its turn, on a connection on which the device was confirmed. Raises any `BusError`."""
        async with self._lock:
            await self._connect()
            return await self.transact(pdu, not_after, unit)

    async def _connect(self) -> None:
        if self._is_cut:
            raise LinkDown("the link is cut")
        if self._session is not None:
            return
        self._session = self._twin.open(self._dropped)
        if self._session is None:
            raise LinkDown("the device refuses the connection")
        await asyncio.sleep(float(self._settings.get("connect_wait_s", 0.0)))
        if self.on_connect is not None:
            await self._prove(self.on_connect)

    async def _prove(self, on_connect: Callable[[BusLink], Awaitable[None]]) -> None:
        """A connection on which the device was not confirmed carries nothing else."""
        proved = False
        try:
            await on_connect(_RawLink(self))
            proved = True
        finally:
            if not proved:
                self._hang_up()

    async def transact(self, pdu: bytes, not_after: float | None, unit: int | None = None) -> bytes:
        """One request and its answer, without the function code check of neither. Raises any `BusError`."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, self._free_at - loop.time()))
        if not_after is not None and loop.time() > not_after:
            raise DeadlinePassed(f"its deadline was {loop.time() - not_after:.3f} s ago")
        if self._session is None:
            raise LinkDown("there is no connection")
        session = self._session
        asked = self._twin.behaviour.unit if unit is None else unit
        reply = self._refused(pdu) or session.receive(asked, pdu)
        if self._is_last_write(pdu):
            self.cut()
            raise NoAnswer("the link was cut before the answer came")
        answer = await self._answer(session, reply, asked)
        self._count_request()
        return self._accepted(pdu, answer)

    def _refused(self, pdu: bytes) -> Reply | None:
        if pdu[0] not in READ_FUNCTIONS.values():
            return None
        address, count = struct.unpack(">HH", pdu[1:5])
        if self._denied.isdisjoint((pdu[0], at) for at in range(address, address + count)):
            return None
        self.denied += 1
        return Reply(bytes([pdu[0] | EXCEPTION_BIT, NO_SUCH_ADDRESS]))

    async def _answer(self, session: Session, reply: Reply, asked: int) -> bytes:
        timeout_s = float(self._settings.get("timeout_s", DEFAULT_TIMEOUT_S))
        lost = reply.pdu is None or reply.delay_s > timeout_s or reply.close is not Close.NO
        await asyncio.sleep(min(reply.delay_s, timeout_s) if reply.pdu or reply.close is not Close.NO else timeout_s)
        if lost or reply.pdu is None:
            if asked == self._twin.behaviour.unit:  # silence of another unit says nothing about the connection
                self._hang_up()
            raise NoAnswer("nothing came back in time")
        session.answered()
        if self._twin.reply_unit(asked) != asked:
            raise BadAnswer(f"unit {self._twin.reply_unit(asked)} answered in place of {asked}")
        gap_s = float(self._settings.get("gap_s", DEFAULT_GAP_S))
        self._free_at = asyncio.get_running_loop().time() + gap_s
        return reply.pdu

    def _accepted(self, pdu: bytes, answer: bytes) -> bytes:
        if answer[0] == pdu[0]:
            return answer
        if answer[0] != pdu[0] | EXCEPTION_BIT or len(answer) != 2:
            raise BadAnswer(f"function {pdu[0]} was answered with {answer[:4].hex()}")
        code = answer[1]
        message = f"function {pdu[0]}: the device answered exception {code}"
        if code in self._settings.get("busy_codes", (5, 6)):
            raise DeviceBusy(message, code=code)
        if code in self._settings.get("absent_codes", (2,)):
            raise RegisterAbsent(message, code=code)
        raise DeviceRefused(message, code=code)

    def _is_last_write(self, pdu: bytes) -> bool:
        if self._writes_left is None or pdu[0] not in WRITES:
            return False
        self._writes_left -= 1
        return self._writes_left <= 0

    def _count_request(self) -> None:
        if self._requests_left is not None:
            self._requests_left -= 1
            if self._requests_left <= 0:
                self.cut()

    def _dropped(self, _how: Close) -> None:
        self._session = None

    def _hang_up(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()
