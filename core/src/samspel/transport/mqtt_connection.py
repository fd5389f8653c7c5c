"""One TCP connection to the broker: one paho client in one thread, used once and thrown away.

Only this thread touches the client: publishes and acknowledgements come to it as jobs, messages and answers leave it
through `call_soon_threadsafe`. The thread selects by itself, with the best selector of the system, because paho's
own loop uses select(), which cannot watch a descriptor of 1024 or more and then says "connection lost".
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import LogLevel
from paho.mqtt.reasoncodes import ReasonCode

from samspel.contract.errors import ConfigError, TransportError
from samspel.contract.ports import Clock, Inbound, Outbound
from samspel.transport.mqtt_client import check, connect, make_client, publish, read, subscribe
from samspel.transport.mqtt_options import MqttOptions, Protocol
from samspel.transport.mqtt_trouble import connect_trouble, hang_up_trouble

if TYPE_CHECKING:
    from paho.mqtt.client import SocketLike

__all__ = ["Connection", "Ended", "Listener"]

_log = logging.getLogger(__name__)

_TICK_S = 1.0
_STALLED_S = 60.0
"""Longer than a resolver takes to give up; the thread stamps itself every tick."""

_UNSUPPORTED = "Unsupported protocol version"


@dataclass(frozen=True, slots=True)
class Ended:
    """Why a connection is over. `silent`: the broker took the connection and never answered the greeting."""

    why: str
    was_up: bool = False
    version_refused: bool = False
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Listener:
    """Who is told, always on the event loop."""

    up: Callable[[], None]
    message: Callable[[Inbound], None]
    dropped: Callable[[str], None]


class Connection:
    """Connects in its own thread when started; `ended` is settled when it is over, whatever happened."""

    def __init__(
        self,
        options: MqttOptions,
        protocol: Protocol,
        clock: Clock,
        subscriptions: Sequence[str],
        will: Outbound | None,
        listener: Listener,
    ) -> None:
        self._options = options
        self._protocol = protocol
        self._clock = clock
        self._subscriptions = tuple(subscriptions)
        self._will = will
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[Ended] = self._loop.create_future()
        self._lock = threading.Lock()
        self._jobs: deque[Callable[[Client], None]] | None = deque()
        self._unanswered: dict[int, asyncio.Future[None]] = {}
        self._awaited: set[asyncio.Future[None]] = set()
        self._wake_read, self._wake_write = socket.socketpair()
        self._wake_read.setblocking(False)
        self._wake_write.setblocking(False)
        self._greeted = False
        self._was_up = False
        self._trouble: Ended | None = None
        self._paho_said = ""
        self._socket: SocketLike | None = None
        self._alive_at = time.monotonic()
        self.thread = threading.Thread(target=self._run, name="samspel-mqtt", daemon=True)

    def start(self) -> None:
        """Begin to connect. Where the system has no room for a thread, `ended` says so."""
        try:
            self.thread.start()
        except RuntimeError as error:
            self._finish(Ended(str(error)))
            self._wake_read.close()

    def is_alive(self) -> bool:
        """Whether the thread runs and does not hang."""
        return self.thread.is_alive() and time.monotonic() - self._alive_at < _STALLED_S

    def publish(self, message: Outbound) -> asyncio.Future[None]:
        """A future that the broker's answer settles; TransportError otherwise."""
        answer: asyncio.Future[None] = self._loop.create_future()
        self._submit(lambda client: self._publish(client, message, answer), answer)
        answer.add_done_callback(self._forget)
        return answer

    def acknowledge(self, mid: int) -> None:
        """Send the acknowledgement of a received message, if the connection still stands."""
        with contextlib.suppress(TransportError):
            self._submit(lambda client: check(client.ack(mid, 1)))

    def disconnect(self) -> None:
        """Say farewell to the broker, so that the last will is not published; `ended` follows."""
        with contextlib.suppress(TransportError):
            self._submit(lambda client: check(client.disconnect()))

    def abandon(self, why: str) -> None:
        """Give the thread up: it is dead or hangs."""
        self._finish(Ended(why, was_up=self._was_up))
        if isinstance(self._socket, socket.socket):
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    # From here on: the connection's own thread.

    def _run(self) -> None:
        ended = Ended("the connection's thread was killed")
        try:
            ended = self._connect_and_serve()
        except ConfigError as error:
            ended = Ended(str(error))
        except (OSError, TransportError, ValueError) as error:
            ended = Ended(connect_trouble(error, self._options))
        except Exception as error:  # noqa: BLE001 -- whatever it is, a new connection follows
            _log.exception("the connection to the broker failed in an unexpected way")
            ended = Ended(f"{type(error).__name__}: {error}")
        finally:
            self._finish(Ended(ended.why, self._was_up, ended.version_refused, ended.silent))
            self._wake_read.close()

    def _connect_and_serve(self) -> Ended:
        client = make_client(self._options, self._protocol, self._will)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_log = self._on_log
        connect(client, self._options, self._protocol)
        self._socket = client.socket()
        try:
            return self._serve(client)
        finally:
            if (open_socket := client.socket()) is not None:
                open_socket.close()

    def _serve(self, client: Client) -> Ended:
        greeting_ends_at = time.monotonic() + self._options.connect_timeout_s
        with selectors.DefaultSelector() as selector:
            selector.register(self._wake_read, selectors.EVENT_READ)
            if (wire := client.socket()) is not None:
                selector.register(wire, selectors.EVENT_READ)
            while self._trouble is None and self._jobs is not None and (wire := client.socket()) is not None:
                self._turn(client, wire, selector)
                if not self._greeted and time.monotonic() > greeting_ends_at:
                    return Ended("the broker did not answer the greeting in time", silent=True)
        return self._trouble or Ended("the broker closed the connection", silent=not self._greeted)

    def _turn(self, client: Client, wire: SocketLike, selector: selectors.BaseSelector) -> None:
        """Wait for something to do, and do it."""
        self._alive_at = time.monotonic()
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if client.want_write() else 0)
        if selector.get_key(wire).events != wanted:
            selector.modify(wire, wanted)
        ready = {key.fileobj: events for key, events in selector.select(min(_TICK_S, self._patience_s()))}
        if self._wake_read in ready:
            self._do_jobs(client)
        if ready.get(wire, 0) & selectors.EVENT_READ:
            read(client, wire)
        if client.want_write():
            client.loop_write()
        client.loop_misc()

    def _patience_s(self) -> float:
        return _TICK_S if self._greeted else min(_TICK_S, self._options.connect_timeout_s / 4)

    def _do_jobs(self, client: Client) -> None:
        with contextlib.suppress(BlockingIOError):
            self._wake_read.recv(4096)
        with self._lock:
            jobs = list(self._jobs or ())
            if self._jobs:
                self._jobs.clear()
        for job in jobs:
            job(client)

    def _publish(self, client: Client, message: Outbound, answer: asyncio.Future[None]) -> None:
        try:
            info = publish(client, message, self._protocol)
        except ValueError as error:
            self._post(_fail, answer, TransportError(f"cannot publish to {message.topic}: {error}", refused=True))
            return
        if message.qos == 0:
            self._post(_succeed, answer)
        else:
            self._unanswered[info.mid] = answer

    def _on_connect(
        self, client: Client, _data: object, _flags: ConnectFlags, reason: ReasonCode, _properties: object
    ) -> None:
        self._greeted = True
        if reason.is_failure:
            refused = str(reason) == _UNSUPPORTED
            self._trouble = Ended(f"the broker refuses us: {reason}", version_refused=refused)
        elif self._subscriptions:
            subscribe(client, self._subscriptions, self._protocol)
        else:
            self._now_up()

    def _on_subscribe(
        self, _client: Client, _data: object, _mid: int, reasons: list[ReasonCode], _properties: object
    ) -> None:
        if any(reason.is_failure for reason in reasons):
            # A site that is up and deaf would be worse than one that is down.
            self._trouble = Ended(f"the broker refuses to let us hear {', '.join(self._subscriptions)}: {reasons}")
        else:
            self._now_up()

    def _now_up(self) -> None:
        self._was_up = True
        self._post(self._listener.up)

    def _on_message(self, client: Client, _data: object, message: MQTTMessage) -> None:
        try:
            inbound = self._inbound(message)
        except UnicodeDecodeError:
            self._drop(client, message, "a topic that is not UTF-8")
            return
        except Exception:  # noqa: BLE001 -- it would end the thread, and come again on the next connection
            _log.exception("a message could not be handed over")
            self._drop(client, message, "a message that could not be handed over")
            return
        if len(inbound.payload) > self._options.max_inbound_bytes:
            self._drop(client, message, f"{len(inbound.payload)} bytes on {inbound.topic}")
            return
        self._post(self._listener.message, inbound)

    def _inbound(self, message: MQTTMessage) -> Inbound:
        return Inbound(
            topic=message.topic,
            payload=bytes(message.payload),
            received_at=self._clock.monotonic(),
            retained=bool(message.retain),
            duplicate=bool(message.dup),
            token=(self, message.mid) if message.qos else None,
        )

    def _drop(self, client: Client, message: MQTTMessage, why: str) -> None:
        if message.qos:
            client.ack(message.mid, message.qos)
        self._post(self._listener.dropped, why)

    def _on_publish(self, _client: Client, _data: object, mid: int, reason: ReasonCode, _properties: object) -> None:
        answer = self._unanswered.pop(mid, None)
        if answer is None:
            return
        if reason.is_failure:
            self._post(_fail, answer, TransportError(f"the broker refused the message: {reason}", refused=True))
        else:
            self._post(_succeed, answer)

    def _on_disconnect(
        self, _client: Client, _data: object, _flags: DisconnectFlags, reason: ReasonCode, _properties: object
    ) -> None:
        if self._trouble is None:
            self._trouble = Ended(f"the connection ended: {reason}") if self._greeted else self._hung_up()

    def _hung_up(self) -> Ended:
        """Where TLS objects, another version of MQTT would not help."""
        return Ended(hang_up_trouble(self._paho_said, self._options), silent="ALERT" not in self._paho_said)

    def _on_log(self, _client: Client, _data: object, level: int, text: str) -> None:
        """The only place where paho tells what a socket, or TLS, objected to."""
        if level == LogLevel.MQTT_LOG_ERR:
            self._paho_said = text

    # From here on: either thread.

    def _submit(self, job: Callable[[Client], None], answer: asyncio.Future[None] | None = None) -> None:
        with self._lock:
            if self._jobs is None:
                raise TransportError("no connection to the broker; nothing was sent")
            if not self._jobs:  # Else the thread has been woken already.
                self._wake_write.send(b"!")
            self._jobs.append(job)
            if answer is not None:
                self._awaited.add(answer)

    def _forget(self, answer: asyncio.Future[None]) -> None:
        with self._lock:
            self._awaited.discard(answer)

    def _finish(self, ended: Ended) -> None:
        """Also for what still waited for its turn: nobody would ever answer it."""
        with self._lock:
            if self._jobs is None:
                return
            self._jobs = None
            self._wake_write.close()
            awaited = list(self._awaited)
        lost = TransportError(f"the broker was lost before it answered: {ended.why}", may_have_arrived=True)
        for answer in awaited:
            self._post(_fail, answer, lost)
        self._post(_settle, self.ended, ended)

    def _post(self, call: Callable[..., None], *arguments: object) -> None:
        # A closed loop has nobody left who listens.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(call, *arguments)


def _settle(future: asyncio.Future[Ended], ended: Ended) -> None:
    if not future.done():
        future.set_result(ended)


def _succeed(answer: asyncio.Future[None]) -> None:
    if not answer.done():
        answer.set_result(None)


def _fail(answer: asyncio.Future[None], error: TransportError) -> None:
    if not answer.done():
        answer.set_exception(error)
