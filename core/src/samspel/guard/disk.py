"""What may be believed of the journal, and how a rescuer reads it, when the disk takes nothing any more."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from samspel.contract.errors import StoreError
from samspel.contract.ports import Clock
from samspel.control.journal import doubted
from samspel.store.store import Store

__all__ = ["doubt_the_old", "readable_store"]

logger = logging.getLogger("samspel.guard")

PROBE_S = 5.0
"""A disk that takes longer for one small write counts as one that refuses."""

MEMORY = Path("/dev/shm")  # noqa: S108 - memory, in a folder of its own that nobody else can open
"""Where the system keeps files in memory; elsewhere its usual temporary folder serves."""


@contextmanager
def readable_store(file: Path, clock: Clock) -> Iterator[Store]:
    """The store, else a copy of it in memory. Closing the store is the caller's; the copy goes with the block.

    Unsafe condition: a full or failing disk cannot be opened, and what an edge left in a device would stay there. What
    is done with the copy is not on disk: the next to read the journal looks at the device and finds it done.
    """
    try:
        store = Store.open(file, clock)
    except StoreError as error:
        logger.error("going on with a copy of the journal in memory", extra={"error": str(error)})  # noqa: TRY400
    else:
        yield store
        return
    with TemporaryDirectory(prefix="samspel-", dir=MEMORY if MEMORY.is_dir() else None) as folder:
        yield Store.open(_copy(file, Path(folder)), clock)


async def doubt_the_old(store: Store, file: Path, devices: Iterable[str], clock: Clock) -> None:
    """Call before anything is built on the journal.

    Unsafe condition: the disk takes nothing, so that what came after its last write (a stop, a release, another
    set-point) is not in the journal. Limit: it refuses one small durable write, or does not answer for `PROBE_S`.
    Reaction: a lease of an earlier life is not adopted but given back. Recovery: the next start on a disk that takes
    writes. What outranks it: a latched stop, which is asserted again all the same.
    """
    if store.path == file and await _takes_writes(store, clock):
        return
    logger.error("the disk takes nothing: no set-point of an earlier life is adopted")
    for device in devices:
        document = store.journal.get(f"{device}/control")
        if document is not None:
            with suppress(TimeoutError):  # Memory has it at once; the disk is not waited for.
                await asyncio.wait_for(store.journal.put(f"{device}/control", doubted(document)), PROBE_S)


async def _takes_writes(store: Store, clock: Clock) -> bool:
    try:
        async with asyncio.timeout(PROBE_S):
            await store.journal.put("start", {"at": clock.wall().isoformat()}, durable=True)
    except (StoreError, TimeoutError):
        return False
    return True


def _copy(file: Path, folder: Path) -> Path:
    """The file and its write-ahead log; SQLite makes the rest anew."""
    for one in (file, file.with_name(file.name + "-wal")):
        if one.exists():
            shutil.copyfile(one, folder / one.name)
    return folder / file.name
