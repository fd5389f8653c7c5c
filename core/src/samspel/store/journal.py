"""Small JSON documents by name: a mirror in memory, kept on disk by the writer."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Mapping

from samspel.contract.driver import Json
from samspel.contract.errors import StoreError
from samspel.store.writer import Done, Statement, Writer

__all__ = ["Journal", "done_on_loop"]


class Journal:
    """Implements `samspel.contract.ports.JournalPort`. `documents` is what an earlier run left."""

    def __init__(self, writer: Writer, documents: Mapping[str, str]) -> None:
        self._writer = writer
        self._documents = dict(documents)
        self._last_put: dict[str, object] = {}

    def get(self, name: str) -> dict[str, Json] | None:
        """A copy of the document, or nothing."""
        text = self._documents.get(name)
        return None if text is None else json.loads(text)

    async def put(self, name: str, document: Mapping[str, Json], *, durable: bool = False) -> None:
        """Replace the document.

        Durable: returns once it is synced; raises StoreError, and nothing has changed, when the disk refuses.
        Otherwise: returns once it would survive kill -9; when the disk refuses, it is kept in memory, the writer
        counts a failure and tries again later. Raises TypeError or ValueError for what is no JSON.
        """
        text = json.dumps(document, allow_nan=False)
        done: asyncio.Future[StoreError | None] = asyncio.get_running_loop().create_future()
        self._last_put[name] = done
        if durable:
            # As a callback, so that it also happens when the caller is cancelled while it waits.
            done.add_done_callback(lambda settled: self._settle(name, text, settled))
        else:
            self._documents[name] = text
        self._writer.put(("journal", name), _upsert(name, text), done_on_loop(done), durable=durable)
        error = await asyncio.shield(done)
        if durable and error is not None:
            raise error

    def note(self, name: str, document: Mapping[str, Json]) -> None:
        """Replace the document with the next commit, which is also that of outbox rows just queued."""
        self._documents[name] = text = json.dumps(document, allow_nan=False)
        self._writer.change(("journal", name), _upsert(name, text))

    def _settle(self, name: str, text: str, done: asyncio.Future[StoreError | None]) -> None:
        if self._last_put[name] is not done or done.cancelled():
            return
        if done.result() is None:
            self._documents[name] = text
        elif (older := self._documents.get(name)) is not None:
            # The refused statement may have displaced an older one that was still waiting.
            self._writer.change(("journal", name), _upsert(name, older))


def _upsert(name: str, text: str) -> Statement:
    return Statement("INSERT OR REPLACE INTO journal (name, document) VALUES (?, ?)", (name, text))


def _settle_future(future: asyncio.Future[StoreError | None], error: StoreError | None) -> None:
    if not future.done():
        future.set_result(error)


def done_on_loop(future: asyncio.Future[StoreError | None]) -> Done:
    """A callback for the writer's thread that settles `future` on its own loop."""
    loop = future.get_loop()

    def done(error: StoreError | None) -> None:
        # A closed loop has nobody left who waits.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(_settle_future, future, error)

    return done
