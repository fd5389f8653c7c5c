"""Another unit behind the same endpoint, a battery pack for example: read only, and left in peace while it is silent.

Whoever makes the link sees to it that nothing goes over it before the device itself is confirmed (`samspel.connect`).
"""

from __future__ import annotations

from samspel.contract.errors import DeviceRefused, NoAnswer
from samspel.contract.ports import BusLink, Clock, Priority, Table

__all__ = ["FurtherUnit"]

REST_S = 60.0
"""A unit that did not answer is not asked again for so long: each silence costs everybody else a timeout."""

UNREACHABLE = frozenset({10, 11})
"""Exception codes by which a gateway says that nobody answers there."""


class FurtherUnit:
    """Reads from one further unit. Raises any `BusError`; NoAnswer at once while the unit rests."""

    def __init__(self, name: str, link: BusLink, clock: Clock) -> None:
        self._name, self._link, self._clock = name, link, clock
        self._rests_until = float("-inf")

    async def read(self, table: Table, address: int, count: int, *, priority: Priority) -> tuple[int, ...]:
        """`count` words from `address`."""
        if self._clock.monotonic() < self._rests_until:
            raise NoAnswer(f"unit {self._name!r} was silent less than {REST_S:g} s ago; it is not asked yet")
        try:
            return await self._link.read(table, address, count, priority=priority)
        except NoAnswer:
            self._rest()
            raise
        except DeviceRefused as refusal:
            if refusal.code not in UNREACHABLE:
                raise
            self._rest()
            raise NoAnswer(f"unit {self._name!r}: the gateway reaches nobody there ({refusal})") from refusal

    def _rest(self) -> None:
        self._rests_until = self._clock.monotonic() + REST_S
