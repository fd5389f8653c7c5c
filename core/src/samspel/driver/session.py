"""What a vendor's login is to the driver: the only thing beside data that a plugin may bring."""

from __future__ import annotations

from typing import Protocol

from samspel.contract.ports import BusLink

__all__ = ["Session"]


class Session(Protocol):
    """A login that some devices want before they accept writes. It lives and dies with its connection."""

    @property
    def interval_s(self) -> float:
        """How often `keep_alive` must be called, in seconds."""
        ...

    async def open(self, link: BusLink) -> None:
        """Log in on a new connection. Raises a `BusError`, or `RequirementFailed` when the login is refused."""
        ...

    async def keep_alive(self, link: BusLink) -> None:
        """Keep the login. Raises a `BusError`."""
        ...
