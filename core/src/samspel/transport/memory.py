"""A broker and its clients in memory, with MQTT's semantics under an injected clock: no threads, no sockets.

QoS 1 with redelivery of what was not acknowledged, sessions that queue while their client is away, retained
messages, last wills and message expiry. Every connection is made and lost on purpose, with `cut` and `heal`.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from samspel.contract.errors import TransportError
from samspel.contract.ports import Clock, Inbound, Outbound, TransportState

__all__ = ["MemoryBroker", "MemoryTransport"]

_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Copy:
    """One message on its way to one session. `sent_on` is the connection that last carried it; 0 is none."""

    message: Outbound
    retained: bool
    expires_at: float
    sent_on: int = 0


@dataclass(slots=True, eq=False)
class _Session:
    """What the broker remembers of a client. `copies` are unacknowledged; `connection` counts from 1."""

    filters: tuple[str, ...] = ()
    copies: list[_Copy] = field(default_factory=list)
    client: MemoryTransport | None = None
    connection: int = 0


class MemoryBroker:
    """The broker. `max_queued` bounds what waits for one client, `max_in_flight` what it may leave unacknowledged;
    the defaults are mosquitto's.
    """

    def __init__(self, clock: Clock, *, max_queued: int = 1000, max_in_flight: int = 20) -> None:
        self._clock = clock
        self._max_queued = max_queued
        self._max_in_flight = max_in_flight
        self._sessions: dict[str, _Session] = {}
        self._wanting: dict[str, MemoryTransport] = {}
        self._retained: dict[str, _Copy] = {}
        self._cut: set[str] = set()
        self._running = True
        self.dropped = 0

    def cut(self, client_id: str) -> None:
        """Break the client's connection without a farewell and keep it broken: its last will is published."""
        self._cut.add(client_id)
        self._lose(client_id)

    def heal(self, client_id: str) -> None:
        """Let the client connect again."""
        self._cut.discard(client_id)
        self._admit(client_id)

    def stop(self) -> None:
        """Take the broker away; sessions and retained messages persist."""
        self._running = False
        for client_id in list(self._sessions):
            self._lose(client_id)

    def start(self) -> None:
        """Bring the broker back: every client that wants to be connected is."""
        self._running = True
        for client_id in list(self._wanting):
            self._admit(client_id)

    def retained(self, topic: str) -> bytes | None:
        """The retained payload of a topic, if there is one."""
        kept = self._retained.get(topic)
        return None if kept is None or self._is_over(kept) else kept.message.payload

    # What follows is called by MemoryTransport.

    def connect(self, client: MemoryTransport) -> None:
        """Remember that this client wants a connection, and give it one if that is possible now."""
        self._wanting[client.client_id] = client
        self._admit(client.client_id)

    def disconnect(self, client: MemoryTransport) -> None:
        """End the connection in order: no last will."""
        self._wanting.pop(client.client_id, None)
        session = self._sessions.get(client.client_id)
        if session is not None and session.client is client:
            session.client = None

    def is_connected(self, client: MemoryTransport) -> bool:
        """Whether this very client has the session."""
        session = self._sessions.get(client.client_id)
        return session is not None and session.client is client

    def accept(self, message: Outbound) -> None:
        """Take a published message and hand it to every session that subscribes to its topic."""
        if message.retain:
            self._keep(message)
        for session in self._sessions.values():
            if any(_matches(pattern, message.topic) for pattern in session.filters):
                self._queue(session, self._copy(message, retained=message.retain))

    def acknowledge(self, client: MemoryTransport, token: object) -> None:
        """Forget a delivered message. A token of an earlier connection means nothing."""
        session = self._sessions.get(client.client_id)
        if session is None or session.client is not client or not isinstance(token, tuple):
            return
        copy, connection = token
        if connection == session.connection and copy in session.copies:
            session.copies.remove(copy)
            self._deliver(session)

    def _admit(self, client_id: str) -> None:
        client = self._wanting.get(client_id)
        if client is None or client_id in self._cut or not self._running:
            return
        session = self._sessions.setdefault(client_id, _Session())
        if session.client is client:
            return
        session.client, session.filters = client, client.subscriptions
        session.connection += 1
        client.on_connected()
        for topic, kept in self._retained.items():
            if any(_matches(pattern, topic) for pattern in session.filters):
                self._queue(session, _Copy(kept.message, True, kept.expires_at))
        self._deliver(session)

    def _lose(self, client_id: str) -> None:
        session = self._sessions.get(client_id)
        if session is None or session.client is None:
            return
        client, session.client = session.client, None
        client.on_lost()
        if client.will is not None:
            self.accept(client.will)

    def _keep(self, message: Outbound) -> None:
        if message.payload:
            self._retained[message.topic] = self._copy(message, retained=True)
        else:
            self._retained.pop(message.topic, None)

    def _copy(self, message: Outbound, *, retained: bool) -> _Copy:
        expiry_s = math.inf if message.expiry_s is None else message.expiry_s
        return _Copy(message, retained, self._clock.monotonic() + expiry_s)

    def _is_over(self, copy: _Copy) -> bool:
        return self._clock.monotonic() >= copy.expires_at

    def _queue(self, session: _Session, copy: _Copy) -> None:
        if copy.message.qos == 0 and session.client is None:
            return
        if len(session.copies) >= self._max_queued:
            self.dropped += 1
            return
        session.copies.append(copy)
        self._deliver(session)

    def _deliver(self, session: _Session) -> None:
        """Send what has not been sent on this connection, as far as the window allows."""
        client = session.client
        if client is None:
            return
        session.copies = [copy for copy in session.copies if copy.sent_on or not self._is_over(copy)]
        for copy in session.copies[: self._max_in_flight]:
            if copy.sent_on != session.connection:
                self._send(client, copy, session.connection)
            if copy.message.qos == 0:
                session.copies.remove(copy)

    def _send(self, client: MemoryTransport, copy: _Copy, connection: int) -> None:
        client.receive(
            Inbound(
                topic=copy.message.topic,
                payload=copy.message.payload,
                received_at=self._clock.monotonic(),
                retained=copy.retained,
                duplicate=copy.sent_on != 0,
                token=(copy, connection),
            )
        )
        copy.sent_on = connection


