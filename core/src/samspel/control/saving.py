"""What control of one device puts on disk, and when it must be through to the drive.

A document that is written survives the end of the process, but not loss of power: for that it is synced. What ends a
command (a stop, a release, a deadline) is synced as it is written, anything else with the next tick: otherwise the
set-point of before would come back with the power. A set-point's write waits for no sync but the take's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from samspel.contract.driver import Json
from samspel.contract.errors import StoreError
from samspel.contract.ports import Clock, JournalPort
from samspel.control.journal import Document, Documents, load, project
from samspel.control.state import State

__all__ = ["Saving", "ends_something"]


class Saving:
    """The documents of one device. `state` gives what control knows at that moment."""

    def __init__(self, device: str, journal: JournalPort, clock: Clock, state: Callable[[], State]) -> None:
        self._device, self._journal, self._clock, self._state = device, journal, clock, state
        self._written: Document = {}
        self._written_without_times: Json = {}
        self._one_at_a_time = asyncio.Lock()
        self.unsynced = False
        """Whether the newest control document would not survive loss of power, and nobody is at it."""

    def load(self) -> State:
        """What an earlier process left; what cannot be read of it is told."""
        name = f"{self._device}/control"
        documents = Documents(
            control=self._journal.get(name),
            snapshot=self._journal.get(f"{self._device}/snapshot") or None,
            baseline=self._journal.get(f"{self._device}/baseline") or None,
        )
        return load(documents, self._clock, lambda why: self._journal.doubt(name, why))

    async def save(self, before: State, after: State) -> None:
        """Write what changed. What must survive loss of power, too, is a newly held snapshot, which is written first,
        and whatever ends a command. Raises StoreError when the disk refuses that; in memory it is kept.
        """
        if after.snapshot is not None and after.snapshot is not before.snapshot:
            await self._journal.put(f"{self._device}/snapshot", after.snapshot, durable=True)
        if after.baseline is not None and after.baseline != before.baseline:
            await self._journal.put(f"{self._device}/baseline", after.baseline)
        async with self._one_at_a_time:
            document = project(self._state(), self._clock)
            if (without_times := _without_times(document)) != self._written_without_times:
                self._written, self._written_without_times = document, without_times
                self.unsynced = not ends_something(before, after)
                await self._write(durable=not self.unsynced)

    async def sync(self) -> None:
        """Let what was saved survive loss of power. Tried once; raises StoreError."""
        async with self._one_at_a_time:
            if self.unsynced:
                self.unsynced = False
                await self._write(durable=True)

    async def _write(self, *, durable: bool) -> None:
        name = f"{self._device}/control"
        try:
            await self._journal.put(name, self._written, durable=durable)
        except StoreError:
            self._journal.note(name, self._written)
            raise

    async def leave(self) -> None:
        """Write it for a successor, unchanged or not."""
        await self._journal.put(f"{self._device}/control", project(self._state(), self._clock))


def ends_something(before: State, after: State) -> bool:
    """Whether somebody no longer commands, or is told to stop or to release."""
    less = before.lease is not None and after.lease is None
    return less or any(
        new is not None and (old is None or new.command_id != old.command_id)
        for old, new in ((before.stop, after.stop), (before.give_back, after.give_back))
    )


def _without_times(value: Json) -> Json:
    """The wall clock's share of a deadline changes at every turn; that alone is not worth a write."""
    if isinstance(value, dict):
        return {key: _without_times(inner) for key, inner in value.items() if key != "wall"}
    return value
