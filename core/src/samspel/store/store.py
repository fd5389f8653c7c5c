"""The one owner of the SQLite file: control journal, outbox and operation log."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from pathlib import Path

from samspel.contract.errors import StoreError
from samspel.contract.ports import Clock, OutboxRow
from samspel.store.database import Opened, delete_row, mark_suspect, open_database, upsert_row
from samspel.store.journal import Journal, done_on_loop
from samspel.store.oplog import OperationLog
from samspel.store.outbox import Outbox, OutboxLimits
from samspel.store.writer import Writer

__all__ = ["Store"]

_log = logging.getLogger(__name__)


class Store:
    """`journal`, `outbox` and `oplog` over one file and one writer thread.

    `recovered` names the damaged file that was moved aside at the start, if there was one. While the disk refuses
    writes, everything but a durable `put` goes on in memory, and `failing` is true.
    """

    def __init__(
        self, path: Path, opened: Opened, limits: OutboxLimits, keep: timedelta, free_bytes: Callable[[], int]
    ) -> None:
        self.path = path
        self.recovered = opened.moved_to
        self._writer = Writer(opened.connection, lambda: mark_suspect(path))
        moved = f"store: the file was damaged; what could be read of it is kept, it lies at {opened.moved_to}"
        self.journal = Journal(self._writer, opened.contents.documents, moved if opened.moved_to else "")
        self.outbox = Outbox(_DiskShelf(self._writer, self.flush), limits, opened.contents.rows)
        self.oplog = OperationLog(self._writer, free_bytes=free_bytes, keep=keep)

    @classmethod
    def open(
        cls,
        path: Path,
        clock: Clock,
        *,
        limits: OutboxLimits | None = None,
        keep_oplog: timedelta = timedelta(days=14),
        free_bytes: Callable[[], int] | None = None,
    ) -> Store:
        """Open or make the file at `path`; its folder must exist. Raises StoreError."""
        free = free_bytes or (lambda: shutil.disk_usage(path.parent).free)
        return cls(path, open_database(path, clock.wall()), limits or OutboxLimits(), keep_oplog, free)

    @property
    def failing(self) -> bool:
        """Whether the disk refused the last transaction: raise `site.store`."""
        return self._writer.failing

    @property
    def failures(self) -> int:
        """How many transactions the disk has refused."""
        return self._writer.failures

    @property
    def lost(self) -> Sequence[str]:
        """What of an earlier run cannot be used, in sentences: raise `site.store`."""
        return self.journal.lost.sentences

    async def flush(self) -> bool:
        """Wait until everything so far has been tried; true when it would survive kill -9."""
        done: asyncio.Future[StoreError | None] = asyncio.get_running_loop().create_future()
        self._writer.flush(done_on_loop(done))
        return await done is None

    async def close(self) -> None:
        """Write what waits and close the file."""
        await asyncio.to_thread(self._writer.close)


class _DiskShelf:
    """The outbox's rows on disk."""

    def __init__(self, writer: Writer, flush: Callable[[], Awaitable[bool]]) -> None:
        self._writer, self._flush = writer, flush

    def keep(self, row: OutboxRow, *, droppable: bool) -> None:
        """Write the row soon."""
        self._writer.change(("outbox", row.row_id), upsert_row(row, droppable=droppable))

    def discard(self, row_id: int) -> None:
        """Delete the row soon."""
        self._writer.change(("outbox", row_id), delete_row(row_id))

    async def kept(self) -> None:
        """Everything so far has been tried."""
        await self._flush()
