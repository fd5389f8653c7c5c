"""What was expected, scene by scene, and what came."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from samspel_sim.demo.inbox import Inbox, Pace

__all__ = ["Expectation", "Record", "seen"]

LOOK_S = 0.2


@dataclass(frozen=True, slots=True)
class Expectation:
    """What was expected, whether it came, and what was seen."""

    scene: str
    text: str
    met: bool
    seen: str


@dataclass(slots=True)
class Record:
    """Announces scenes and notes expectations; one that is not met is noted, and the play goes on."""

    inbox: Inbox
    pace: Pace
    announce: Callable[[str], None]
    results: list[Expectation] = field(default_factory=list)
    _scene: str = ""

    def scene(self, text: str) -> None:
        """A new scene begins."""
        self._scene = text
        self.announce(text)

    def expect(self, text: str, met: bool, what_was_seen: str) -> None:
        """Note it."""
        self.results.append(Expectation(self._scene, text, met, what_was_seen))

    def expect_outcome(
        self, text: str, command_id: str, within_s: float, *, since: int = 0, **wanted: object
    ) -> Mapping[str, Any] | None:
        """Note whether an outcome with these fields comes in time; it, or nothing."""
        found = self.inbox.outcome(command_id, within_s, since=since, **wanted)
        self.expect(text, found is not None, seen(found))
        return found

    def until(self, holds: Callable[[], bool], within_s: float) -> bool:
        """Whether it comes true in time."""
        until = self.pace.monotonic() + within_s
        while not holds():
            if self.pace.monotonic() >= until:
                return False
            self.pace.sleep(LOOK_S)
        return True


def seen(message: Mapping[str, Any] | None) -> str:
    """An outcome in a few words."""
    if message is None:
        return "nothing came"
    word = message.get("stage") or message.get("deviation") or message.get("end") or ""
    parts = (word, message.get("reason", ""), message.get("text", ""))
    return ", ".join(str(part) for part in parts if part)
