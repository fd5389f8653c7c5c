"""Open the file; move a damaged one aside and begin afresh with what could still be read of it."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from samspel.contract.ports import Outbound, OutboxRow
from samspel.store.writer import Statement, is_corrupt, store_error

__all__ = ["Contents", "Opened", "delete_row", "mark_suspect", "open_database", "upsert_row"]

_log = logging.getLogger(__name__)

_TABLES = """
PRAGMA journal_mode = WAL;
CREATE TABLE IF NOT EXISTS journal (name TEXT PRIMARY KEY, document TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outbox (
    row_id INTEGER PRIMARY KEY, topic TEXT NOT NULL, payload BLOB NOT NULL, qos INTEGER NOT NULL,
    expiry_s INTEGER, correlation TEXT, droppable INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS oplog (
    at_ms INTEGER NOT NULL, device TEXT NOT NULL, sample TEXT NOT NULL, PRIMARY KEY (at_ms, device)) WITHOUT ROWID;
"""
_BUSY_TIMEOUT_S = 2.0
_SIDE_FILES = ("-wal", "-shm")


@dataclass(slots=True)
class Contents:
    """What an earlier run left: journal documents as JSON text, outbox rows with their droppable flag."""

    documents: dict[str, str] = field(default_factory=dict)
    rows: list[tuple[OutboxRow, bool]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Opened:
    """An open database. `moved_to` is where a damaged predecessor went."""

    connection: sqlite3.Connection
    contents: Contents
    moved_to: Path | None


def open_database(path: Path, now: datetime) -> Opened:
    """Open or make the file. `now` names the copy of a damaged one. Raises StoreError when neither works."""
    contents = Contents()
    try:
        connection = _open(path, contents)
        if not _suspect_mark(path).exists():
            return Opened(connection, contents, None)
        connection.close()
    except sqlite3.Error as error:
        if not is_corrupt(error):
            raise store_error(error) from error
    return _begin_afresh(path, contents, now)


def mark_suspect(path: Path) -> None:
    """Damage was met while running: the next start begins a fresh file."""
    try:
        _suspect_mark(path).touch()
    except OSError as error:
        _log.warning("store: could not leave a mark that %s is damaged: %s", path, error)


def upsert_row(row: OutboxRow, *, droppable: bool) -> Statement:
    """Write an outbox row."""
    message = row.message
    return Statement(
        "INSERT OR REPLACE INTO outbox (row_id, topic, payload, qos, expiry_s, correlation, droppable)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            row.row_id,
            message.topic,
            message.payload,
            message.qos,
            message.expiry_s,
            message.correlation,
            droppable,
        ),
    )


def delete_row(row_id: int) -> Statement:
    """Delete an outbox row."""
    return Statement("DELETE FROM outbox WHERE row_id = ?", (row_id,), deletes=True)


def _open(path: Path, contents: Contents) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    try:
        connection.executescript(_TABLES)
        contents.documents.update(connection.execute("SELECT name, document FROM journal"))
        contents.rows.extend(_rows(connection))
    except BaseException:
        connection.close()
        raise
    return connection


def _rows(connection: sqlite3.Connection) -> Iterator[tuple[OutboxRow, bool]]:
    query = "SELECT row_id, topic, payload, qos, expiry_s, correlation, droppable FROM outbox ORDER BY row_id"
    for row_id, topic, payload, qos, expiry_s, correlation, droppable in connection.execute(query):
        message = Outbound(topic=topic, payload=payload, qos=qos, expiry_s=expiry_s, correlation=correlation)
        yield OutboxRow(row_id=row_id, message=message), bool(droppable)


def _begin_afresh(path: Path, contents: Contents, now: datetime) -> Opened:
    moved_to = _move_aside(path, now)
    _log.error(
        "store: %s is damaged and was moved to %s; the fresh one begins with %d documents and %d messages of it",
        path,
        moved_to,
        len(contents.documents),
        len(contents.rows),
    )
    try:
        connection = _open(path, Contents())
        for name, document in contents.documents.items():
            connection.execute("INSERT INTO journal (name, document) VALUES (?, ?)", (name, document))
        for row, droppable in contents.rows:
            statement = upsert_row(row, droppable=droppable)
            connection.execute(statement.sql, statement.parameters)
    except sqlite3.Error as error:
        raise store_error(error) from error
    return Opened(connection, contents, moved_to)


def _move_aside(path: Path, now: datetime) -> Path:
    target = path.with_name(f"{path.name}.damaged-{now:%Y%m%dT%H%M%S}")
    path.rename(target)
    for suffix in _SIDE_FILES:
        side = path.with_name(path.name + suffix)
        if side.exists():
            side.rename(target.with_name(target.name + suffix))
    _suspect_mark(path).unlink(missing_ok=True)
    return target


def _suspect_mark(path: Path) -> Path:
    return path.with_name(path.name + ".suspect")
