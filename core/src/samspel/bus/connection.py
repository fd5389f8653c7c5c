"""The seam between the worker and a wire library: one connection that carries one transaction at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from samspel.bus.profile import BusProfile

__all__ = ["Answer", "Connection", "Connector"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, unjudged: the function code (with the exception bit 0x80) and the bytes after it."""

    function: int
    payload: bytes


class Connection(Protocol):
    """One open connection. It is never repaired: a lost one is replaced by a new object."""

    @property
    def alive(self) -> bool:
        """False once the peer or we closed it; never True again."""
        ...

    async def transact(self, unit: int, function: int, payload: bytes, timeout_s: float) -> Answer:
        """Send one request and wait for its answer. Must send before it first suspends.

        Raises LinkDown (nothing was sent), NoAnswer, BadAnswer (does not belong to the request).
        """
        ...

    def close(self) -> None:
        """Part in good order. May be called twice."""
        ...

    def reset(self) -> None:
        """Drop everything at once, including what the kernel has not delivered yet. May be called twice."""
        ...


class Connector(Protocol):
    """Opens connections."""

    async def __call__(self, host: str, port: int, profile: BusProfile, on_lost: Callable[[], None]) -> Connection:
        """A new connection. `on_lost` is called once, if the peer closes it. Raises LinkDown."""
        ...
