"""Invariants of what the battery really does."""

from __future__ import annotations

from dataclasses import dataclass, field

from samspel_contract.simulation.events import Disturbed, Event, Heard, Looked, Sent, Terms, Wrote

__all__ = ["ChargeWindowKept", "NoLimitPassedByTheBattery", "RestsBeforeItReverses"]

SLACK_W = 300.0
SLACK_SHARE = 0.1
SLACK_PCT = 1.5
"""What a reading of the charge may be late and rounded by."""

OURS = frozenset({"controlling", "stopped"})

MOVES_NO_BATTERY = frozenset({"process", "boot", "mqtt", "clock", "disk_full"})
"""Disturbances in spite of which a battery at rest stays there."""


@dataclass
class NoLimitPassedByTheBattery:
    """Unsafe: the battery itself moves more power than the site's contract allows while it is commanded. Limit:
    `most_w` each way and a tenth, once it has had time to settle on an undisturbed device.
    """

    terms: Terms
    _since_s: float | None = None

    def see(self, event: Event) -> str | None:
        """Each look while control holds the battery."""
        if not isinstance(event, Looked):
            return None
        if event.phase != "controlling" or event.calm_s < self.terms.grace_s:
            self._since_s = None
            return None
        self._since_s = event.at_s if self._since_s is None else self._since_s
        if event.at_s - self._since_s < self.terms.settle_s:
            return None
        most_w = self.terms.most_w * (1 + SLACK_SHARE) + SLACK_W
        return "" if abs(event.battery_w) <= most_w else f"the battery moves {event.battery_w:.0f} W"


@dataclass
class ChargeWindowKept:
    """Unsafe: a command empties or overfills the battery beyond the window that the site allows. Limit: 1.5 % beyond
    either end, once it has been commanded long enough for the charge to be read and the power to settle.
    """

    terms: Terms
    _beyond_since_s: float | None = None

    def see(self, event: Event) -> str | None:
        """Each look while control holds the battery."""
        if not isinstance(event, Looked):
            return None
        judged = event.phase == "controlling" and event.calm_s >= self.terms.grace_s
        beyond = judged and self._is_beyond(event)
        self._beyond_since_s = (self._beyond_since_s or event.at_s) if beyond else None
        if self._beyond_since_s is None:
            return "" if judged else None
        if event.at_s - self._beyond_since_s < self.terms.settle_s + self.terms.grace_s:
            return ""
        return f"commanded {event.battery_w:.0f} W at {event.soc_pct:.1f} % of charge"

    def _is_beyond(self, event: Looked) -> bool:
        empty = event.soc_pct < self.terms.soc_min_pct - SLACK_PCT and event.battery_w > self.terms.rest_w
        full = event.soc_pct > self.terms.soc_max_pct + SLACK_PCT and event.battery_w < -self.terms.rest_w
        return empty or full


@dataclass
class RestsBeforeItReverses:
    """Unsafe: a battery that is sent from one direction into the other faster than it can take, which trips its own
    protection. Limit: the declared dwell at rest, less the time that it needs to come to rest. Judged while nobody and
    nothing but a command moves it; a process that ends in the middle of a rest makes that no shorter.
    """

    terms: Terms
    _sent: dict[str, int] = field(default_factory=dict)
    _out_of_order: set[str] = field(default_factory=set)
    _fair_from_s: float = 0.0
    _wanted: int = 0
    _wanted_at_s: float = 0.0
    _has_followed: bool = False
    _way: int = 0
    _moved_at_s: float = 0.0

    def see(self, event: Event) -> str | None:
        """Each look at a battery that goes where the command in force wants it."""
        if not self.terms.rest_between_s:
            return None
        match event:
            case Sent(kind="set_power"):
                self._sent[event.command_id] = _sign(event.power_w or 0.0)
            case Heard(leaf="outcome", message={"stage": "accepted", "command_id": str(command_id)}):
                self._wanted, self._wanted_at_s = self._sent.get(command_id, 0), event.at_s
                self._has_followed = False
            case Disturbed() if event.what not in MOVES_NO_BATTERY:
                (self._out_of_order.add if event.on else self._out_of_order.discard)(event.what)
                self._forget(event.at_s)
            case Wrote(phase="releasing"):
                self._forget(event.at_s)  # However short: no look need have seen it released.
            case Looked():
                return self._look(event)
        return None

    def _look(self, event: Looked) -> str | None:
        way = _sign(event.battery_w) if abs(event.battery_w) > self.terms.rest_w else 0
        if self._out_of_order or (event.phase not in OURS and (way or event.phase != "dead")):
            self._forget(event.at_s)
        if way == self._wanted != 0:
            return self._follow(event, way)
        if way and (self._has_followed or event.at_s - self._wanted_at_s > self.terms.settle_s):
            self._forget(event.at_s)  # Against the command that it followed: its own logic moves it.
        elif way and event.at_s >= self._fair_from_s:
            self._way, self._moved_at_s = way, event.at_s  # Still as the command before wanted it.
        return None

    def _follow(self, event: Looked, way: int) -> str | None:
        self._has_followed = True
        if event.at_s < self._fair_from_s:
            return None
        rested_s, is_reversal = event.at_s - self._moved_at_s, self._way == -way
        self._way, self._moved_at_s = way, event.at_s
        if not is_reversal or rested_s >= self.terms.rest_between_s - self.terms.settle_s:
            return ""
        return f"the battery went the other way ({event.battery_w:.0f} W) after {rested_s:.0f} s at rest"

    def _forget(self, now_s: float) -> None:
        """It was in other hands; whose it is in the next moments does not show yet."""
        self._way, self._fair_from_s = 0, now_s + self.terms.grace_s


def _sign(power_w: float) -> int:
    return (power_w > 0) - (power_w < 0)
