"""What is kept of a run: counts, the last events, a hash over all of them, and what was violated."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from samspel.registers.model import Life, RegisterMap

from samspel_contract.simulation.checks import Check, name_of
from samspel_contract.simulation.events import Disturbed, Event, Heard, Looked, Sent, Wrote

__all__ = ["LAST", "Record", "Violation", "line_of", "span_of"]

LAST = 30
"""So many events are shown before a violation."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One invariant that did not hold: its name, what was seen, when, and what came before."""

    invariant: str
    text: str
    at_s: float
    before: tuple[str, ...]


@dataclass
class Record:
    """`take` gives every event to every check. `counts` are by group and name."""

    checks: list[Check]
    map: RegisterMap
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    checked: Counter[str] = field(default_factory=Counter)
    violations: list[Violation] = field(default_factory=list)
    _last: deque[Event] = field(default_factory=lambda: deque(maxlen=LAST))
    _hash: hashlib._Hash = field(default_factory=hashlib.sha256)

    def take(self, event: Event) -> None:
        """The next event, in order."""
        self._hash.update(_canonical(event))
        if not isinstance(event, Looked) and not (isinstance(event, Heard) and event.leaf in ("telemetry", "headroom")):
            self._last.append(event)
        self._count(event)
        for check in self.checks:
            self._judge(check, event)

    @property
    def transcript(self) -> str:
        """The same for two runs in which the same happened at the same moments."""
        return self._hash.hexdigest()

    def _judge(self, check: Check, event: Event) -> None:
        text = check.see(event)
        if text is None:
            return
        name = name_of(check)
        self.checked[name] += 1
        if text:
            before = tuple(line_of(one) for one in self._last)
            self.violations.append(Violation(name, text, event.at_s, before))

    def _add(self, group: str, name: str) -> None:
        self.counts.setdefault(group, Counter())[name] += 1

    def _count(self, event: Event) -> None:
        match event:
            case Sent():
                self._add("commands", "sent again" if event.again else event.kind)
            case Wrote():
                self._add("writes", self._class_of(event))
            case Disturbed() if event.on:
                self._add("disturbances", event.what)
            case Heard() if event.leaf == "outcome":
                for group in ("end", "deviation"):
                    if (name := event.message.get(group)) is not None:
                        self._add(f"{group}s", name)
            case Heard() if event.leaf == "fault" and event.message["state"] == "raised":
                self._add("faults", event.message["code"])

    def _class_of(self, wrote: Wrote) -> str:
        """Undeclared, persistent or volatile; a frame over several registers counts as the worst of them."""
        rows = [self.map.registers[name] for name in wrote.names]
        if not rows:
            return "undeclared"
        return "persistent" if any(row.life is Life.PERSISTENT for row in rows) else "volatile"


def span_of(seconds: float) -> str:
    """`3d04h`, with minutes and seconds where there are any."""
    whole = int(seconds)
    parts = [(whole // 86_400, "d"), (whole // 3600 % 24, "h"), (whole // 60 % 60, "m"), (whole % 60, "s")]
    return "".join(f"{number:02d}{unit}" for number, unit in parts if number).removeprefix("0") or "0s"


def line_of(event: Event) -> str:
    """For people."""
    return f"{span_of(event.at_s):>12}  {_words(event)}"


def _words(event: Event) -> str:
    match event:
        case Sent():
            power = "" if event.power_w is None else f" {event.power_w:.0f} W"
            marks = "".join(mark for mark, on in ((" again", event.again), (" unlawful", not event.legit)) if on)
            return f"sent   {event.kind}{power} {event.command_id}{marks} until {event.deadline_s:.0f} s"
        case Wrote():
            return f"wrote  {'+'.join(event.names) or event.address} = {list(event.words)} ({event.phase})"
        case Disturbed():
            return f"{'begins' if event.on else 'ends  '} {event.what} {event.detail}".rstrip()
        case Heard():
            return f"heard  {event.leaf} {_said(event.message)}"
        case Looked():
            return f"battery {event.battery_w:.0f} W, {event.soc_pct:.1f} %, {event.phase}"


def _said(message: Mapping[str, object]) -> str:
    keys = ("command_id", "stage", "deviation", "end", "code", "state", "condition", "reason", "text")
    return " · ".join(str(message[key]) for key in keys if message.get(key))


def _canonical(event: Event) -> bytes:
    document = {"event": type(event).__name__, **{one.name: getattr(event, one.name) for one in fields(event)}}
    return json.dumps(document, sort_keys=True, default=str).encode() + b"\n"
