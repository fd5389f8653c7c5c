"""From the outbox to the broker: few in flight, deleted on acknowledgement, slowly after an outage."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

from samspel.contract.errors import TransportError
from samspel.contract.ports import Clock, Outbound, OutboxPort, OutboxRow, Transport
from samspel.transport.dump import mark_duplicate

__all__ = ["drain"]

_log = logging.getLogger(__name__)

_IN_FLIGHT = 8
_LINGER_S = 0.01
"""A report waits so long for company before it is sent: a set-point is written at the device before anything is said
about it, and what is said about it goes out together."""

_PAUSE_S = 1.0
"""After a failure. The transport reconnects in its own time; asking it again once a second costs nothing."""


async def drain(outbox: OutboxPort, transport: Transport, clock: Clock, *, rate_per_s: float = 50.0) -> None:
    """Send what the outbox holds, for ever, until cancelled; raises nothing else.

    `rate_per_s` (> 0) bounds the replay after an outage. Up to one second's worth may go at once, so that in normal
    running nothing waits. An outcome that may have arrived before is sent with `duplicate: true`.
    """
    rate = _Rate(clock, rate_per_s)
    while True:
        await outbox.head(1)
        await asyncio.sleep(_LINGER_S)
        rows = await outbox.head(_IN_FLIGHT)
        await rate.spend(len(rows))
        went_well = await asyncio.gather(*(_send(row, outbox, transport) for row in rows))
        if not all(went_well):
            await asyncio.sleep(_PAUSE_S)


async def _send(row: OutboxRow, outbox: OutboxPort, transport: Transport) -> bool:
    try:
        await transport.publish(_as_sent(row))
    except TransportError as error:
        _log.debug("%s waits: %s", row.message.topic, error)
        if error.may_have_arrived:
            outbox.failed(row.row_id)
        return False
    except Exception:  # noqa: BLE001 -- one message must not stop the others; it stays and is tried again
        _log.exception("sending to %s failed in an unexpected way", row.message.topic)
        return False
    outbox.sent(row.row_id)
    return True


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
