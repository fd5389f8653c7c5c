"""The journal for a rescuer, also when the disk takes nothing any more."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from samspel.contract.errors import StoreError
from samspel.contract.ports import Clock
from samspel.store.store import Store

__all__ = ["readable_store"]

logger = logging.getLogger("samspel.guard")

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


def _copy(file: Path, folder: Path) -> Path:
    """The file and its write-ahead log; SQLite makes the rest anew."""
    for one in (file, file.with_name(file.name + "-wal")):
        if one.exists():
            shutil.copyfile(one, folder / one.name)
    return folder / file.name
