"""Our end of the socket to the guard: beats go out, and its end comes in as the end of the stream."""

from __future__ import annotations

import asyncio
import contextlib
import socket

__all__ = ["Lifeline"]


class Lifeline:
    """Made on the event loop. The socket stays open as long as the process: closing it says that we are gone."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._line.setblocking(False)
        self._lost = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._line, self._on_readable)

    def beat(self) -> None:
        """Never waits, never raises. A guard that does not listen just now has beats enough in its buffer."""
        try:
            self._line.send(b".")
        except BlockingIOError:
            pass
        except OSError:
            self._lose()

    @property
    def is_lost(self) -> bool:
        """Whether the guard has died."""
        return self._lost.is_set()

    async def lost(self) -> None:
        """Wait until it has."""
        await self._lost.wait()

    def _on_readable(self) -> None:
        """The guard says nothing; what can be read is its end."""
        with contextlib.suppress(BlockingIOError, ConnectionResetError):
            if self._line.recv(64):
                return
        self._lose()

    def _lose(self) -> None:
        self._loop.remove_reader(self._line)
        self._lost.set()
