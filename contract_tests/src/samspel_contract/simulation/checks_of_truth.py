"""Invariants of what the battery really does."""

from __future__ import annotations

from dataclasses import dataclass

from samspel_contract.simulation.events import Event, Looked, Terms

__all__ = ["ChargeWindowKept", "NoLimitPassedByTheBattery"]

SLACK_W = 300.0
SLACK_SHARE = 0.1
SLACK_PCT = 1.5
"""What a reading of the charge may be late and rounded by."""


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
