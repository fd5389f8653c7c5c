"""One file, one owner: it survives restarts, kill -9, a full disk and a damaged file."""

from __future__ import annotations

import asyncio
import io
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from samspel.clock import SystemClock
from samspel.contract.errors import StoreError
from samspel.contract.ports import Outbound
from samspel.store.memory import MemoryStore
from samspel.store.oplog import export_csv
from samspel.store.store import Store
from samspel.store.writer import Statement, Writer

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def reopen(path: Path) -> Store:
    return Store.open(path, SystemClock())


@pytest.fixture(params=["file", "memory"])
def journal(request, tmp_path):
    return request.getfixturevalue("store").journal if request.param == "file" else MemoryStore().journal


@pytest.mark.parametrize("durable", [False, True])
async def test_a_document_is_read_back_and_replaced(journal, durable):
    assert journal.get("control") is None
    await journal.put("control", {"power_w": -1500.0, "marks": [1, None, "x"]}, durable=durable)
    assert journal.get("control") == {"power_w": -1500.0, "marks": [1, None, "x"]}
    await journal.put("control", {}, durable=durable)
    assert journal.get("control") == {}


async def test_a_document_read_is_a_copy(journal):
    await journal.put("control", {"marks": [1]})
    journal.get("control")["marks"].append(2)
    assert journal.get("control") == {"marks": [1]}


async def test_what_is_no_json_is_refused_before_anything_happens(journal):
    for hopeless in ({"x": float("nan")}, {"x": object()}):
        with pytest.raises((ValueError, TypeError)):
            await journal.put("control", hopeless)
    assert journal.get("control") is None


async def test_everything_is_there_after_a_restart(path):
    store = reopen(path)
    await store.journal.put("control", {"a": 1}, durable=True)
    await store.journal.put("order", {"b": 2})
    message = Outbound(topic="t", payload=b"\x00\xff", expiry_s=60, correlation="c-1")
    store.outbox.add(message, droppable=False)
    store.outbox.add(Outbound(topic="t", payload=b"telemetry"), droppable=True)
    await store.close()

    store = reopen(path)
    assert store.recovered is None
    assert (store.journal.get("control"), store.journal.get("order")) == ({"a": 1}, {"b": 2})
    first, second = await store.outbox.head(9)
    assert (first.message, first.tries) == (message, 1)
    assert second.message.payload == b"telemetry"
    store.outbox.sent(first.row_id)
    await store.close()

    store = reopen(path)
    assert [row.row_id for row in await store.outbox.head(9)] == [second.row_id]
    await store.close()


async def test_a_put_whose_caller_gave_up_still_counts(store):
    putting = asyncio.create_task(store.journal.put("control", {"a": 1}, durable=True))
    await asyncio.sleep(0)
    putting.cancel()
    await store.flush()
    await asyncio.sleep(0)
    assert store.journal.get("control") == {"a": 1}


async def test_a_later_put_wins_over_an_earlier_durable_one(store):
    await asyncio.gather(store.journal.put("control", {"n": 1}, durable=True), store.journal.put("control", {"n": 2}))
    assert store.journal.get("control") == {"n": 2}


WORKER = """
import asyncio, sys
from pathlib import Path
from samspel.clock import SystemClock
from samspel.contract.ports import Outbound
from samspel.store.store import Store

async def main():
    store = Store.open(Path(sys.argv[1]), SystemClock())
    for number in range(10**6):
        store.outbox.add(Outbound(topic="t", payload=b"%d" % number), droppable=False)
        if number % 3 == 0:
            await store.flush()
            print("row", number, flush=True)
        await store.journal.put("n", {"n": number}, durable=number % 2 == 0)
        print("put", number, flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize("seed", range(4))
async def test_nothing_acknowledged_is_lost_when_the_process_is_killed(path, seed):
    lines = random.Random(seed).randint(2, 300)
    worker = subprocess.Popen(  # noqa: ASYNC220 -- nothing else runs on this loop
        [sys.executable, "-c", WORKER, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert worker.stdout is not None
    said = [next(worker.stdout).split() for _ in range(lines)]
    os.kill(worker.pid, signal.SIGKILL)
    said += [line.split() for line in worker.stdout.read().splitlines() if len(line.split()) == 2]
    worker.wait()
    worker.stdout.close()

    last = {kind: int(number) for kind, number in said}
    store = reopen(path)
    assert store.journal.get("n")["n"] >= last.get("put", 0)
    kept = {int(row.message.payload) for row in await store.outbox.head(10**6)}
    assert set(range(last["row"] + 1)) <= kept
    await store.close()


class Disk:
    """Makes the file's disk full: no page more than now may be used."""

    def __init__(self, store: Store) -> None:
        self._connection = store._writer._connection

    def fill(self) -> None:
        self._connection.execute("PRAGMA max_page_count = 1")

    def empty(self) -> None:
        self._connection.execute("PRAGMA max_page_count = 1000000")


