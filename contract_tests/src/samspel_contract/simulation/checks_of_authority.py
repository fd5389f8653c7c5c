"""Invariants of who may command: judged from what was sent, what the site said of it and what it wrote."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from samspel_contract.simulation.checks_of_writes import COMMANDING, IN_FLIGHT_S
from samspel_contract.simulation.events import Disturbed, Event, Heard, Looked, Sent, Terms, Wrote

__all__ = ["HigherRankKept", "NothingWrittenAfterItsEnd", "OlderEpochSilent", "StopEndedByWhoMay"]

SAME_MOMENT_S = 0.5
"""A lease that is as good as over may be displaced."""

SETTLED_S = 2.0
"""What was said before has been heard by then, where the broker is there and the process lives."""


@dataclass
class _Told:
    """What was sent, and what the site's outcomes say of it, each once however often it comes."""

    sent: dict[str, Sent] = field(default_factory=dict)
    _seen: set[tuple[str, int]] = field(default_factory=set)

    def see(self, event: Event) -> tuple[Heard, Sent] | None:
        """The next outcome of a command that was sent; nothing of what it says again, or adopts."""
        if isinstance(event, Sent):
            self.sent.setdefault(event.command_id, event)
        if not isinstance(event, Heard) or event.leaf != "outcome":
            return None
        key = (str(event.message.get("boot_id")), int(event.message.get("seq", -1)))
        command = self.sent.get(str(event.message["command_id"]))
        if command is None or key in self._seen or event.message.get("reason") == "adopted":
            return None
        self._seen.add(key)
        return event, command


def _accepts(heard: Heard) -> bool:
    return heard.message.get("stage") == "accepted"


def _ends(heard: Heard) -> bool:
    return heard.message.get("end") is not None


@dataclass
class HigherRankKept:
    """Unsafe: a household or a dispatcher takes the battery from somebody who outranks it. Limit: while a set-point
    that was accepted has neither ended nor run out, no set-point or release of a lower rank is accepted. A lease is
    left out where the site may have had to doubt its own clock.
    """

    terms: Terms
    _told: _Told = field(default_factory=_Told)
    _holder: Sent | None = None
    _is_clock_wrong: bool = False

    def see(self, event: Event) -> str | None:
        """Each acceptance, and each refusal, of a lower rank against a lease in force."""
        if isinstance(event, Disturbed):
            self._doubt(event)
        if (told := self._told.see(event)) is None:
            return None
        heard, command = told
        text = self._contest(heard, command)
        if _ends(heard) and self._holder is not None and command.command_id == self._holder.command_id:
            self._holder = None
        if _accepts(heard) and command.kind == "set_power":
            self._holder = None if self._is_clock_wrong and command.has_nonce else command
        return text

    def _doubt(self, event: Disturbed) -> None:
        """After another boot only the wall clock can say how long a lease of the last one is good."""
        if event.what == "clock":
            self._is_clock_wrong = event.on
        if event.what == "boot":
            self._holder = None

    def _contest(self, heard: Heard, command: Sent) -> str | None:
        holder = self._holder
        if holder is None or command.kind not in ("set_power", "release") or command.rank >= holder.rank:
            return None
        if heard.made_s >= holder.deadline_s - SAME_MOMENT_S:
            return None
        if _accepts(heard):
            return f"{command.command_id!r} displaced {holder.command_id!r}, which outranks it and has not run out"
        return "" if _ends(heard) else None


@dataclass
class OlderEpochSilent:
    """Unsafe: a dispatcher that has lost its lease, or a message that was caught and sent again, commands. Limit: of
    one issuer no set-point or release is accepted whose (epoch, seq) is not newer than what was accepted before.
    """

    terms: Terms
    _told: _Told = field(default_factory=_Told)
    _newest: dict[str, tuple[int, int]] = field(default_factory=dict)
    _accepted: set[str] = field(default_factory=set)

    def see(self, event: Event) -> str | None:
        """Each acceptance, and each refusal, of a command that is too old."""
        if (told := self._told.see(event)) is None or not (_accepts(told[0]) or _ends(told[0])):
            return None
        heard, command = told
        order, newest = (command.epoch, command.seq), self._newest.get(command.issuer, (-1, -1))
        if not _accepts(heard):
            return "" if order < newest and command.command_id not in self._accepted else None
        self._accepted.add(command.command_id)
        self._newest[command.issuer] = max(order, newest)
        if command.kind == "stop" or order > newest:
            return None
        return f"{command.command_id!r} {order} was accepted after {newest} of {command.issuer!r}"


