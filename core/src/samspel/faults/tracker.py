"""Which faults stand, since when, and what changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from samspel.contract.driver import ActiveFault
from samspel.contract.fault import Effect, Fault, FaultCode, FaultDetail, FaultState, Severity

__all__ = ["FaultTracker"]

_ORDER = list(Effect)
_NEITHER_WAY = {Effect.NO_CHARGE, Effect.NO_DISCHARGE}

Key = tuple[FaultCode, str | None]
"""Code and the device's raw word; `None` for control's own, so that the two never clear each other."""


class FaultTracker:
    """The faults of one device. A device's conditions are known by (code, raw word), control's own by code alone."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._standing: dict[Key, Fault] = {}

    @property
    def effect(self) -> Effect:
        """The gravest effect of all that stands; what forbids each direction together is offline."""
        effects = {fault.effect for fault in self._standing.values()}
        if effects >= _NEITHER_WAY:
            return Effect.OFFLINE
        return max(effects, key=_ORDER.index, default=Effect.NONE)

    @property
    def standing(self) -> tuple[Fault, ...]:
        """Everything that stands now, oldest first."""
        return tuple(sorted(self._standing.values(), key=lambda fault: fault.since))

    def observe(self, active: Iterable[ActiveFault], at: datetime) -> list[Fault]:
        """What the device reports now, completely; returns the changes to publish."""
        now: dict[Key, ActiveFault] = {(one.code, one.raw): one for one in active}
        changes = [
            self._raise(key, one.severity, one.effect, one.text, one.raw, at)
            for key, one in now.items()
            if key not in self._standing
        ]
        gone = [key for key in self._standing if key[1] is not None and key not in now]
        return changes + [self._clear(key) for key in gone]

    def alarm(self, code: FaultCode, severity: Severity, text: str, at: datetime) -> list[Fault]:
        """One of control's own; nothing to publish when it stands already."""
        key = (code, None)
        return [] if key in self._standing else [self._raise(key, severity, Effect.NONE, text, "", at)]

    def clear(self, code: FaultCode) -> list[Fault]:
        """Clear one of control's own; nothing to publish when it does not stand."""
        key = (code, None)
        return [self._clear(key)] if key in self._standing else []

    def _raise(self, key: Key, severity: Severity, effect: Effect, text: str, raw: str, at: datetime) -> Fault:
        fault = Fault(
            code=key[0],
            severity=severity,
            effect=effect,
            state=FaultState.RAISED,
            since=at,
            device=self._device,
            detail=FaultDetail(text=text, raw=raw),
        )
        self._standing[key] = fault
        return fault

    def _clear(self, key: Key) -> Fault:
        return replace(self._standing.pop(key), state=FaultState.CLEARED)
