"""Our end of the socket to the guard: beats go out, answers come in, and its death is the end of the stream.

Unsafe condition: the guard is stopped or hangs, so that nobody would notice if this edge hung too, while a command
stands in a device that would keep it for ever. Limit: `silent_s` without an answer, counted at our beats, in our own
time (`silence`). Reaction: whoever reads `is_silent` is told, and control gives back what stands on a route without
the device's own timer and takes nothing new there; a route with a timer goes on. Recovery: the first answer. What
outranks it: a stop, which goes on holding zero; and the guard's death, which `orphan` deals with.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable

from samspel.contract.ports import Clock
from samspel.guard.silence import Silence

__all__ = ["Lifeline"]


class Lifeline:
    """Made on the event loop. The socket stays open as long as the process: closing it says that we are gone."""

    def __init__(self, line: socket.socket, clock: Clock, silent_s: float) -> None:
        self._line, self._clock, self._silent_s = line, clock, silent_s
        self._line.setblocking(False)
        self._lost = asyncio.Event()
        self._silence = Silence(clock.monotonic())
        self.is_silent = False
        """Whether the guard, which lives, does not answer."""
        self.on_change: Callable[[], object] = lambda: None
        """Called when `is_silent` has changed."""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._line, self._listen)

    def beat(self) -> None:
        """Never waits, never raises. A guard that does not listen just now has beats enough in its buffer."""
        self._silence.goes_on(self._clock.monotonic())
        if self._silence.lasted_s >= self._silent_s:
            self._listen()  # What has come counts before we judge.
        self._judge()
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

    def _listen(self) -> None:
        with contextlib.suppress(BlockingIOError):
            if self._receive():
                self._silence.broken(self._clock.monotonic())
                self._judge()
            else:
                self._lose()

    def _receive(self) -> bytes:
        try:
            return self._line.recv(4096)
        except ConnectionResetError:
            return b""

    def _judge(self) -> None:
        is_silent = self._silence.lasted_s >= self._silent_s
        if is_silent is not self.is_silent:
            self.is_silent = is_silent
            self.on_change()

    def _lose(self) -> None:
        self._loop.remove_reader(self._line)
        self._lost.set()
