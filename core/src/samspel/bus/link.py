"""What a driver holds: one unit behind one endpoint."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, Protocol, TypeVar

from samspel.bus.connection import Connection
from samspel.bus.pdu import Request, exchange_request, read_request, write_request
from samspel.bus.unit import Unit
from samspel.contract.errors import DeviceRefused
from samspel.contract.ports import Priority, Table

__all__ = ["ProvingLink", "Submitter", "UnitLink"]

T = TypeVar("T")

_FUNCTION_UNKNOWN = 1


class Submitter(Protocol):
    """The side of the endpoint that a link needs."""

    async def submit(
        self,
        unit: Unit,
        request: Request[T],
        *,
        priority: Priority,
        not_after: float | None,
        proving: Connection | None = None,
    ) -> T:
        """Queue the request and wait for its answer. Raises any BusError."""
        ...


class _Link:
    """See `samspel.contract.ports.BusLink`. Bad arguments raise ValueError at once: they are our own mistake."""

    _proving: Connection | None = None

    def __init__(self, endpoint: Submitter, unit: Unit) -> None:
        self._endpoint = endpoint
        self._unit = unit

    async def read(
        self, table: Table, address: int, count: int, *, priority: Priority, not_after: float | None = None
    ) -> tuple[int, ...]:
        """`count` words (1..125) from `address`. Raises any BusError."""
        return await self._submit(read_request(table, address, count), priority, not_after)

    async def write(
        self,
        address: int,
        words: Sequence[int],
        *,
        function: Literal[6, 16],
        priority: Priority,
        not_after: float | None = None,
    ) -> None:
        """Write 1..123 words; function 06 takes exactly one. Raises any BusError."""
        if function == 6 and self._unit.multiple_only:
            function = 16
        request = write_request(address, words, function)
        try:
            await self._submit(request, priority, not_after)
        except DeviceRefused as error:
            if function != 6 or error.code != _FUNCTION_UNKNOWN or not self._unit.profile.write_function_fallback:
                raise
            await self._submit(write_request(address, words, 16), priority, not_after)
            self._unit.multiple_only = True

    async def exchange(
        self, function: int, payload: bytes, *, priority: Priority, not_after: float | None = None
    ) -> bytes:
        """A vendor's own function; never repeated by the bus. Raises any BusError."""
        return await self._submit(exchange_request(function, payload), priority, not_after)

    async def _submit(self, request: Request[T], priority: Priority, not_after: float | None) -> T:
        return await self._endpoint.submit(
            self._unit, request, priority=priority, not_after=not_after, proving=self._proving
        )


class ProvingLink(_Link):
    """The link that an identity check gets: bound to one connection, and passed while the unit is unproven.

    Its requests go before everything but a stop, whatever priority they name.
    """

    def __init__(self, endpoint: Submitter, unit: Unit, connection: Connection) -> None:
        super().__init__(endpoint, unit)
        self._proving = connection


class UnitLink(_Link):
    """The link for everything else. Its requests go only over a connection on which the unit was confirmed."""

    @property
    def connected(self) -> bool:
        """The unit has proved itself on the connection that stands now."""
        return self._unit.up

    async def wait_connected(self) -> None:
        """Until `connected`. A unit without identity check proves itself only by answering a request."""
        await self._unit.wait_up()

    def on_link(self, callback: Callable[[bool], None]) -> None:
        """Call at every change of `connected`, from the event loop; must not block."""
        self._unit.listeners.append(callback)
