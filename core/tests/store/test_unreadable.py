"""What cannot be read of an earlier run is said and left out; the rest is used."""

from __future__ import annotations

import sqlite3

import pytest
from samspel.clock import SystemClock
from samspel.store.store import Store


async def left(path, **documents: str) -> None:
    """An earlier run's documents, as text."""
    store = Store.open(path, SystemClock())
    await store.close()
    with sqlite3.connect(path) as connection:
        connection.executemany("INSERT INTO journal VALUES (?, ?)", documents.items())
    connection.close()


@pytest.mark.parametrize("text", ['{"phase', '{"phase": }', "[1, 2]", "3", ""])
async def test_a_document_that_is_none_is_empty_and_told_once(tmp_path, text):
    path = tmp_path / "edge.sqlite"
    await left(path, control=text, order='{"b": 2}')
    store = Store.open(path, SystemClock())
    assert [store.journal.get("control") for _ in range(3)] == [{}] * 3
    assert store.journal.get("order") == {"b": 2}
    assert store.journal.get("nothing") is None
    assert len(store.lost) == 1
    assert "control cannot be read" in store.lost[0]
    await store.journal.put("control", {"a": 1})
    await store.close()
    again = Store.open(path, SystemClock())
    assert again.journal.get("control") == {"a": 1}
    assert not again.lost
    await again.close()


async def test_of_a_damaged_file_any_document_may_have_been_lost_and_where_it_lies_is_told(tmp_path):
    path = tmp_path / "edge.sqlite"
    path.write_bytes(b"this is no database " * 500)
    store = Store.open(path, SystemClock())
    assert store.journal.get("battery/control") == {}
    assert str(store.recovered) in store.lost[0]
    await store.close()
