"""Simulated time: an event loop that jumps to the next timer instead of waiting for it."""

from __future__ import annotations

import asyncio
import functools
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec

__all__ = ["SimulatedLoop", "simulated"]

P = ParamSpec("P")

START_S = 1000.0


class _Jump(selectors.DefaultSelector):
    """Never waits: what the loop would have waited for is added to its time."""

    now_s = START_S

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout == 0:
            return []  # the loop has something to run: no need to ask the kernel for more
        ready = super().select(0)
        if ready:
            return ready
        if timeout is None:
            raise RuntimeError("simulated time stands still: every task waits for something that will never come")
        self.now_s += max(0.0, timeout)
        return ready


class SimulatedLoop(asyncio.SelectorEventLoop):
    """Hours in a moment, and the same moments every time. For tasks without sockets and threads."""

    def __init__(self) -> None:
        self._jump = _Jump()
        super().__init__(self._jump)

    def time(self) -> float:
        """Simulated seconds."""
        return self._jump.now_s


def simulated(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Make an `async def` test an ordinary one, whatever asyncio plugin an author's pytest has."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
            runner.run(test(*args, **kwargs))

    return run
