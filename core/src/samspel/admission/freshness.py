"""How old a command is, and until when it may act.

Wall clocks cross machines only once, here, on receipt: the result is a deadline on the site's monotonic clock, which
no later clock step can move. A command that echoes a nonce of this site cannot be older than that nonce; that bound
needs no wall clock at all.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime

from samspel.contract.command import Command

__all__ = ["FreshnessRules", "Nonces", "Stale", "age_s"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshnessRules:
    """`max_skew_s`: how far in the future an `issued_at` may lie. `follow_unsynchronised`: whether a command without
    a known nonce is followed by its wall time although the kernel does not vouch for the clock.
    """

    max_skew_s: float = 5.0
    follow_unsynchronised: bool = False


@dataclass(frozen=True, slots=True)
class Stale:
    """Why the age cannot be accepted."""

    reason: str
    text: str


@dataclass(slots=True)
class Nonces:
    """The nonces this site has published, with the monotonic time of each; the newest `keep` are remembered."""

    keep: int = 64
    _issued: OrderedDict[str, float] = field(default_factory=OrderedDict)

    def issue(self, nonce: str, now: float) -> None:
        """Remember that `nonce` was published at `now` (monotonic seconds)."""
        self._issued[nonce] = now
        while len(self._issued) > self.keep:
            self._issued.popitem(last=False)

    def issued_at(self, nonce: str | None) -> float | None:
        """When it was published, or nothing if it never was (or too long ago)."""
        return None if nonce is None else self._issued.get(nonce)


def age_s(
    command: Command,
    *,
    now: float,
    wall: datetime,
    synchronised: bool,
    nonces: Nonces,
    rules: FreshnessRules,
) -> float | Stale:
    """An upper bound of the command's age in seconds, or why there is none.

    The nonce's bound holds on our own clock; the wall clock may only make it smaller, and only when it is vouched
    for. Without either, the site's configuration decides.
    """
    published = nonces.issued_at(command.nonce)
    bound = None if published is None else now - published
    ahead = (command.issued_at - wall).total_seconds()
    if bound is not None:
        return max(0.0, min(bound, -ahead)) if synchronised and ahead <= 0 else bound
    if not synchronised and not rules.follow_unsynchronised:
        return Stale("clock", "this site's clock is not synchronised and the command echoes no nonce of this site")
    if ahead > rules.max_skew_s:
        return Stale("future", f"issued {ahead:.1f} s in the future; at most {rules.max_skew_s:g} s is tolerated")
    return max(0.0, -ahead)
