"""What an edge does about a dead guard.

Unsafe condition: a command stands in a device that would keep it for ever if this edge hung too. Limit: the guard's
end of the socket is closed. Reaction: what stands on a route without the device's own timer is given back in order,
its command ends as interrupted; then the edge hands over and ends, so that whoever starts both starts both. Recovery:
the next start. What outranks it: a stop, which goes on holding zero; and a route whose device has a timer, which is
left as it is: the successor adopts it, or the device ends it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from samspel.control.events import Unguarded
from samspel.control.state import Phase
from samspel.control.untimed import stands_without_timer
from samspel.device import Device

__all__ = ["give_back_untimed"]

logger = logging.getLogger("samspel.guard")

GIVE_BACK_S = 15.0
"""What has not been given back by then is on disk as an order: the next edge finishes it."""

TEXT = "the guard has died, and the device has no timer of its own"


async def give_back_untimed(devices: Mapping[str, Device]) -> None:
    """Give back what must not stand without a guard. Never takes longer than `GIVE_BACK_S`."""
    untimed = [device for device in devices.values() if stands_without_timer(device.controller.state)]
    logger.error("the guard has died", extra={"given_back": ", ".join(device.name for device in untimed) or "nothing"})
    for device in devices.values():
        device.controller.submit(Unguarded(TEXT))
    try:
        async with asyncio.timeout(GIVE_BACK_S):
            while any(device.controller.state.phase is not Phase.RELEASED for device in untimed):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    except TimeoutError:
        logger.error("not given back in time; the order is kept")  # noqa: TRY400 - the time-out says nothing more
