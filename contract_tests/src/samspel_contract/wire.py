"""The cable between one edge and a twin, in memory: it can be cut, led elsewhere, and be where the edge dies.

It takes the place of sockets under the real bus (`samspel.bus.endpoint`), so that everything above it is what runs at
a site.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Container
from dataclasses import dataclass, field

from samspel.bus.connection import Answer
from samspel.bus.profile import BusProfile
from samspel.contract.errors import LinkDown, NoAnswer
from samspel_sim.twin import Close, Session, Twin

__all__ = ["Wire", "WireConnection", "Write"]

WRITES = frozenset({6, 16})


@dataclass(frozen=True, slots=True)
class Write:
    """One write that reached the device: simulated seconds, address and words."""

    at_s: float
    address: int
    words: tuple[int, ...]

    def of(self, address: int, count: int) -> tuple[int, ...] | None:
        """What it wrote to these registers, if it wrote all of them."""
        start = address - self.address
        return self.words[start : start + count] if 0 <= start <= len(self.words) - count else None


@dataclass
class Wire:
    """Everything between one edge and the twin.

    `die_before`: the edge dies right before it sends its n-th write from now (0 is the first), or its n-th request of
    the functions that are `counted`; `on_death` is called then. Every answer takes `latency_s`. `answers_left`: the
    cable is out after so many more answers. `written` are the writes that reached the device, of this edge; `on_write`
    hears of each at that moment.
    """

    twin: Twin
    on_death: Callable[[], None] = lambda: None
    die_before: int | None = None
    counted: Container[int] = WRITES
    latency_s: float = 0.0
    written: list[Write] = field(default_factory=list)
    dead: asyncio.Event = field(default_factory=asyncio.Event)
    is_cut: bool = False
    answers_left: int | None = None
    on_write: Callable[[Write], None] = lambda _: None
    _open: list[WireConnection] = field(default_factory=list)

    async def connect(
        self,
        host: str,  # noqa: ARG002 - a `Connector` is told where to; here it is always the twin
        port: int,  # noqa: ARG002
        profile: BusProfile,  # noqa: ARG002
        on_lost: Callable[[], None],
    ) -> WireConnection:
        """A `samspel.bus.connection.Connector`. Raises LinkDown while cut or refused."""
        if self.is_cut or self.dead.is_set():
            raise LinkDown("the cable is out")
        connection = WireConnection(self, on_lost)
        self._open = [connection]
        return connection

    def cut(self) -> None:
        """The cable is out until `mend`; the edge learns at once, as by a reset."""
        self.is_cut = True
        self._drop()

    def mend(self) -> None:
        """The cable is in again; the bus connects when it next tries."""
        self.is_cut, self.answers_left = False, None

    def lead_to(self, twin: Twin) -> None:
        """Another device has taken over the address."""
        self.twin = twin
        self._drop()

    def count_answer(self) -> None:
        """One more has arrived."""
        if self.answers_left is not None:
            self.answers_left -= 1
            if self.answers_left <= 0:
                self.cut()

    def _drop(self) -> None:
        for connection in self._open:
            connection.lose()

    def lives_to_send(self, function: int) -> bool:
        """Whether the edge lives to send this request."""
        if function in self.counted and self.die_before is not None and not self.dead.is_set():
            if self.die_before == 0:
                self.on_death()
                self.dead.set()
            self.die_before -= 1
        return not self.dead.is_set()


class WireConnection:
    """One connection to the twin, as `samspel.bus` sees it."""

    def __init__(self, wire: Wire, on_lost: Callable[[], None]) -> None:
        self._wire, self._on_lost = wire, on_lost
        session = wire.twin.open(lambda _: self.lose())
        if session is None:
            raise LinkDown("the device refuses connections")
        self._session: Session = session
        self._lost = asyncio.Event()
        self.alive = True

    def lose(self) -> None:
        """It breaks, and the bus is told."""
        if self.alive:
            self.close()
            self._on_lost()

    async def transact(self, unit: int, function: int, payload: bytes, timeout_s: float) -> Answer:
        """One request and its answer. Raises NoAnswer."""
        if not self._wire.lives_to_send(function):
            await asyncio.Event().wait()
        reply = self._session.receive(unit, bytes([function]) + payload)
        if function in WRITES:
            self._note(function, payload)
        if reply.close is not Close.NO:
            self.lose()
            raise NoAnswer("the device hung up")
        late = reply.pdu is None or reply.delay_s > timeout_s
        await self._pass(timeout_s if late else self._wire.latency_s + reply.delay_s)
        if late or reply.pdu is None:
            raise NoAnswer("nothing came in time")
        self._session.answered()
        self._wire.count_answer()
        return Answer(reply.pdu[0], reply.pdu[1:])

    async def _pass(self, seconds: float) -> None:
        """Wait; a connection that breaks meanwhile ends the wait at once, as a socket's would."""
        try:
            async with asyncio.timeout(seconds):
                await self._lost.wait()
        except TimeoutError:
            return
        raise NoAnswer("the connection was lost before the answer")

    def _note(self, function: int, payload: bytes) -> None:
        data = payload[2:] if function == 6 else payload[5:]
        words = tuple(int.from_bytes(data[place : place + 2], "big") for place in range(0, len(data), 2))
        now = asyncio.get_running_loop().time()
        write = Write(now, int.from_bytes(payload[:2], "big"), words)
        self._wire.written.append(write)
        self._wire.on_write(write)

    def close(self) -> None:
        """Part; may be called twice."""
        self.alive = False
        self._lost.set()
        self._session.close()

    def reset(self) -> None:
        """The same, in memory."""
        self.close()
