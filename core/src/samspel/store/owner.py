"""One owner of a state folder among all processes of the box: two edges of one home would share its commands."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from samspel.contract.errors import ConfigError

__all__ = ["OWNER_WAIT_S", "sole_owner"]

_log = logging.getLogger(__name__)

OWNER_WAIT_S = 20.0
"""An edge that has lost its guard gives back within 15 s, and only then makes room for its successor."""

_POLL_S = 0.1


@contextmanager
def sole_owner(folder: Path, wait_s: float = OWNER_WAIT_S) -> Iterator[None]:
    """Be the only one with this folder; the kernel frees it with the process, however that ends.

    Raises ConfigError when another has it and keeps it for `wait_s`. A disk that takes no lock file (full, read-only)
    keeps nobody from rescuing a device: then it goes on without.
    """
    lock, owner = FileLock(folder / "edge.lock"), folder / "edge.owner"
    try:
        lock.acquire(timeout=wait_s, poll_interval=_POLL_S)
    except Timeout as error:
        raise ConfigError(
            f"{folder} is in use by {_owner(owner)}: one home has one edge. Stop that one first, or give this site "
            "its own site.name or site.directory"
        ) from error
    except OSError as error:
        _log.warning("%s: no lock can be taken (%s); going on without", folder, error)
    with suppress(OSError):  # For people only; trying for the lock empties the lock file itself.
        owner.write_text(f"{os.getpid()}\n", encoding="ascii")
    try:
        yield
    finally:
        lock.release()


def _owner(file: Path) -> str:
    try:
        return f"process {int(file.read_text(encoding='ascii'))}"
    except (OSError, ValueError):
        return "another process"
