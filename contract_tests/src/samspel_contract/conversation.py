"""What a dispatcher says to one site, and what it hears of it."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

__all__ = ["Conversation", "Message", "stamped"]

Message = dict[str, Any]


def stamped(at: datetime) -> str:
    """An instant as a message says it."""
    return at.isoformat(timespec="milliseconds")


@dataclass
class Conversation:
    """`messages` are what left the site, in order; `_leaf` says which kind each is."""

    messages: list[Message] = field(init=False, default_factory=list)
    _outcomes: defaultdict[str, list[Message]] = field(init=False, default_factory=lambda: defaultdict(list))
    _seq: int = field(init=False, default=0)

    def hear(self, topic: str, payload: bytes, **marks: object) -> Message | None:
        """One more; `marks` are what the message itself does not say. A command is nobody's news."""
        leaf = topic.rsplit("/", 1)[-1]
        if leaf == "command":
            return None
        heard = {**json.loads(payload), "_leaf": leaf, **marks}
        self.messages.append(heard)
        if leaf == "outcome":
            self._outcomes[heard["command_id"]].append(heard)
        return heard

    def drain(self) -> list[Message]:
        """What was heard since the last call; it is then forgotten here, so that weeks of a site fit into memory."""
        heard, self.messages = self.messages, []
        self._outcomes.clear()
        return heard

    def say(self, kind: str, *, target: str, issuer: str, issued_at: datetime, **fields: object) -> Message:
        """A command of the contract, as JSON, the next of this dispatcher's."""
        self._seq += 1
        return {
            "schema": "command/1.0",
            "id": f"{issuer}-{self._seq}",
            "issuer": issuer,
            "epoch": 1,
            "seq": self._seq,
            "issued_at": stamped(issued_at),
            "target": target,
            "kind": kind,
            **fields,
        }

    # --- what came of it ---

    def outcomes(self, command_id: str) -> list[Message]:
        """Everything that was said of a command."""
        return self._outcomes[command_id]

    def found(self, command_id: str, **wanted: object) -> Message | None:
        """The first outcome of a command with these fields."""
        fits = (one for one in self.outcomes(command_id) if all(one.get(key) == wanted[key] for key in wanted))
        return next(fits, None)

    def ends(self, command_id: str) -> list[str]:
        """Its ends, each counted once however often the message came."""
        ended = {(one["boot_id"], one["seq"]): one["end"] for one in self.outcomes(command_id) if "end" in one}
        return list(ended.values())

    def faults(self, code: str, device: str | None = None) -> list[str]:
        """Raised and cleared, in order; of one device, or of all."""
        fits = (one for one in self.messages if one["_leaf"] == "fault" and one["code"] == code)
        return [one["state"] for one in fits if device in (None, one["device"])]

    def story(self, command_id: str = "") -> str:
        """The last faults and outcomes, of every command or of one, for a failing test."""
        shown = [one for one in self.messages if one["_leaf"] in ("outcome", "fault")]
        shown = [one for one in shown if one["_leaf"] == "fault" or command_id in ("", one["command_id"])]
        return "\n".join(map(_told, shown[-30:]))


def _told(message: Message) -> str:
    at = f"{message['_at']:9.2f}  " if "_at" in message else ""
    keys = ("command_id", "stage", "deviation", "end", "code", "state", "reason", "text")
    return at + " · ".join(str(message[key]) for key in keys if message.get(key))
