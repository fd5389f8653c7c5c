"""A dispatcher: writes commands for one issuer to one device, and hears everything that the site says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import count
from typing import Any

from samspel_sim.demo.inbox import Inbox

__all__ = ["Command", "Dispatcher"]

Command = Mapping[str, Any]


class Dispatcher:
    """`publish` sends a command on its way. `said` holds every command that was sent."""

    def __init__(self, inbox: Inbox, publish: Callable[[Command], None], *, target: str, issuer: str) -> None:
        self.inbox = inbox
        self._publish, self._target, self._issuer = publish, target, issuer
        self._seq = count(1)
        self.said: list[Command] = []

    @property
    def sent(self) -> list[str]:
        """The id of every command that was sent."""
        return [str(command["id"]) for command in self.said]

    def send(self, kind: str, *, ttl_s: float = 60.0, **fields: object) -> str:
        """Write a command and publish it; its id."""
        return self.deliver(self.write(kind, ttl_s=ttl_s, **fields))

    def write(self, kind: str, *, ttl_s: float = 60.0, **fields: object) -> Command:
        """A command, issued now; it carries the newest nonce of the site, which bounds its age."""
        seq = next(self._seq)
        status = self.inbox.latest.get("status")
        nonce = None if status is None else status.body.get("nonce")
        return {
            "schema": "command/1.0",
            "id": f"{self._issuer}-{seq}",
            "issuer": self._issuer,
            "epoch": 1,
            "seq": seq,
            "issued_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "ttl_s": ttl_s,
            "target": self._target,
            "kind": kind,
            **({} if nonce is None else {"nonce": nonce}),
            **fields,
        }

    def deliver(self, command: Command) -> str:
        """Publish what was written, however long ago; its id."""
        self._publish(command)
        self.said.append(command)
        return str(command["id"])
