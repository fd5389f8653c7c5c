"""From the outbox to the broker: few in flight, deleted on acknowledgement, slowly after an outage.

What the broker refuses while it takes the rest (rules of access, mostly) is set aside and tried again now and then, so
that it does not stop what is behind it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from enum import Enum, auto

from samspel.contract.errors import TransportError
from samspel.contract.ports import Clock, Outbound, OutboxPort, OutboxRow, Transport
from samspel.transport.dump import mark_duplicate

__all__ = ["drain"]

_log = logging.getLogger(__name__)

_IN_FLIGHT = 8
_PAUSE_S = 1.0
"""After a failure. The transport reconnects in its own time; asking it again once a second costs nothing."""

_REFUSED_PAUSE_MAX_S = 60.0
"""Between two attempts with what was refused. Each takes `_IN_FLIGHT` messages; the pause doubles from `_PAUSE_S`."""


async def drain(outbox: OutboxPort, transport: Transport, clock: Clock, *, rate_per_s: float = 50.0) -> None:
    """Send what the outbox holds, for ever, until cancelled; raises nothing else.

    `rate_per_s` (> 0) bounds the replay after an outage. Up to one second's worth may go at once, so that in normal
    running nothing waits. An outcome that may have arrived before is sent with `duplicate: true`.
    """
    pump = _Pump(outbox, transport, _Rate(clock, rate_per_s))
    async with asyncio.TaskGroup() as both:
        both.create_task(pump.send_for_ever(), name="outbox: what waits")
        both.create_task(pump.try_again_for_ever(), name="outbox: what was refused")


class _Answer(Enum):
    TAKEN = auto()
    REFUSED = auto()
    LOST = auto()


class _Pump:
    """`_refusing` are the topics that were warned about, until nothing waits any more that was refused."""

    def __init__(self, outbox: OutboxPort, transport: Transport, rate: _Rate) -> None:
        self._outbox, self._transport, self._rate = outbox, transport, rate
        self._refusing: set[str] = set()
        self._some_refused = asyncio.Event()

    async def send_for_ever(self) -> None:
        """What waits, in its order."""
        while True:
            if _Answer.LOST in await self._send_all(await self._outbox.head(_IN_FLIGHT)):
                await asyncio.sleep(_PAUSE_S)

    async def try_again_for_ever(self) -> None:
        """What was refused, ever more seldom while none of it is taken."""
        pause_s = _PAUSE_S
        while True:
            await self._some_refused.wait()
            await asyncio.sleep(pause_s)
            if rows := self._outbox.refused(_IN_FLIGHT):
                taken = _Answer.TAKEN in await self._send_all(rows)
                pause_s = _PAUSE_S if taken else min(2 * pause_s, _REFUSED_PAUSE_MAX_S)
            else:
                self._some_refused.clear()
                self._refusing.clear()
                pause_s = _PAUSE_S

    async def _send_all(self, rows: Sequence[OutboxRow]) -> list[_Answer]:
        await self._rate.spend(len(rows))
        return await asyncio.gather(*(self._send(row) for row in rows))

    async def _send(self, row: OutboxRow) -> _Answer:
        topic = row.message.topic
        try:
            await self._transport.publish(_as_sent(row))
        except TransportError as error:
            if error.refused:
                return self._set_aside(row, error)
            _log.debug("%s waits: %s", topic, error)
            if error.may_have_arrived:
                self._outbox.failed(row.row_id)
            return _Answer.LOST
        except Exception:  # noqa: BLE001 -- one message must not stop the others; it stays and is tried again
            _log.exception("sending to %s failed in an unexpected way", topic)
            return self._set_aside(row)
        self._outbox.sent(row.row_id)
        return _Answer.TAKEN

    def _set_aside(self, row: OutboxRow, error: TransportError | None = None) -> _Answer:
        topic = row.message.topic
        if error is not None and topic not in self._refusing:
            self._refusing.add(topic)
            _log.warning(
                "the broker refuses %s: %s; what was said there is kept and tried again: check the broker's access "
                "rules, and that site.name is the name it knows us by",
                topic,
                error,
            )
        self._outbox.refuse(row.row_id)
        self._some_refused.set()
        return _Answer.REFUSED


def _as_sent(row: OutboxRow) -> Outbound:
    if row.tries == 0:
        return row.message
    return replace(row.message, payload=mark_duplicate(row.message.payload))


class _Rate:
    """A bucket of one second's worth."""

    def __init__(self, clock: Clock, rate_per_s: float) -> None:
        self._clock = clock
        self._rate_per_s = rate_per_s
        self._left = rate_per_s
        self._at = clock.monotonic()

    async def spend(self, count: int) -> None:
        """Wait until the bucket is not in debt, then take `count`."""
        self._fill()
        if self._left < 0:
            await asyncio.sleep(-self._left / self._rate_per_s)
            self._fill()
        self._left -= count

    def _fill(self) -> None:
        now = self._clock.monotonic()
        self._left = min(self._rate_per_s, self._left + (now - self._at) * self._rate_per_s)
        self._at = now
