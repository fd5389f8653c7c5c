"""Turns: one at a time, the milder one leaves, and who was told to leave never starts."""

from __future__ import annotations

import asyncio

import pytest
from samspel.contract.errors import SequenceAbandoned
from samspel.driver.turns import Ticket, Turns, Urgency

pytestmark = pytest.mark.looptime


async def hold(turns: Turns, urgency: Urgency, log: list[str], name: str, seconds: float = 1.0) -> None:
    async with turns.turn(urgency):
        log.append(name)
        await asyncio.sleep(seconds)
        log.append(f"{name} ends")


async def test_equal_ones_queue_in_order():
    turns, log = Turns(), []
    await asyncio.gather(*(hold(turns, Urgency.SET_POINT, log, name) for name in "abc"))
    assert log == ["a", "a ends", "b", "b ends", "c", "c ends"]


async def test_a_waiting_milder_one_never_starts():
    turns, log = Turns(), []
    first = asyncio.create_task(hold(turns, Urgency.SET_POINT, log, "first"))
    await asyncio.sleep(0.1)
    waiting = asyncio.create_task(hold(turns, Urgency.RELEASE, log, "waiting"))
    await asyncio.sleep(0.1)
    await hold(turns, Urgency.STOP, log, "stop")
    await first
    with pytest.raises(SequenceAbandoned):
        await waiting
    assert log == ["first", "first ends", "stop", "stop ends"], "what is on the bus is waited for"


async def test_a_set_point_that_comes_during_a_stop_is_too_late():
    turns, log = Turns(), []
    stopping = asyncio.create_task(hold(turns, Urgency.STOP, log, "stop"))
    await asyncio.sleep(0.1)
    with pytest.raises(SequenceAbandoned):
        await hold(turns, Urgency.SET_POINT, log, "late")
    await stopping
    await hold(turns, Urgency.SET_POINT, log, "later")
    assert log == ["stop", "stop ends", "later", "later ends"]


async def test_waiting_and_reading_end_at_once_when_the_ticket_is_withdrawn():
    ticket = Ticket(Urgency.SET_POINT)
    reading = asyncio.create_task(ticket.unless_withdrawn(asyncio.sleep(100, result="late")))
    await asyncio.sleep(1)
    ticket.withdraw()
    with pytest.raises(SequenceAbandoned):
        await reading
    assert asyncio.get_running_loop().time() == pytest.approx(1)


async def test_the_result_or_the_error_of_the_work_comes_through():
    ticket = Ticket(Urgency.SET_POINT)
    assert await ticket.unless_withdrawn(asyncio.sleep(1, result=7)) == 7

    async def broken():
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await ticket.unless_withdrawn(broken())
