"""Invariants of what becomes of commands: stops, ends, and the time when nobody commands."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from samspel_contract.simulation.events import Event, Heard, Looked, Sent, Terms

__all__ = ["OneEndForEveryCommand", "ReleasedWhenNobodyCommands", "StopWithinItsBound"]

MARGIN_S = 5.0
"""From the broker to the register, with a transaction in flight and its pause before it."""

RECOVERY_S = 90.0
"""After a disturbance: reconnecting, knowing the device again, and the longest pause between two tries."""

LOOKS = 3
"""One look may fall between what a site does and what it says of it."""

END_S = 300.0


def _end_of(event: Event) -> str | None:
    """The command whose end this is."""
    if isinstance(event, Heard) and event.leaf == "outcome" and event.message.get("end") is not None:
        return str(event.message["command_id"])
    return None


@dataclass
class StopWithinItsBound:
    """Unsafe: a battery that still moves after a stop. Limit: the device's declared time to rest, from the stop's
    arrival on a usable link; longer by the time to recover where something was out of order, and as long as it stands.
    """

    terms: Terms
    _open: dict[str, float] = field(default_factory=dict)
    _moving: int = 0

    def see(self, event: Event) -> str | None:
        """Each look while a stop is in force."""
        if isinstance(event, Sent) and event.kind == "stop" and event.legit and not event.again:
            self._open[event.command_id] = event.at_s
        if (ended := _end_of(event)) is not None:
            self._open.pop(ended, None)
        if not isinstance(event, Looked) or not self._is_due(event):
            return None
        self._moving = self._moving + 1 if abs(event.battery_w) > self.terms.rest_w else 0
        if self._moving <= LOOKS:
            return ""
        return f"the battery moves {event.battery_w:.0f} W under the stop {list(self._open)[-1]!r}"

    def _is_due(self, event: Looked) -> bool:
        if not self._open:
            return False
        since_s = event.at_s - max(self._open.values())
        bound_s = self.terms.stop_s + MARGIN_S
        orderly_s = min(event.calm_s, event.heard_s)
        undisturbed = orderly_s >= since_s + RECOVERY_S
        return since_s >= bound_s if undisturbed else min(since_s, orderly_s) >= bound_s + RECOVERY_S


@dataclass
class ReleasedWhenNobodyCommands:
    """Unsafe: a household's device that stays in our hands although nobody commands it. Limit: every register that we
    own as it was before, and control released, `grace_s` after the last command's end on an undisturbed device.
    """

    terms: Terms
    _live: dict[str, float] = field(default_factory=dict)
    _stops: set[str] = field(default_factory=set)
    _idle_since_s: float = 0.0
    _held: int = 0

    def see(self, event: Event) -> str | None:
        """Each look while nobody commands."""
        self._keep_book(event)
        if not isinstance(event, Looked):
            return None
        if self._stops or any(until_s >= event.at_s for until_s in self._live.values()):
            self._idle_since_s = event.at_s
        self._live = {name: until_s for name, until_s in self._live.items() if until_s >= event.at_s}
        if min(event.at_s - self._idle_since_s, event.calm_s, event.heard_s) < self.terms.grace_s or event.meddled:
            return None
        is_back = event.phase == "released" and not event.disturbed
        self._held = 0 if is_back else self._held + 1
        if self._held <= LOOKS:
            return ""
        return (
            f"nobody commands, and control is {event.phase}; not given back: {', '.join(event.disturbed) or 'nothing'}"
        )

    def _keep_book(self, event: Event) -> None:
        if isinstance(event, Sent) and event.legit and event.kind == "set_power":
            self._live[event.command_id] = event.until_s
        if isinstance(event, Sent) and event.legit and event.kind == "stop":
            self._stops.add(event.command_id)
        if isinstance(event, Sent) and event.legit and not event.again and event.deadline_s > event.at_s:
            self._idle_since_s = event.at_s
        if (ended := _end_of(event)) is not None:
            self._live.pop(ended, None)
            self._stops.discard(ended)


@dataclass
class OneEndForEveryCommand:
    """Unsafe: a dispatcher that never learns what became of its command, or is told two stories. Limit: exactly one
    end for every command that names itself, within five minutes of the last moment at which it could act; one that is
    sent again word for word may be refused again.
    """

    terms: Terms
    _due_s: dict[str, float] = field(default_factory=dict)
    _stops_due_s: dict[str, float] = field(default_factory=dict)
    _sends: Counter[str] = field(default_factory=Counter)
    _ends: dict[str, set[tuple[str, int]]] = field(default_factory=dict)

    def see(self, event: Event) -> str | None:
        """Each end, and each look at which everything that was to be said has been heard."""
        if isinstance(event, Sent):
            self._sends[event.command_id] += 1
            self._expect(event)
        if (ended := _end_of(event)) is not None and isinstance(event, Heard):
            return self._count(ended, event)
        if isinstance(event, Looked) and min(event.calm_s, event.heard_s) >= END_S:
            return self._missing(event)
        return None

    def _expect(self, sent: Sent) -> None:
        """A stop that stands when the box loses power may be held anew from then; its end is due in calm times only."""
        if sent.again:
            return
        longest_s = max(sent.until_s - sent.at_s, 0.0) if sent.kind == "set_power" else 0.0
        due = self._stops_due_s if sent.kind == "stop" else self._due_s
        due[sent.command_id] = sent.at_s + longest_s + END_S

    def _count(self, command_id: str, heard: Heard) -> str:
        ends = self._ends.setdefault(command_id, set())
        ends.add((str(heard.message["boot_id"]), int(heard.message["seq"])))
        self._due_s.pop(command_id, None)
        self._stops_due_s.pop(command_id, None)
        allowed = max(self._sends[command_id], 1)
        return "" if len(ends) <= allowed else f"{command_id!r} has {len(ends)} ends, the last {heard.message['end']}"

    def _missing(self, looked: Looked) -> str:
        held_s = self.terms.stop_hold_max_s
        due = [name for name, due_s in self._due_s.items() if due_s <= looked.at_s]
        if min(looked.calm_s, looked.heard_s) >= held_s + END_S:
            due += [name for name, due_s in self._stops_due_s.items() if due_s + held_s <= looked.at_s]
        return f"{due[0]!r} has no end" if due else ""
