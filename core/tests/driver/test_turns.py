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


async def test_once_withdrawn_nothing_is_waited_for_any_more():
    ticket, ended = Ticket(Urgency.SET_POINT), []
    ticket.withdraw()
    ticket.withdraw()

    async def work():
        try:
            await asyncio.sleep(100)
        finally:
            ended.append(True)

    with pytest.raises(SequenceAbandoned):
        await ticket.unless_withdrawn(work())
    assert ended == [True], "it is not left running"
    assert asyncio.get_running_loop().time() == pytest.approx(0)


async def test_what_a_withdrawn_wait_ends_with_is_of_no_interest():
    async def breaks(ticket: Ticket) -> None:
        ticket.withdraw()
        raise KeyError("too late")

    async def answers(ticket: Ticket) -> int:
        ticket.withdraw()
        return 7

    async def breaks_when_cut_off(ticket: Ticket) -> None:
        asyncio.get_running_loop().call_later(1, ticket.withdraw)
        try:
            await asyncio.sleep(100)
        finally:
            raise KeyError("on the way out")

    for work in (breaks, answers, breaks_when_cut_off):
        ticket = Ticket(Urgency.SET_POINT)
        with pytest.raises(SequenceAbandoned):
            await ticket.unless_withdrawn(work(ticket))


async def test_a_time_limit_of_the_work_itself_is_its_own_error():
    async def late() -> None:
        async with asyncio.timeout(1):
            await asyncio.sleep(100)

    with pytest.raises(TimeoutError):
        await Ticket(Urgency.SET_POINT).unless_withdrawn(late())


async def test_the_end_of_the_process_is_no_withdrawal():
    ticket = Ticket(Urgency.SET_POINT)
    for also_withdrawn in (False, True):
        waiting = asyncio.create_task(ticket.sleep(100))
        await asyncio.sleep(1)
        if also_withdrawn:
            ticket.withdraw()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