BIG = {"x": "x" * 100_000}


async def test_on_a_full_disk_a_durable_put_fails_and_changes_nothing(store, path):
    await store.journal.put("control", {"old": True})
    Disk(store).fill()
    with pytest.raises(StoreError, match="the disk is full: make room"):
        await store.journal.put("control", BIG, durable=True)
    assert store.journal.get("control") == {"old": True}
    assert store.failures == 1


async def test_on_a_full_disk_everything_else_goes_on_in_memory_and_the_disk_catches_up(store, path):
    disk = Disk(store)
    disk.fill()
    await store.journal.put("stop", BIG)
    store.outbox.add(Outbound(topic="t", payload=bytes(100_000)), droppable=False)
    assert not await store.flush()
    assert store.journal.get("stop") == BIG
    assert len(await store.outbox.head(9)) == 1
    disk.empty()
    await store.journal.put("small", {})
    assert not store.failing
    await store.close()
    again = reopen(path)
    assert again.journal.get("stop") == BIG
    assert len(await again.outbox.head(9)) == 1
    await again.close()


async def test_a_refused_durable_put_is_not_written_later(store, path):
    disk = Disk(store)
    await store.journal.put("control", {"old": True})
    disk.fill()
    for name in ("control", "new"):
        with pytest.raises(StoreError):
            await store.journal.put(name, BIG, durable=True)
    disk.empty()
    await store.journal.put("small", {})
    await store.close()
    again = reopen(path)
    assert (again.journal.get("control"), again.journal.get("new")) == ({"old": True}, None)
    await again.close()


async def test_an_older_document_that_waits_survives_a_refused_newer_one(store, path):
    disk = Disk(store)
    disk.fill()
    await store.journal.put("control", BIG)
    with pytest.raises(StoreError):
        await store.journal.put("control", {**BIG, "newer": True}, durable=True)
    disk.empty()
    await store.journal.put("small", {})
    await store.close()
    again = reopen(path)
    assert again.journal.get("control") == BIG
    await again.close()


async def test_telemetry_that_comes_and_goes_while_the_disk_is_full_leaves_nothing_behind(store):
    Disk(store).fill()
    await store.journal.put("control", BIG)
    for _ in range(50):
        store.outbox.add(Outbound(topic="t", payload=bytes(5000)), droppable=True)
        (row,) = await store.outbox.head(1)
        store.outbox.sent(row.row_id)
        await store.flush()
    assert {key[0] for key in store._writer._held.changes} == {"journal"}


@pytest.mark.parametrize("damage", [b"this is no database", b"SQLite format 3\0" + bytes(range(256)) * 40])
async def test_a_damaged_file_is_moved_aside_and_a_fresh_one_begun(path, damage, caplog):
    path.write_bytes(damage)
    store = reopen(path)
    assert store.recovered is not None
    assert store.recovered.read_bytes() == damage
    assert "damaged" in caplog.text
    await store.journal.put("control", {"a": 1}, durable=True)
    await store.close()
    again = reopen(path)
    assert (again.recovered, again.journal.get("control")) == (None, {"a": 1})
    await again.close()


async def test_damage_met_while_running_moves_the_file_aside_at_the_next_start_and_keeps_what_can_be_read(path):
    store = reopen(path)
    await store.journal.put("control", {"a": 1})
    store.outbox.add(Outbound(topic="t", payload=b"kept"), droppable=False)
    assert await store.flush()
    for number in range(2000):
        store.oplog.log_sample("battery", NOW + timedelta(seconds=number), {"power_w": 1.0})
    await store.close()
    spoil_table(path, "oplog")

    store = reopen(path)
    assert store.recovered is None
    store.oplog.log_sample("battery", NOW + timedelta(seconds=50.5), {"power_w": 1.0})
    assert not await store.flush()
    await store.close()

    store = reopen(path)
    assert store.recovered is not None
    assert store.journal.get("control") == {"a": 1}
    assert [row.message.payload for row in await store.outbox.head(9)] == [b"kept"]
    assert await store.flush()
    await store.close()
    again = reopen(path)
    assert (again.recovered, again.journal.get("control")) == (None, {"a": 1})
    await again.close()


