"""One owner of an endpoint among all processes of the box."""

from __future__ import annotations

import os
import re
from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import FileLock, Timeout

from samspel.contract.errors import BusError, ConfigError

__all__ = ["EndpointInUse", "EndpointLock"]


class EndpointInUse(BusError):
    """Another process owns the endpoint. `pid` is its process id, None if it could not be read."""

    def __init__(self, message: str, *, pid: int | None) -> None:
        super().__init__(message)
        self.pid = pid


class EndpointLock:
    """A lock file named after the endpoint; the kernel frees it with the process, however that ends.

    The same device under two names (address and host name) is two locks: use one spelling on a box.
    """

    def __init__(self, host: str, port: int, directory: Path) -> None:
        self._where = f"{host}:{port}"
        self._directory = directory
        name = re.sub(r"[^a-z0-9.-]", "_", host.lower())
        # The owner stands in a file of its own: trying for the lock may empty the lock file.
        self._owner_file = directory / f"bus-{name}-{port}.owner"
        self._lock = FileLock(directory / f"bus-{name}-{port}.lock")

    def acquire(self) -> None:
        """Take it now. Raises EndpointInUse, or ConfigError if the directory cannot be used."""
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(blocking=False)
            self._owner_file.write_text(f"{os.getpid()}\n", encoding="ascii")
        except Timeout as error:
            raise self._in_use() from error
        except OSError as error:
            raise ConfigError(
                f"lock directory {self._directory}: {error.strerror}; name a directory that can be written"
            ) from error

    def release(self) -> None:
        """Give it back. Does nothing if it is not held."""
        if self._lock.is_locked:
            self._owner_file.unlink(missing_ok=True)
            self._lock.release()

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()

    def _in_use(self) -> EndpointInUse:
        pid = self._owner_pid()
        owner = "another process" if pid is None else f"process {pid}"
        return EndpointInUse(
            f"{self._where} is in use by {owner}: a device takes one client at a time. "
            "Send the request to that process, or stop it first",
            pid=pid,
        )

    def _owner_pid(self) -> int | None:
        try:
            return int(self._owner_file.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None
