"""MQTT through paho: a connection after the other, each watched, for as long as the process lives."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable, Sequence

from samspel.contract.errors import TransportError
from samspel.contract.ports import Clock, Inbound, Outbound, TransportState
from samspel.transport.mqtt_connection import Connection, Ended, Listener
from samspel.transport.mqtt_options import MqttOptions, Protocol, tls_context

__all__ = ["MqttTransport"]

_log = logging.getLogger(__name__)

_IN_FLIGHT = 8
_WATCH_S = 1.0
_FAREWELL_S = 1.5
_LEAVE_S = 1.0


class MqttTransport:
    """Implements `samspel.contract.ports.Transport`.

    Up means: greeted and subscribed. `connections` counts how often that was reached, `dropped` the inbound messages
    that were too large or had an unreadable topic, `protocol` is what the last attempt spoke.
    Acknowledgements go out in the order in which messages are decided, not strictly in that of arrival.
    """

    def __init__(
        self,
        options: MqttOptions,
        clock: Clock,
        will: Outbound | None = None,
        jitter: random.Random | None = None,
    ) -> None:
        self._options = options
        self._clock = clock
        self._will = will
        self._jitter = jitter or random.Random()
        self._versions = _Versions(options.protocol)
        self._subscriptions: Sequence[str] = ()
        self._on_message: Callable[[Inbound], None] = _ignore
        self._on_state: Callable[[TransportState], None] = _ignore
        self._in_flight = asyncio.Semaphore(_IN_FLIGHT)
        self._connection: Connection | None = None
        self._supervisor: asyncio.Task[None] | None = None
        self._up = False
        self.connections = 0
        self.dropped = 0

    @property
    def protocol(self) -> Protocol:
        """The version of the current attempt, which stays with what worked."""
        return self._versions.current

    async def start(
        self,
        subscriptions: Sequence[str],
        on_message: Callable[[Inbound], None],
        on_state: Callable[[TransportState], None],
    ) -> None:
        """Begin connecting, for ever. Raises ConfigError at once when TLS files cannot be used."""
        await asyncio.to_thread(tls_context, self._options)
        self._subscriptions = tuple(subscriptions)
        self._on_message, self._on_state = on_message, on_state
        self._supervisor = asyncio.create_task(self._supervise(), name="mqtt supervisor")

    async def publish(self, message: Outbound) -> None:
        """Wait for the broker's acknowledgement. Raises TransportError; `may_have_arrived` when it was sent."""
        sent = False
        try:
            async with asyncio.timeout(self._options.publish_timeout_s), self._in_flight:
                if not self._up or self._connection is None:
                    raise TransportError(f"no connection to {self._broker()}; nothing was sent")
                answer = self._connection.publish(message)
                sent = True
                await answer
        except TimeoutError as error:
            raise TransportError(
                f"{self._broker()} did not acknowledge within {self._options.publish_timeout_s:g} s",
                may_have_arrived=sent,
            ) from error

    def acknowledge(self, message: Inbound) -> None:
        """Acknowledge on the connection that brought the message; if that is gone, it will come again."""
        if isinstance(message.token, tuple):
            connection, mid = message.token
            connection.acknowledge(mid)

    async def close(self, farewell: Outbound | None = None) -> None:
        """Publish `farewell` when up, then leave in order. Takes three seconds at most."""
        if farewell is not None and self._up:
            with contextlib.suppress(TransportError, TimeoutError):
                await asyncio.wait_for(self.publish(farewell), _FAREWELL_S)
        if self._supervisor is not None:
            self._supervisor.cancel()
            await asyncio.wait([self._supervisor])
        self._up = False
        await self._leave()

    async def _leave(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            connection.disconnect()
            await asyncio.wait([connection.ended], timeout=_LEAVE_S)
        finally:
            connection.abandon("closed by us")

    async def _supervise(self) -> None:
        failures = 0
        while True:
            try:
                ended = await self._run_connection()
            except Exception as error:  # noqa: BLE001 -- no thread or socket to be had now is no reason to give up
                _log.exception("could not begin a connection to the broker")
                ended = Ended(f"{type(error).__name__}: {error}")
            _log.warning("broker %s: %s (MQTT %s)", self._broker(), ended.why, self.protocol)
            failures = 1 if ended.was_up else failures + 1
            if not self._versions.try_other_at_once(ended):
                await asyncio.sleep(self._pause_s(failures))

    async def _run_connection(self) -> Ended:
        connection = Connection(
            self._options,
            self._versions.current,
            self._clock,
            self._subscriptions,
            self._will,
            Listener(up=self._now_up, message=self._hand_over, dropped=self._count_dropped),
        )
        self._connection = connection
        connection.start()
        # A thread that dies says so itself; the watch is for one that hangs or could not even say it.
        while not (await asyncio.wait([connection.ended], timeout=_WATCH_S))[0]:
            if not connection.is_alive():
                connection.abandon("the connection's thread is dead or hangs")
        self._now_down()
        return connection.ended.result()

    def _pause_s(self, failures: int) -> float:
        longest_s = min(self._options.reconnect_max_s, self._options.reconnect_min_s * 2.0 ** min(failures - 1, 16))
        return longest_s * self._jitter.uniform(0.5, 1.0)

    def _now_up(self) -> None:
        if self._supervisor is None or self._supervisor.done():
            return
        self._up = True
        self.connections += 1
        _log.info("broker %s: connected (MQTT %s)", self._broker(), self.protocol)
        self._tell(self._on_state, TransportState.UP)

    def _now_down(self) -> None:
        if self._up:
            self._up = False
            self._tell(self._on_state, TransportState.DOWN)

    def _hand_over(self, inbound: Inbound) -> None:
        self._tell(self._on_message, inbound)

    def _tell(self, listener: Callable[..., None], what: object) -> None:
        try:
            listener(what)
        except Exception:  # noqa: BLE001 -- a listener's defect must not make the site deaf
            _log.exception("the listener failed on %r", what)

    def _count_dropped(self, why: str) -> None:
        self.dropped += 1
        _log.warning("broker %s: dropped a message: %s", self._broker(), why)

    def _broker(self) -> str:
        return f"{self._options.host}:{self._options.port}"


class _Versions:
    """Which version to speak: the wanted one, or 5 and 3.1.1 in turn until one works, which is kept."""

    def __init__(self, wanted: Protocol) -> None:
        self._is_open = wanted is Protocol.AUTO
        self._has_worked = False
        self.current = Protocol.V5 if self._is_open else wanted

    def try_other_at_once(self, ended: Ended) -> bool:
        """Learn from a connection's end; true when the other version should be tried without a pause."""
        self._has_worked |= ended.was_up
        if not self._is_open or not (ended.version_refused or (ended.silent and not self._has_worked)):
            return False
        self.current = Protocol.V311 if self.current is Protocol.V5 else Protocol.V5
        return self.current is Protocol.V311


def _ignore(_: object) -> None:
    """Before `start` nobody listens."""
