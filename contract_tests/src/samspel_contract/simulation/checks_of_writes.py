"""Invariants of what reaches the device's registers."""

from __future__ import annotations

from dataclasses import dataclass, field

from samspel_contract.simulation.events import Event, Sent, Terms, Wrote

__all__ = ["NoLimitPassedOnTheWire", "NothingStaleWritten", "OnlyDeclaredRegisters", "OnlyWhoMayCommand"]

COMMANDING = frozenset({"taking", "controlling", "lost"})
GIVING_BACK = frozenset({"releasing", "stopped"})

ROUNDING_SHARE = 0.01
ROUNDING_W = 150.0
"""A device that counts in whole percents of its rated power rounds by as much."""

IN_FLIGHT_S = 0.5
"""A request that is on its way at the deadline has been sent before it."""


@dataclass
class OnlyDeclaredRegisters:
    """Unsafe: a write to a register that no sequence of the map owns, for it changes a home's device for good and no
    release gives it back. Limit: none at all, in any phase.
    """

    terms: Terms

    def see(self, event: Event) -> str | None:
        """Every write."""
        if not isinstance(event, Wrote):
            return None
        strays = set(range(event.address, event.address + len(event.words))) - self.terms.declared
        return f"wrote to {sorted(strays)}, which no sequence of the map declares" if strays else ""


@dataclass
class NoLimitPassedOnTheWire:
    """Unsafe: a commanded power beyond what the site's contract allows. Limit: `most_w` each way, and one percent or
    150 W for rounding. Judged where a power is commanded; a release may restore a household's own larger setting.
    """

    terms: Terms

    def see(self, event: Event) -> str | None:
        """Every write that carries a power."""
        if not isinstance(event, Wrote) or event.power_w is None or event.phase in GIVING_BACK:
            return None
        most_w = self.terms.most_w * (1 + ROUNDING_SHARE) + ROUNDING_W
        if event.power_w <= most_w:
            return ""
        return f"commanded {event.power_w:.0f} W; the site allows {self.terms.most_w:.0f} W"


@dataclass
class NothingStaleWritten:
    """Unsafe: a power that nobody wants any more, or never wanted. Limit: the command's deadline for its first write,
    its deadline and hold for later ones; outside a stop and a release nothing is written without a command.
    """

    terms: Terms
    _sent: dict[str, Sent] = field(default_factory=dict)

    def see(self, event: Event) -> str | None:
        """Every write that is no part of a stop or a release."""
        if isinstance(event, Sent) and event.kind == "set_power":
            self._sent.setdefault(event.command_id, event)
        if not isinstance(event, Wrote) or event.phase in GIVING_BACK:
            return None
        if event.phase not in COMMANDING:
            return f"wrote {event.names} while {event.phase}"
        sent = self._sent.get(event.command_id or "")
        if sent is None:
            return f"wrote {event.names} for {event.command_id!r}, which nobody has sent"
        return self._late(event, sent)

    def _late(self, event: Wrote, sent: Sent) -> str:
        late_s = event.at_s - sent.until_s
        if late_s <= IN_FLIGHT_S:
            return ""
        return f"wrote {event.names} for {sent.command_id!r} {late_s:.1f} s after its end"


@dataclass
class OnlyWhoMayCommand:
    """Unsafe: a stranger, a dispatcher that has lost its lease, or a message for another site moves the battery.
    Limit: no write for a command that a sound site refuses.
    """

    terms: Terms
    _illegitimate: dict[str, Sent] = field(default_factory=dict)

    def see(self, event: Event) -> str | None:
        """Every write while somebody commands."""
        if isinstance(event, Sent) and not event.legit:
            self._illegitimate[event.command_id] = event
        if not isinstance(event, Wrote) or event.phase not in COMMANDING:
            return None
        sent = self._illegitimate.get(event.command_id or "")
        return "" if sent is None else f"wrote {event.names} for {sent.command_id!r} of {sent.issuer!r}"