def spoil_table(path: Path, name: str) -> None:
    with sqlite3.connect(path) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (name,)).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xee" * size)


async def test_a_row_undone_before_it_was_written_does_not_end_the_writer(store, path):
    for _ in range(3):
        store.outbox.add(Outbound(topic="t", payload=b"brief"), droppable=False)
        await asyncio.sleep(0.005)  # The writer has seen it and lingers.
        (row,) = await store.outbox.head(1)
        store.outbox.sent(row.row_id)
        await asyncio.sleep(0.05)  # Longer than that.
    async with asyncio.timeout(5):
        await store.journal.put("x", {"after": 1})
    assert reopen(path).journal.get("x") == {"after": 1}


def test_a_folder_that_does_not_exist_is_said_in_a_sentence(tmp_path):
    with pytest.raises(StoreError, match="check that its folder exists"):
        reopen(tmp_path / "absent" / "samspel.db")


async def test_a_statement_that_cannot_be_written_does_not_bar_the_way(store, path, caplog):
    store.outbox.add(Outbound(topic="t", payload=b"x", expiry_s=2**70), droppable=False)
    await store.journal.put("control", {"a": 1}, durable=True)
    assert "left out" in caplog.text
    assert not store.failing


async def test_the_log_is_exported_as_csv_beside_a_running_store(store, path):
    store.oplog.log_sample("battery", NOW, {"power_w": -1500.0, "soc_pct": 50.0})
    store.oplog.log_sample("battery", NOW + timedelta(seconds=1), {"power_w": None, "state": "a,b"})
    store.oplog.log_sample("other", NOW, {"power_w": 1.0})
    store.oplog.log_sample("battery", NOW + timedelta(hours=1), {"power_w": 9.0})
    assert await store.flush()
    out = io.StringIO()
    count = export_csv(path, out, device="battery", since=NOW, until=NOW + timedelta(hours=1))
    assert count == 2
    assert out.getvalue() == (
        'at,power_w,soc_pct,state\n2026-11-22T12:00:00.000Z,-1500.0,50.0,\n2026-11-22T12:00:01.000Z,,,"a,b"\n'
    )


def test_exporting_from_no_file_says_so(tmp_path):
    with pytest.raises(StoreError, match="cannot be opened"):
        export_csv(tmp_path / "absent.db", io.StringIO(), device="x", since=NOW, until=NOW)


def logged(path: Path) -> list[int]:
    connection = sqlite3.connect(path)
    rows = [at_ms for (at_ms,) in connection.execute("SELECT at_ms FROM oplog ORDER BY at_ms")]
    connection.close()
    return rows


async def test_the_log_forgets_what_is_older_than_it_keeps(path):
    store = Store.open(path, SystemClock(), keep_oplog=timedelta(days=14), free_bytes=lambda: 10**12)
    for days in range(20):
        store.oplog.log_sample("battery", NOW + timedelta(days=days), {"power_w": 1.0})
    await store.close()
    assert len(logged(path)) == 15


async def test_a_nearly_full_disk_costs_the_oldest_hour_at_each_pruning(path, caplog):
    store = Store.open(path, SystemClock(), free_bytes=lambda: 1024)
    for minutes in range(180):
        store.oplog.log_sample("battery", NOW + timedelta(minutes=minutes), {"power_w": 1.0})
    store.oplog.prune(NOW + timedelta(minutes=180))
    await store.close()
    assert len(logged(path)) < 60
    assert "left on the disk" in caplog.text


@pytest.mark.parametrize("order", [(False, True, False), (True, True, False, False, True), (True,), (False,)])
def test_a_durable_commit_is_synced_and_no_other(path, order):
    """FULL (2) syncs the log with the commit, NORMAL (1) does not; who sets it may set it once."""
    modes: list[int] = []

    class Watched(sqlite3.Connection):
        def execute(self, sql, *arguments):
            if sql == "COMMIT":
                modes.append(super().execute("PRAGMA synchronous").fetchone()[0])
            return super().execute(sql, *arguments)

    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=Watched)
    connection.execute("CREATE TABLE journal (name TEXT PRIMARY KEY, document TEXT)")
    writer = Writer(connection, lambda: None)
    for number, durable in enumerate(order):
        written = threading.Event()
        statement = Statement("INSERT OR REPLACE INTO journal (name, document) VALUES (?, ?)", ("x", str(number)))
        writer.put(("journal", "x"), statement, lambda _, written=written: written.set(), durable=durable)
        assert written.wait(10)
    writer.close()
    assert modes == [2 if durable else 1 for durable in order]
