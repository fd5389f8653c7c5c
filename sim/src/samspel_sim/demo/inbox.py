"""Everything that a site has said, and waiting for what it says next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

__all__ = ["Inbox", "Message", "Pace"]

LOOK_S = 0.05


class Pace(Protocol):
    """How time passes: the module `time`, or a test's own."""

    def monotonic(self) -> float:
        """Seconds."""
        ...

    def sleep(self, seconds: float, /) -> None:
        """Let them pass."""
        ...


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a site: the last level of its topic, and its JSON object."""

    leaf: str
    body: Mapping[str, Any]


class Inbox:
    """Keeps messages in the order of their arrival. `put` may be called from another thread than the rest."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self.messages: list[Message] = []
        self.latest: dict[str, Message] = {}
        self.listeners: list[Callable[[Message], None]] = []

    def put(self, message: Message) -> None:
        """Keep it and tell the listeners."""
        self.messages.append(message)
        self.latest[message.leaf] = message
        for listener in self.listeners:
            listener(message)

    def position(self) -> int:
        """How many messages there have been; to wait for later ones only."""
        return len(self.messages)

    def wait_for(
        self, leaf: str, within_s: float, *, since: int = 0, fits: Callable[[Mapping[str, Any]], bool] = lambda _: True
    ) -> Mapping[str, Any] | None:
        """The first message of this kind from position `since` on that fits, or nothing in time."""
        until = self._pace.monotonic() + within_s
        while True:
            in_time = self._pace.monotonic() < until
            upto = self.position()
            for message in self.messages[since:upto]:
                if message.leaf == leaf and fits(message.body):
                    return message.body
            if not in_time:
                return None
            since = upto
            self._pace.sleep(LOOK_S)

    def outcome(
        self, command_id: str, within_s: float, *, since: int = 0, **wanted: object
    ) -> Mapping[str, Any] | None:
        """An outcome of a command with these fields, or nothing in time."""

        def fits(body: Mapping[str, Any]) -> bool:
            return body["command_id"] == command_id and all(body.get(key) == value for key, value in wanted.items())

        return self.wait_for("outcome", within_s, since=since, fits=fits)

    def reading(self, signal: str) -> float | None:
        """The newest value of a signal, when it is good."""
        for message in reversed(self.messages[:]):
            if message.leaf == "telemetry" and signal in message.body["readings"]:
                reading = message.body["readings"][signal]
                return reading.get("value") if reading.get("quality") == "good" else None
        return None

    def outcomes(self) -> list[Mapping[str, Any]]:
        """All of them, each once: a message that was sent again counts as the same."""
        seen = {(one.body["boot_id"], one.body["seq"]): one.body for one in self.messages[:] if one.leaf == "outcome"}
        return list(seen.values())
