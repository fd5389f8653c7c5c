"""The one thread that writes to SQLite.

Callers leave keyed statements; a later statement of a key replaces the one that waits. The thread commits all that
waits in one transaction. What the disk refuses (full) is held back and tried again: memory stays right, and the
disk catches up. What is held back is bounded by what exists, since deleting a row that was never written undoes it.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from samspel.contract.errors import StoreError

__all__ = ["Done", "Key", "Statement", "Writer", "is_corrupt", "store_error"]

_log = logging.getLogger(__name__)

Key = tuple[str, str | int]
"""Table and primary key."""

Done = Callable[[StoreError | None], None]
"""Called on the writer's thread, with the error or nothing."""

_LINGER_S = 0.02
"""What nobody waits for is committed at most so much later, together with whatever comes meanwhile: the reports of a
set-point do not compete with its write, and flash memory is worn less."""

_RETRY_S = 30.0
_MAX_APPENDS = 3600
"""Log samples that wait while the disk refuses: an hour at 1 Hz."""

_SENTENCES = {
    sqlite3.SQLITE_FULL: "the disk is full: make room, or lower what the operation log keeps",
    sqlite3.SQLITE_READONLY: "the file or its folder is read-only: check owner and mount",
    sqlite3.SQLITE_IOERR: "the disk reports an input/output error: it may be dying",
    sqlite3.SQLITE_CORRUPT: "the file is damaged: restart to move it aside and begin a fresh one",
    sqlite3.SQLITE_NOTADB: "the file is no database: restart to move it aside and begin a fresh one",
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened: check that its folder exists and may be written",
    sqlite3.SQLITE_BUSY: "another process holds the file: only one samspel may run on it",
}


@dataclass(frozen=True, slots=True)
class Statement:
    """One SQL statement. `deletes` says that it removes its key, for good."""

    sql: str
    parameters: tuple[object, ...] = ()
    deletes: bool = False


@dataclass(slots=True)
class _Batch:
    """What waits for one transaction. `fragile` keys are forgotten when it fails."""

    changes: dict[Key, Statement] = field(default_factory=dict)
    fragile: set[Key] = field(default_factory=set)
    appends: deque[Statement] = field(default_factory=lambda: deque(maxlen=_MAX_APPENDS))
    durable: bool = False
    waiting: list[Done] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.changes or self.appends or self.waiting)

    def change(self, key: Key, statement: Statement) -> None:
        """Replace what waits for this key; a row that was not yet written is simply not written."""
        waiting = self.changes.get(key)
        if statement.deletes and waiting is not None and not waiting.deletes:
            del self.changes[key]
        else:
            self.changes[key] = statement
        self.fragile.discard(key)

    def follow(self, later: _Batch) -> None:
        """Add a later batch to this one."""
        for key, statement in later.changes.items():
            self.change(key, statement)
        self.fragile |= later.fragile
        self.appends.extend(later.appends)
        self.waiting += later.waiting
        self.durable |= later.durable


class Writer:
    """Owns `connection` (autocommit mode, any thread). `failures` counts transactions that the disk refused."""

    def __init__(self, connection: sqlite3.Connection, on_corrupt: Callable[[], None]) -> None:
        self._connection = connection
        self._on_corrupt = on_corrupt
        self._lock = threading.Condition()
        self._next = _Batch()
        self._held = _Batch()
        self._durable: bool | None = None
        self._closing = False
        self._failing = False
        self.failures = 0
        self._thread = threading.Thread(target=self._run, name="samspel-store", daemon=True)
        self._thread.start()

    @property
    def failing(self) -> bool:
        """Whether the last transaction was refused."""
        return self._failing

    def change(self, key: Key, statement: Statement) -> None:
        """Write soon; never waits for the disk."""
        with self._lock:
            self._wake_if_idle()
            self._next.change(key, statement)

    def append(self, statements: Iterable[Statement]) -> None:
        """Write soon, in this order; while the disk refuses only the newest are kept."""
        with self._lock:
            self._wake_if_idle()
            self._next.appends.extend(statements)

    def put(self, key: Key, statement: Statement, done: Done, *, durable: bool) -> None:
        """Write and report; `durable` syncs, and forgets the statement when it is refused."""
        with self._lock:
            self._next.change(key, statement)
            if durable:
                self._next.fragile.add(key)
                self._next.durable = True
            self._hurry(done)

    def flush(self, done: Done) -> None:
        """Report once everything so far is committed."""
        with self._lock:
            self._hurry(done)

    def close(self) -> None:
        """Write what waits, once more what was refused, and end. Blocks until then."""
        with self._lock:
            self._closing = True
            self._lock.notify()
        self._thread.join()

    def _wake_if_idle(self) -> None:
        if not self._next:
            self._lock.notify()

    def _hurry(self, done: Done) -> None:
        self._next.waiting.append(done)
        self._lock.notify()

    def _run(self) -> None:
        while (batch := self._take()) is not None:
            if not batch:
                continue  # What waited was undone before its turn came.
            error = self._commit(batch)
            self._settle(batch, error)
            for done in batch.waiting:
                done(error)
        self._connection.close()

    def _take(self) -> _Batch | None:
        with self._lock:
            self._lock.wait_for(lambda: self._next or self._closing, _RETRY_S if self._held else None)
            self._lock.wait_for(lambda: self._next.waiting or self._closing, _LINGER_S if self._next else 0.0)
            batch, self._held = self._held, _Batch()
            batch.follow(self._next)
            self._next = _Batch()
            return None if self._closing and not batch else batch

    def _commit(self, batch: _Batch) -> StoreError | None:
        connection = self._connection
        try:
            self._sync_with_commit(batch.durable)
            connection.execute("BEGIN IMMEDIATE")
            for statement in (*batch.changes.values(), *batch.appends):
                self._execute(statement)
            connection.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 -- this thread must live: everybody waits for it
            self._roll_back()
            if is_corrupt(error):
                self._on_corrupt()
            return store_error(error)
        return None

    def _sync_with_commit(self, durable: bool) -> None:
        """In WAL mode a commit survives kill -9 either way; FULL syncs the log, and all before it, for power loss."""
        if self._durable is not durable:
            self._connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
            self._durable = durable

    def _execute(self, statement: Statement) -> None:
        try:
            self._connection.execute(statement.sql, statement.parameters)
        except (sqlite3.ProgrammingError, OverflowError, ValueError):
            # A value that SQLite cannot hold: leave out this one, or it would bar the way for all others.
            _log.exception("store: left out a statement that cannot be written: %s", statement.sql)

    def _roll_back(self) -> None:
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            _log.warning("store: could not roll back: %s", error)

    def _settle(self, batch: _Batch, error: StoreError | None) -> None:
        if error is None:
            if self._failing:
                _log.warning("store: the disk takes writes again")
            self._failing = False
            return
        self.failures += 1
        if not self._failing:
            _log.error("%s; going on in memory", error)
        self._failing = True
        self._hold_back(batch)

    def _hold_back(self, batch: _Batch) -> None:
        for key in batch.fragile:
            batch.changes.pop(key, None)
        with self._lock:
            if not self._closing:
                self._held = _Batch(changes=batch.changes, appends=batch.appends)


def is_corrupt(error: Exception) -> bool:
    """Whether the file itself is damaged, so that only a fresh one helps."""
    return _primary_code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def store_error(error: Exception) -> StoreError:
    """The same in a sentence for people."""
    sentence = _SENTENCES.get(_primary_code(error), "unexpected")
    found = StoreError(f"store: {sentence} ({type(error).__name__}: {error})")
    found.__cause__ = error
    return found


def _primary_code(error: Exception) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
