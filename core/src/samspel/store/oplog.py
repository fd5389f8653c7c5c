"""The operation log: at least one sample a second and device, kept for 14 days, exported as CSV.

It is separate from the outbox: what was measured stays here whether or not the broker ever got it.
"""

from __future__ import annotations

import csv
import json
import logging
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TextIO

from samspel.store.writer import Statement, Writer, store_error

__all__ = ["OperationLog", "Sample", "export_csv"]

_log = logging.getLogger(__name__)

Sample = Mapping[str, float | str | None]
"""Signal name to value; `None` where nothing valid was measured."""

_TIDY_EVERY = timedelta(minutes=10)
_INSERT = "INSERT OR REPLACE INTO oplog (at_ms, device, sample) VALUES (?, ?, ?)"
_FORGET = "DELETE FROM oplog WHERE at_ms < ?"
_FORGET_OLDEST = "DELETE FROM oplog WHERE at_ms < (SELECT MIN(at_ms) FROM oplog) + ?"


class OperationLog:
    """Takes samples; prunes by itself every ten minutes of sampled time.

    `free_bytes` tells how much room the disk has. Below `min_free_bytes` the oldest hour goes at every pruning, so
    that the file reuses its own pages instead of growing.
    """

    def __init__(
        self,
        writer: Writer,
        *,
        free_bytes: Callable[[], int],
        keep: timedelta = timedelta(days=14),
        min_free_bytes: int = 200 * 1024 * 1024,
    ) -> None:
        self._writer = writer
        self._free_bytes = free_bytes
        self._keep = keep
        self._min_free_bytes = min_free_bytes
        self._next_tidy: datetime | None = None

    def log_sample(self, device: str, at: datetime, values: Sample) -> None:
        """Record one sample of `device` at `at` (aware); never waits for the disk."""
        sample = json.dumps(dict(values), separators=(",", ":"))
        self._writer.append([Statement(_INSERT, (_milliseconds(at), device, sample))])
        if self._next_tidy is None or at >= self._next_tidy:
            self.prune(at)

    def prune(self, now: datetime) -> None:
        """Forget what is older than `keep`, and the oldest hour when the disk is nearly full."""
        self._next_tidy = now + _TIDY_EVERY
        statements = [Statement(_FORGET, (_milliseconds(now - self._keep),))]
        free_bytes = self._free_bytes()
        if free_bytes < self._min_free_bytes:
            _log.warning("operation log: only %d MB left on the disk; dropping the oldest hour", free_bytes >> 20)
            statements.append(Statement(_FORGET_OLDEST, (3_600_000,)))
        self._writer.append(statements)


def export_csv(database: Path, out: TextIO, *, device: str, since: datetime, until: datetime) -> int:
    """Write the samples of `device` from `since` to before `until` as CSV; return how many.

    Columns: `at` (UTC, milliseconds), then every signal that occurs, by name. Opens the file read-only, so it works
    beside a running edge. Raises StoreError.
    """
    span = (device, _milliseconds(since), _milliseconds(until))
    try:
        with closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            names = sorted({name for _, sample in _samples(connection, span) for name in sample})
            table = csv.writer(out, lineterminator="\n")
            table.writerow(["at", *names])
            count = 0
            for at_ms, sample in _samples(connection, span):
                table.writerow([_instant(at_ms), *(sample.get(name) for name in names)])
                count += 1
            return count
    except sqlite3.Error as error:
        raise store_error(error) from error


def _samples(connection: sqlite3.Connection, span: tuple[str, int, int]) -> Iterator[tuple[int, Sample]]:
    query = "SELECT at_ms, sample FROM oplog WHERE device = ? AND at_ms >= ? AND at_ms < ? ORDER BY at_ms"
    for at_ms, sample in connection.execute(query, span):
        yield at_ms, json.loads(sample)


def _milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _instant(at_ms: int) -> str:
    instant = datetime.fromtimestamp(at_ms / 1000, UTC).replace(tzinfo=None)
    return instant.isoformat(timespec="milliseconds") + "Z"
