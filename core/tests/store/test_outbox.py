"""The queue towards the broker: bounds, lanes and latest values."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samspel.contract.ports import Outbound, OutboxRow
from samspel.store.outbox import Outbox, OutboxLimits


class Shelf:
    """Remembers what belongs on disk."""

    def __init__(self) -> None:
        self.rows: dict[int, bool] = {}

    def keep(self, row: OutboxRow, *, droppable: bool) -> None:
        self.rows[row.row_id] = droppable

    def discard(self, row_id: int) -> None:
        del self.rows[row_id]

    async def kept(self) -> None:
        pass


def message(payload: bytes, **options) -> Outbound:
    return Outbound(topic="t", payload=payload, **options)


def payloads(rows) -> list[bytes]:
    return [row.message.payload for row in rows]


async def test_head_waits_for_the_first_row():
    outbox = Outbox(Shelf(), OutboxLimits())
    waiting = asyncio.create_task(outbox.head(5))
    await asyncio.sleep(0)
    assert not waiting.done()
    outbox.add(message(b"x"), droppable=True)
    assert payloads(await waiting) == [b"x"]


async def test_rows_stay_until_sent():
    outbox = Outbox(Shelf(), OutboxLimits())
    outbox.add(message(b"x"), droppable=True)
    (row,) = await outbox.head(5)
    outbox.failed(row.row_id)
    (again,) = await outbox.head(5)
    assert (again.row_id, again.tries, again.message) == (row.row_id, 1, row.message)
    outbox.sent(row.row_id)
    assert len(outbox) == 0
    outbox.sent(row.row_id)
    outbox.failed(row.row_id)


async def test_the_oldest_telemetry_goes_first_when_it_is_full_and_outcomes_never():
    shelf = Shelf()
    outbox = Outbox(shelf, OutboxLimits(max_rows=4))
    for number in range(3):
        outbox.add(message(b"outcome %d" % number), droppable=False)
    for number in range(3):
        outbox.add(message(b"telemetry %d" % number), droppable=True)
    for number in range(3, 6):
        outbox.add(message(b"outcome %d" % number), droppable=False)
    assert payloads(await outbox.head(99)) == [b"outcome %d" % number for number in range(6)]
    assert outbox.dropped == 3
    assert set(shelf.rows.values()) == {False}


async def test_the_latest_values_go_before_any_backlog():
    """The status carries the nonce: a dispatcher must not wait for the replay of an outage to be able to speak."""
    outbox = Outbox(Shelf(), OutboxLimits())
    outbox.add(message(b"outcome"), droppable=False)
    outbox.add(message(b"telemetry"), droppable=True)
    outbox.add(message(b"status", retain=True), droppable=True)
    assert payloads(await outbox.head(99)) == [b"status", b"outcome", b"telemetry"]


async def test_bytes_are_bounded_too():
    outbox = Outbox(Shelf(), OutboxLimits(max_bytes=10_000))
    for number in range(20):
        outbox.add(message(b"%d" % number * 1000), droppable=True)
    assert 3 <= len(outbox) <= 10
    assert payloads(await outbox.head(99))[-1].startswith(b"19")


async def test_a_latest_value_replaces_its_predecessor_and_is_never_on_disk():
    shelf = Shelf()
    outbox = Outbox(shelf, OutboxLimits())
    outbox.add(message(b"online", retain=True), droppable=False)
    (first,) = await outbox.head(9)
    outbox.add(message(b"degraded", retain=True), droppable=False)
    outbox.sent(first.row_id)
    assert payloads(await outbox.head(9)) == [b"degraded"]
    assert shelf.rows == {}


async def test_rows_of_an_earlier_run_count_as_tried_and_ids_go_on():
    old = OutboxRow(row_id=41, message=message(b"old"))
    outbox = Outbox(Shelf(), OutboxLimits(), [(old, True)])
    outbox.add(message(b"new"), droppable=True)
    rows = await outbox.head(9)
    assert [(row.row_id, row.tries) for row in rows] == [(41, 1), (42, 0)]


async def test_what_an_earlier_run_left_is_held_to_todays_bounds():
    rows = [OutboxRow(row_id=number, message=message(b"%d" % number)) for number in range(1, 7)]
    shelf = Shelf()
    shelf.rows = {row.row_id: row.row_id > 2 for row in rows}
    outbox = Outbox(shelf, OutboxLimits(max_rows=3), [(row, row.row_id > 2) for row in rows])
    assert payloads(await outbox.head(9)) == [b"1", b"2", b"6"]
    assert shelf.rows == {1: False, 2: False, 6: True}


actions = st.one_of(
    st.tuples(st.just("add"), st.booleans(), st.booleans(), st.integers(0, 3000)),
    st.tuples(st.just("sent"), st.integers(1, 60)),
    st.tuples(st.just("failed"), st.integers(1, 60)),
)


@given(st.lists(actions, max_size=60))
def test_whatever_happens_the_shelf_the_bounds_and_the_promise_hold(steps):
    shelf = Shelf()
    limits = OutboxLimits(max_rows=8, max_bytes=8000)
    outbox = Outbox(shelf, limits)
    firm: set[int] = set()
    added = 0
    for name, *details in steps:
        if name == "add":
            added += 1
            droppable, retain, size = details
            outbox.add(Outbound(topic="t", payload=bytes(size), retain=retain), droppable=droppable)
            firm |= {added} if not (droppable or retain) else set()
        else:
            getattr(outbox, name)(details[0])
            firm -= {details[0]} if name == "sent" else set()
        kept = {row.row_id: droppable for row, droppable in outbox.rows()}
        assert kept == shelf.rows
        assert firm <= kept.keys()
        if any(kept.values()):
            assert len(outbox) <= limits.max_rows
            assert sum(len(row.message.payload) for row, _ in outbox.rows()) <= limits.max_bytes


@pytest.mark.parametrize("count", [1, 3])
async def test_head_gives_no_more_than_asked(count):
    outbox = Outbox(Shelf(), OutboxLimits())
    for number in range(5):
        outbox.add(message(b"%d" % number), droppable=number % 2 == 0)
    assert payloads(await outbox.head(count)) == [b"1", b"3", b"0"][:count]


# --- what the broker refuses ------------------------------------------------------------------------------------------


async def test_what_is_refused_is_set_aside_and_kept():
    shelf = Shelf()
    outbox = Outbox(shelf, OutboxLimits())
    for payload in (b"1", b"2", b"3"):
        outbox.add(message(payload), droppable=False)
    first, second, _ = await outbox.head(9)
    outbox.refuse(first.row_id)
    outbox.refuse(second.row_id)
    assert payloads(await outbox.head(9)) == [b"3"]
    assert payloads(outbox.refused(9)) == [b"1", b"2"]
    outbox.refuse(first.row_id)
    assert payloads(outbox.refused(9)) == [b"2", b"1"], "who is refused again goes to the end"
    assert (len(outbox), len(shelf.rows)) == (3, 3)
    outbox.sent(first.row_id)
    assert payloads(outbox.refused(9)) == [b"2"]
    assert payloads(row for row, _ in outbox.rows()) == [b"2", b"3"]


async def test_head_waits_while_all_that_waits_was_refused():
    outbox = Outbox(Shelf(), OutboxLimits())
    outbox.add(message(b"x"), droppable=True)
    (row,) = await outbox.head(5)
    outbox.refuse(row.row_id)
    waiting = asyncio.create_task(outbox.head(5))
    await asyncio.sleep(0)
    assert not waiting.done()
    outbox.add(message(b"y"), droppable=True)
    assert payloads(await waiting) == [b"y"]


async def test_refused_telemetry_and_values_go_as_others_do():
    outbox = Outbox(Shelf(), OutboxLimits(max_rows=3))
    for payload in (b"1", b"2"):
        outbox.add(message(payload), droppable=True)
    outbox.add(message(b"old", retain=True), droppable=True)
    for row in await outbox.head(9):
        outbox.refuse(row.row_id)
    outbox.add(message(b"new", retain=True), droppable=True)
    assert payloads(outbox.refused(9)) == [b"1", b"2"]
    outbox.add(message(b"3"), droppable=True)
    assert payloads(outbox.refused(9)) == [b"2"]
    assert payloads(await outbox.head(9)) == [b"new", b"3"]
    outbox.refuse(12345)
    assert payloads(outbox.refused(9)) == [b"2"], "a row that is gone is no error"


def test_what_was_refused_in_an_earlier_life_is_tried_with_the_rest():
    shelf = Shelf()
    outbox = Outbox(shelf, OutboxLimits())
    outbox.add(message(b"1"), droppable=False)
    outbox.refuse(1)
    again = Outbox(shelf, OutboxLimits(), list(outbox.rows()))
    assert again.refused(9) == ()
