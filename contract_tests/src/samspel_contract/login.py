"""A vendor's login under watch: what it writes is the login's own, and is held against the map like everything else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from samspel.contract.ports import BusLink, Priority, Table
from samspel.driver.session import Session

__all__ = ["WatchedSession"]


@dataclass
class WatchedSession:
    """The package's session. `addresses` are the registers that it has written."""

    session: Session
    addresses: set[int] = field(default_factory=set)

    @property
    def interval_s(self) -> float:
        """See `Session`."""
        return self.session.interval_s

    async def open(self, link: BusLink) -> None:
        """See `Session`."""
        await self.session.open(_Watched(link, self.addresses))

    async def keep_alive(self, link: BusLink) -> None:
        """See `Session`."""
        await self.session.keep_alive(_Watched(link, self.addresses))


@dataclass
class _Watched:
    """A `BusLink` that notes the addresses of writes."""

    link: BusLink
    addresses: set[int]

    async def read(
        self, table: Table, address: int, count: int, *, priority: Priority, not_after: float | None = None
    ) -> tuple[int, ...]:
        return await self.link.read(table, address, count, priority=priority, not_after=not_after)

    async def write(
        self,
        address: int,
        words: Sequence[int],
        *,
        function: Literal[6, 16],
        priority: Priority,
        not_after: float | None = None,
    ) -> None:
        self.addresses.update(range(address, address + len(words)))
        await self.link.write(address, words, function=function, priority=priority, not_after=not_after)

    async def exchange(
        self, function: int, payload: bytes, *, priority: Priority, not_after: float | None = None
    ) -> bytes:
        return await self.link.exchange(function, payload, priority=priority, not_after=not_after)
