"""What the endpoint knows about one unit."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from samspel.bus.profile import BusProfile
from samspel.contract.errors import BusError
from samspel.contract.ports import BusLink

__all__ = ["Confirm", "LinkSignal", "Unit"]

logger = logging.getLogger("samspel.bus")

Confirm = Callable[[BusLink], Awaitable[None]]
"""Logs in where needed and checks the serial. Raises WrongDevice or another BusError; must use the given link."""


class LinkSignal:
    """Up or down, with listeners."""

    def __init__(self) -> None:
        self._up = asyncio.Event()
        self.listeners: list[Callable[[bool], None]] = []

    @property
    def up(self) -> bool:
        """Whether it is up."""
        return self._up.is_set()

    async def wait_up(self) -> None:
        """Until it is up."""
        await self._up.wait()

    def set(self, *, up: bool) -> None:
        """Change it; listeners hear changes only."""
        if up == self.up:
            return
        if up:
            self._up.set()
        else:
            self._up.clear()
        for listener in self.listeners:
            self._tell(listener, up=up)

    @staticmethod
    def _tell(listener: Callable[[bool], None], *, up: bool) -> None:
        try:
            listener(up)
        except Exception:
            logger.exception("a listener for link changes failed")


class Unit(LinkSignal):
    """One unit id behind an endpoint, and whether it proved itself on the present connection."""

    def __init__(self, number: int, profile: BusProfile, confirm: Confirm | None) -> None:
        super().__init__()
        self.number = number
        self.profile = profile
        self.confirm = confirm
        self.confirmed = False
        self.error: BusError | None = None
        """Why the last identity check failed; requests get it until one succeeds."""
        self.check: asyncio.Task[None] | None = None
        self.multiple_only = False
        """Function 06 turned out to be unknown to it."""

    def lost(self) -> None:
        """The connection is gone, and with it what was proved on it."""
        if self.check is not None:
            self.check.cancel()
        self.confirmed, self.error = False, None
        self.set(up=False)