@dataclass(frozen=True, slots=True)
class _Latch:
    command_id: str
    rank: int
    issued_s: float
    since_s: float


@dataclass
class StopEndedByWhoMay:
    """Unsafe: a stop is undone by somebody who may not, or by nobody. Limit: a stop in force ends only by a release, or
    a set-point that names it, issued after it and with at least its rank; else after `stop_hold_max_s`. Where a stop
    takes over from another, the higher rank and the later moment of both count.
    """

    terms: Terms
    _told: _Told = field(default_factory=_Told)
    _latch: _Latch | None = None

    def see(self, event: Event) -> str | None:
        """Whatever is said of a command while a stop is in force."""
        if (told := self._told.see(event)) is None:
            return None
        heard, command = told
        if _accepts(heard) and command.kind == "stop":
            self._latch = self._after(command, heard.made_s)
            return None
        if self._latch is None or not (_accepts(heard) or _ends(heard)):
            return None
        if command.command_id == self._latch.command_id:
            return self._ended_alone(self._latch, heard)
        if not _accepts(heard):
            return "" if self._objection(self._latch, command) else None
        latch, self._latch = self._latch, None
        why_not = self._objection(latch, command)
        return f"{command.command_id!r} ended the stop {latch.command_id!r}: {why_not}" if why_not else ""

    def _after(self, stop: Sent, made_s: float) -> _Latch:
        """The same stop accepted once more, after a crash, is no other."""
        fresh = _Latch(stop.command_id, stop.rank, stop.at_s, made_s)
        if (before := self._latch) is None:
            return fresh
        return replace(fresh, rank=max(fresh.rank, before.rank), issued_s=max(fresh.issued_s, before.issued_s))

    def _ended_alone(self, latch: _Latch, heard: Heard) -> str | None:
        if not _ends(heard):
            return None
        self._latch = None
        held_s = heard.made_s - latch.since_s
        if held_s >= self.terms.stop_hold_max_s - SAME_MOMENT_S:
            return ""
        return f"the stop {latch.command_id!r} ended after {held_s:.0f} s, and nobody had ended it"

    def _objection(self, latch: _Latch, command: Sent) -> str:
        if command.rank < latch.rank:
            return "it has a lower rank"
        if command.at_s < latch.issued_s:
            return "it was sent before the stop"
        if command.kind == "set_power" and command.ends_stop != latch.command_id:
            return "it does not name it"
        return ""


@dataclass
class NothingWrittenAfterItsEnd:
    """Unsafe: a battery follows a command of which its dispatcher was told that it is over, or refused. Limit: no write
    for a command after its end; half a second for a request that was on its way.
    """

    terms: Terms
    _told: _Told = field(default_factory=_Told)
    _ended_s: dict[str, float] = field(default_factory=dict)
    _accepted: set[str] = field(default_factory=set)
    _waiting: list[Wrote] = field(default_factory=list)
    _alive_since_s: float | None = None

    def see(self, event: Event) -> str | None:
        """Each write, once what was said before it has been heard."""
        if (told := self._told.see(event)) is not None:
            self._keep_book(*told)
        if isinstance(event, Wrote) and event.phase in COMMANDING:
            self._waiting.append(event)
        if not isinstance(event, Looked):
            return None
        self._alive_since_s = None if event.phase == "dead" else self._alive_since_s or event.at_s
        if self._alive_since_s is None or min(event.heard_s, event.at_s - self._alive_since_s) < SETTLED_S:
            return None
        return self._judge(event.at_s - SETTLED_S)

    def _keep_book(self, heard: Heard, command: Sent) -> None:
        """What was refused once may be sent again word for word, and be accepted then."""
        if _accepts(heard):
            self._accepted.add(command.command_id)
            self._ended_s.pop(command.command_id, None)
        elif _ends(heard):
            self._ended_s.setdefault(command.command_id, heard.made_s)

    def _judge(self, until_s: float) -> str | None:
        due = [wrote for wrote in self._waiting if wrote.at_s <= until_s]
        self._waiting = self._waiting[len(due) :]
        return next((text for wrote in due if (text := self._late(wrote))), "" if due else None)

    def _late(self, wrote: Wrote) -> str:
        name = wrote.command_id or ""
        ended_s = self._ended_s.get(name)
        grace_s = IN_FLIGHT_S if name in self._accepted else 0.0
        if ended_s is None or wrote.at_s <= ended_s + grace_s:
            return ""
        return f"wrote {wrote.names} for {name!r} {wrote.at_s - ended_s:.1f} s after it was told that this is over"
