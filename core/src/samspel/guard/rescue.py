"""What is done about a dead edge: the same control as ever, for a short while, and without a broker.

There is one decision table (`control.recovery`) and one way to act by it: a rescuer is an edge whose only link is the
bus. It re-asserts a stop, adopts what has time left, gives back what has not, and leaves foreign values alone; its
outcomes and its journal wait on disk for the next edge. What it does without: broker, admission, new commands.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from samspel.contract.ports import Inbound, Outbound, TransportState
from samspel.control.state import Phase, State
from samspel.edge import Edge

__all__ = ["Nobody", "is_held", "is_settled", "look_after"]

logger = logging.getLogger("samspel.guard")

RESCUE_S = 30.0
"""A device that has not answered by then is left to the next edge, which goes on trying."""


class Nobody:
    """A transport with no broker behind it: nothing comes, and what is to be sent waits in the outbox."""

    async def start(
        self,
        subscriptions: Sequence[str],
        on_message: Callable[[Inbound], None],
        on_state: Callable[[TransportState], None],
    ) -> None:
        """Nothing to connect to."""

    async def publish(self, message: Outbound) -> None:  # noqa: ARG002 - a port's signature
        """Wait for ever: neither sent, nor tried and failed."""
        await asyncio.Event().wait()

    def acknowledge(self, message: Inbound) -> None:
        """Nothing came."""

    async def close(self, farewell: Outbound | None = None) -> None:
        """Nobody to say it to; the broker has the last will."""


def is_held(state: State) -> bool:
    """Whether something of ours stands in the device, may stand there, or is about to."""
    return state.phase not in (Phase.RELEASED, Phase.FOREIGN) or state.lease is not None


def is_settled(state: State) -> bool:
    """Whether what the decision table asks for has been done."""
    if state.unsettled or state.give_back is not None:
        return False
    if state.stop is not None:
        return state.stop.asserted
    if state.lease is not None:
        return state.phase is Phase.CONTROLLING and state.lease.written and not state.news
    return state.phase in (Phase.RELEASED, Phase.FOREIGN)


async def look_after(edge: Edge, stay_s: float) -> bool:
    """Run until every device is settled, and while something is held for at least `stay_s`; true if it still is.

    `edge` has been started, and is stopped by whoever has.
    """

    def states() -> list[State]:
        return [device.controller.state for device in edge.devices.values()]

    try:
        async with asyncio.timeout(RESCUE_S):
            while not all(is_settled(state) or not is_held(state) for state in states()):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        async with asyncio.timeout(stay_s):
            while any(is_held(state) for state in states()):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    except TimeoutError:
        pass  # Either is an answer: what is still held says so.
    return any(is_held(state) for state in states())
