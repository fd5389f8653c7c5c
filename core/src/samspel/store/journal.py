"""Small JSON documents by name: a mirror in memory, kept on disk by the writer.

One that cannot be read must not keep the others, and control with them, from being used: it counts as empty.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Mapping

from samspel.contract.driver import Json
from samspel.contract.errors import StoreError
from samspel.store.writer import Done, Statement, Writer

__all__ = ["Journal", "Lost", "done_on_loop", "read_document"]

_log = logging.getLogger(__name__)


class Lost:
    """What cannot be used of what an earlier run left: `sentences` for people, one for each document."""

    def __init__(self, first: str = "") -> None:
        self.sentences = [first] if first else []
        self._names: set[str] = set()

    def add(self, name: str, why: str) -> None:
        """One more document, if it has not been told yet."""
        if name not in self._names:
            self._names.add(name)
            self.sentences.append(f"store: the document {name} cannot be read and is left out: {why}")
            _log.error(self.sentences[-1])


def read_document(name: str, text: str, lost: Lost) -> dict[str, Json]:
    """The document; an empty one when it is none."""
    try:
        document = json.loads(text)
    except ValueError as error:
        lost.add(name, str(error))
        return {}
    if isinstance(document, dict):
        return document
    lost.add(name, f"expected a table, found {type(document).__name__}")
    return {}


class Journal:
    """Implements `samspel.contract.ports.JournalPort`. `documents` is what an earlier run left; of a damaged file
    (`from_damaged`) any other may have been there, too. `lost` is what cannot be used of it.
    """

    def __init__(self, writer: Writer, documents: Mapping[str, str], from_damaged: str = "") -> None:
        self._writer = writer
        self._from_damaged = bool(from_damaged)
        self.lost = Lost(from_damaged)
        self._documents = dict(documents)
        self._last_put: dict[str, object] = {}

    def get(self, name: str) -> dict[str, Json] | None:
        """A copy of the document, or nothing; an empty one where there may have been one that cannot be read."""
        text = self._documents.get(name)
        if text is None:
            return {} if self._from_damaged else None
        return read_document(name, text, self.lost)

    def doubt(self, name: str, why: str) -> None:
        """Its reader can make nothing of this document."""
        self.lost.add(name, why)

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
