"""What the pure stations need from the world, as protocols: time, the bus, the broker and the disk.

Implementations live in `samspel.clock`, `samspel.bus`, `samspel.transport` and `samspel.store`; simulations supply
their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Literal, Protocol

from samspel.contract.driver import Json

__all__ = [
    "BusLink",
    "Clock",
    "Inbound",
    "JournalPort",
    "Outbound",
    "OutboxPort",
    "OutboxRow",
    "Priority",
    "Table",
    "Transport",
    "TransportState",
]


class Clock(Protocol):
    """Wall and monotonic time. Everything that expires runs on `monotonic`."""

    def monotonic(self) -> float:
        """Seconds on a clock that never steps; the asyncio loop's own time."""
        ...

    def wall(self) -> datetime:
        """UTC now, aware. May be wrong or step."""
        ...

    def synchronised(self) -> bool:
        """The kernel's own verdict whether `wall` is disciplined."""
        ...

    def boot_id(self) -> str:
        """Changes with every boot of the box: monotonic times compare only within one."""
        ...


class Priority(IntEnum):
    """Who goes first on the bus; lower is more urgent."""

    STOP = 0
    RELEASE = 1
    SET_POINT = 2
    VERIFICATION = 3
    FAST_TELEMETRY = 4
    SLOW_TELEMETRY = 5


class Table(StrEnum):
    """Which of the device's register tables: function 03 reads holding, function 04 reads input registers."""

    HOLDING = "holding"
    INPUT = "input"


class BusLink(Protocol):
    """One unit behind one endpoint, as a driver sees it.

    Every call may raise any `BusError` and nothing else. Cancelling a call only stops the waiting: a transaction
    that was sent is finished by the bus. `not_after` is in monotonic seconds and is checked at the instant of sending.
    """

    async def read(
        self, table: Table, address: int, count: int, *, priority: Priority, not_after: float | None = None
    ) -> tuple[int, ...]:
        """`count` words (1..125) from `address` (0..65535)."""
        ...

    async def write(
        self,
        address: int,
        words: Sequence[int],
        *,
        function: Literal[6, 16],
        priority: Priority,
        not_after: float | None = None,
    ) -> None:
        """Write 1..123 words at `address`; function 6 takes exactly one. The echo is checked."""
        ...

    async def exchange(
        self, function: int, payload: bytes, *, priority: Priority, not_after: float | None = None
    ) -> bytes:
        """A vendor's own function code: payload after the code out, payload after the code back."""
        ...


@dataclass(frozen=True, slots=True)
class Inbound:
    """One message as it came: nothing parsed yet. `token` acknowledges it. `received_at` is monotonic seconds."""

    topic: str
    payload: bytes
    received_at: float
    retained: bool = False
    duplicate: bool = False
    token: object = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbound:
    """One message to send. `expiry_s` and `correlation` become properties where the protocol has them."""

    topic: str
    payload: bytes
    qos: Literal[0, 1] = 1
    retain: bool = False
    expiry_s: int | None = None
    correlation: str | None = None


class TransportState(StrEnum):
    """Whether messages can flow."""

    DOWN = "down"
    UP = "up"


class Transport(Protocol):
    """The way to the broker. All methods are called on the event loop."""

    async def start(
        self,
        subscriptions: Sequence[str],
        on_message: Callable[[Inbound], None],
        on_state: Callable[[TransportState], None],
    ) -> None:
        """Begin connecting, for ever; returns at once. `on_message` must not block."""
        ...

    async def publish(self, message: Outbound) -> None:
        """Hand over and wait until the broker has it (QoS 1: acknowledged). Raises TransportError otherwise."""
        ...

    def acknowledge(self, message: Inbound) -> None:
        """Tell the broker that the message is decided and journaled."""
        ...

    async def close(self, farewell: Outbound | None = None) -> None:
        """Publish `farewell` if it can be done at once, then disconnect."""
        ...


class JournalPort(Protocol):
    """Small JSON documents by name, which survive everything. `put` returns once the row would survive kill -9;
    with `durable` once it would survive loss of power.
    """

    def get(self, name: str) -> dict[str, Json] | None:
        """The document, or nothing; an empty one where there is, or was, one that cannot be read."""
        ...

    def doubt(self, name: str, why: str) -> None:
        """Its reader can make nothing of this document: let it be known."""
        ...

    async def put(self, name: str, document: Mapping[str, Json], *, durable: bool = False) -> None:
        """Replace the document. Raises StoreError."""
        ...

    def note(self, name: str, document: Mapping[str, Json]) -> None:
        """Replace the document soon, with whatever else is written then; never waits, never raises StoreError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxRow:
    """A message that waits. `tries` > 0 means that it may have arrived before."""

    row_id: int
    message: Outbound
    tries: int = 0


class OutboxPort(Protocol):
    """The only queue towards the broker: bounded, telemetry drops oldest first, outcomes and faults never.

    A retained message is a latest value: it replaces the waiting one of the same topic and does not outlive the
    process.
    """

    def add(self, message: Outbound, *, droppable: bool) -> None:
        """Queue at once; never waits for the disk."""
        ...

    async def head(self, count: int) -> Sequence[OutboxRow]:
        """The next `count` rows, what may not be dropped first, else oldest first; waits for at least one.

        What was refused is not among them.
        """
        ...

    def refused(self, count: int) -> Sequence[OutboxRow]:
        """The next `count` of the rows that were refused, the longest ago first; empty where none was."""
        ...

    def sent(self, row_id: int) -> None:
        """The broker has it: delete."""
        ...

    def failed(self, row_id: int) -> None:
        """It was sent and not acknowledged, so it may have arrived: count."""
        ...

    def refuse(self, row_id: int) -> None:
        """The broker takes others and not this one: set it aside, behind those refused before."""
        ...

    async def kept(self) -> None:
        """Wait until what was added so far would survive kill -9, or the disk has refused it."""
        ...
