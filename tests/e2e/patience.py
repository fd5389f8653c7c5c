"""Waiting in real time for what happens in other processes, and this moment as they say it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import datetime

PATIENCE_S = 60.0


async def until(holds: Callable[[], bool], what: str = "", within_s: float = PATIENCE_S) -> None:
    """Look again and again until it holds."""
    try:
        async with asyncio.timeout(within_s):
            while not holds():  # noqa: ASYNC110 - what is waited for happens in other processes
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"not within {within_s:g} s: {what}") from None


def in_seconds(text: str) -> float:
    """An instant on the wire as seconds."""
    return datetime.fromisoformat(text).timestamp()


def now() -> float:
    """This moment as seconds, comparable with `in_seconds`; no step of the wall clock during the test matters."""
    return time.monotonic() + _WALL_OFFSET_S


_WALL_OFFSET_S = time.time() - time.monotonic()
