"""Which faults stand, since when, and what changed.

Protection table (unsafe condition · limit · reaction · recovery · outranked by):
* the device reports a condition · `raise_s` of its severity without a break · a fault, raised once · gone for `clear_s`
  of its severity without a break · nothing
* the device is out of sight · at once · what was coming or going begins anew at the next look · it is read · nothing
* what stood before a restart · none · it stands on, with its first time, unpublished · as above; control's own, when
  control has not raised it again `RECONFIRM_S` after the first look on the link that stands · nothing
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from samspel.contract.driver import ActiveFault, Json
from samspel.contract.fault import Effect, Fault, FaultCode, FaultDetail, FaultState, Severity
from samspel.faults.debounce import NO_DEBOUNCE, Debounce
from samspel.faults.document import Key, fault_of, row_of

__all__ = ["RECONFIRM_S", "FaultTracker"]

_ORDER = list(Effect)
_NEITHER_WAY = {Effect.NO_CHARGE, Effect.NO_DISCHARGE}

RECONFIRM_S = 120.0
"""An alarm of control's own from before a restart that nobody raises again within this time, in sight, is over."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """A condition that stands, but has not stood long enough. Monotonic seconds, and UTC for people."""

    since_s: float
    at: datetime


class FaultTracker:
    """The faults of one device. A device's conditions are known by (code, raw word), control's own by code alone.

    `kept` is what `to_json` gave before a restart. Times of `observe` are monotonic seconds; `at` is UTC.
    """

    def __init__(self, device: str, debounce: Debounce = NO_DEBOUNCE, kept: Mapping[str, Json] | None = None) -> None:
        self._device, self._debounce = device, debounce
        self._in_sight_s: float | None = None
        self._standing: dict[Key, Fault] = fault_of(kept or {}, device)
        self._doubtful = {key for key in self._standing if key[1] is None}
        self._coming: dict[Key, _Seen] = {}
        self._gone: dict[Key, float] = {}

    @property
    def effect(self) -> Effect:
        """The gravest effect of all that stands; what forbids each direction together is offline."""
        effects = self.effects
        if effects >= _NEITHER_WAY:
            return Effect.OFFLINE
        return max(effects, key=_ORDER.index, default=Effect.NONE)

    @property
    def effects(self) -> set[Effect]:
        """Every effect of what stands."""
        return {fault.effect for fault in self._standing.values()}

    @property
    def standing(self) -> tuple[Fault, ...]:
        """Everything that stands now, oldest first."""
        return tuple(sorted(self._standing.values(), key=lambda fault: fault.since))

    def to_json(self) -> dict[str, Json]:
        """For the journal."""
        return {"standing": [row_of(key, fault) for key, fault in self._standing.items()]}

    def observe(self, active: Iterable[ActiveFault], at: datetime, now: float = 0.0) -> list[Fault]:
        """What the device reports now, completely; returns the changes to publish."""
        self._in_sight_s = now if self._in_sight_s is None else self._in_sight_s
        there: dict[Key, ActiveFault] = {(one.code, one.raw): one for one in active}
        self._coming = {key: seen for key, seen in self._coming.items() if key in there}
        raised = [self._raise(key, one) for key, one in there.items() if self._has_come(key, one, at, now)]
        for key in there:
            self._gone.pop(key, None)
        gone = [key for key in self._standing if key[1] is not None and key not in there and self._has_gone(key, now)]
        return raised + [self._clear(key) for key in (*gone, *self._unconfirmed(now - self._in_sight_s))]

    def lose_sight(self) -> None:
        """The device cannot be read any more: nothing is known of the time until the next `observe`."""
        self._in_sight_s = None
        self._coming.clear()
        self._gone.clear()

    def _has_come(self, key: Key, one: ActiveFault, at: datetime, now: float) -> bool:
        if key in self._standing:
            return False
        seen = self._coming.setdefault(key, _Seen(now, at))
        return self._debounce.raises(one.severity, now - seen.since_s)

    def _has_gone(self, key: Key, now: float) -> bool:
        since_s = self._gone.setdefault(key, now)
        return self._debounce.clears(self._standing[key].severity, now - since_s)

    def _unconfirmed(self, in_sight_for_s: float) -> list[Key]:
        if in_sight_for_s < RECONFIRM_S:
            return []
        over, self._doubtful = [key for key in self._doubtful if key in self._standing], set()
        return over

    def alarm(self, code: FaultCode, severity: Severity, text: str, at: datetime) -> list[Fault]:
        """One of control's own; nothing to publish when it stands already."""
        key = (code, None)
        self._doubtful.discard(key)
        if key in self._standing:
            return []
        return [self._stand(key, severity, Effect.NONE, FaultDetail(text=text), at)]

    def clear(self, code: FaultCode) -> list[Fault]:
        """Clear one of control's own; nothing to publish when it does not stand."""
        key = (code, None)
        return [self._clear(key)] if key in self._standing else []

    def _raise(self, key: Key, one: ActiveFault) -> Fault:
        """Since it was first seen, not since it was believed."""
        seen = self._coming.pop(key)
        return self._stand(key, one.severity, one.effect, FaultDetail(text=one.text, raw=one.raw), seen.at)

    def _stand(self, key: Key, severity: Severity, effect: Effect, detail: FaultDetail, since: datetime) -> Fault:
        fault = Fault(
            code=key[0],
            severity=severity,
            effect=effect,
            state=FaultState.RAISED,
            since=since,
            device=self._device,
            detail=detail,
        )
        self._standing[key] = fault
        return fault

    def _clear(self, key: Key) -> Fault:
        self._gone.pop(key, None)
        return replace(self._standing.pop(key), state=FaultState.CLEARED)
