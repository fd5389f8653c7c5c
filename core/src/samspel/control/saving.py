"""What control of one device puts on disk, and when it must be through to the drive.

A document that is written survives the end of the process, but not loss of power: for that it is synced. What ends a
command (a stop, a release, a deadline) is synced as it is written, anything else with the next tick: otherwise the
set-point of before would come back with the power. A set-point's write waits for no sync but the take's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from samspel.contract.errors import StoreError
from samspel.contract.ports import Clock, JournalPort
from samspel.control.journal import Document, Documents, load, project, worth_keeping
from samspel.control.state import State

__all__ = ["Saving", "already_saved", "ends_something"]


class Saving:
    """The documents of one device. `state` gives what control knows at that moment."""

    def __init__(self, device: str, journal: JournalPort, clock: Clock, state: Callable[[], State]) -> None:
        self._device, self._journal, self._clock, self._state = device, journal, clock, state
        self._written: Document = {}
        self._written_of: tuple[Document, bool] = ({}, False)
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

    def needs(self, before: State, after: State) -> bool:
        """Whether `save` would write, or wait for what is being written. Most turns change nothing that is kept."""
        snapshots = after.snapshot is before.snapshot and after.baseline is before.baseline
        return not snapshots or self._one_at_a_time.locked() or self._news() != self._written_of

    async def save(self, before: State, after: State) -> None:
        """Write what changed. What must survive loss of power, too, is a newly held snapshot, which is written first,
        and whatever ends a command. Raises StoreError when the disk refuses that; in memory it is kept.
        """
        if after.snapshot is not None and after.snapshot is not before.snapshot:
            await self._journal.put(f"{self._device}/snapshot", after.snapshot, durable=True)
        if after.baseline is not None and after.baseline != before.baseline:
            await self._journal.put(f"{self._device}/baseline", after.baseline)
        async with self._one_at_a_time:
            if (news := self._news()) != self._written_of:
                self._written, self._written_of = project(self._state(), self._clock), news
                self.unsynced = not ends_something(before, after)
                await self._write(durable=not self.unsynced)

    async def sync(self) -> None:
        """Let what was saved survive loss of power. Tried once; raises StoreError."""
        async with self._one_at_a_time:
            if self.unsynced:
                self.unsynced = False
                await self._write(durable=True)

    def _news(self) -> tuple[Document, bool]:
        """What a write would say; whether the kernel vouches for the wall clock belongs to each of its times."""
        return worth_keeping(self._state()), self._clock.synchronised()

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


def already_saved() -> asyncio.Future[None]:
    """What a save is that has nothing to do: no task is begun for it."""
    saved: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    saved.set_result(None)
    return saved