class MemoryTransport:
    """One client of a `MemoryBroker`; implements `samspel.contract.ports.Transport`."""

    def __init__(self, broker: MemoryBroker, client_id: str, will: Outbound | None = None) -> None:
        self.client_id = client_id
        self.will = will
        self.subscriptions: tuple[str, ...] = ()
        self._broker = broker
        self._on_message: Callable[[Inbound], None] = _ignore
        self._on_state: Callable[[TransportState], None] = _ignore

    async def start(
        self,
        subscriptions: Sequence[str],
        on_message: Callable[[Inbound], None],
        on_state: Callable[[TransportState], None],
    ) -> None:
        """Connect as soon as the broker lets us."""
        self.subscriptions = tuple(subscriptions)
        self._on_message, self._on_state = on_message, on_state
        self._broker.connect(self)

    async def publish(self, message: Outbound) -> None:
        """Hand over; the answer takes a turn of the loop. Raises TransportError when there is no connection, or
        when it is cut before the answer.
        """
        if not self._broker.is_connected(self):
            raise TransportError(f"{self.client_id} has no connection to the broker; nothing was sent")
        self._broker.accept(message)
        await asyncio.sleep(0)
        if not self._broker.is_connected(self):
            raise TransportError(
                f"{self.client_id} lost the broker before its answer to {message.topic}", may_have_arrived=True
            )

    def acknowledge(self, message: Inbound) -> None:
        """The message is decided: it will not come again."""
        self._broker.acknowledge(self, message.token)

    async def close(self, farewell: Outbound | None = None) -> None:
        """Publish `farewell` when connected, then leave in order. State callbacks end here."""
        if farewell is not None and self._broker.is_connected(self):
            await self.publish(farewell)
        self._broker.disconnect(self)

    # What follows is called by MemoryBroker.

    def on_connected(self) -> None:
        """A new connection."""
        _soon(self._on_state, TransportState.UP)

    def on_lost(self) -> None:
        """The connection broke."""
        _soon(self._on_state, TransportState.DOWN)

    def receive(self, inbound: Inbound) -> None:
        """Deliver on the next turn of the loop."""
        _soon(self._hand_over, inbound)

    def _hand_over(self, inbound: Inbound) -> None:
        try:
            self._on_message(inbound)
        except Exception:  # noqa: BLE001 -- one bad message must not stop the next; MqttTransport does the same
            _log.exception("the message handler failed on %s", inbound.topic)


def _soon(call: Callable[..., None], *arguments: object) -> None:
    asyncio.get_running_loop().call_soon(call, *arguments)


def _ignore(_: object) -> None:
    """Before `start` nobody listens."""


def _matches(pattern: str, topic: str) -> bool:
    """MQTT's filter rule: + is one level, # is the rest."""
    return _levels_match(iter(pattern.split("/")), iter(topic.split("/")))


def _levels_match(pattern: Iterator[str], topic: Iterator[str]) -> bool:
    for wanted in pattern:
        if wanted == "#":
            return True
        found = next(topic, None)
        if found is None or wanted not in ("+", found):
            return False
    return next(topic, None) is None
