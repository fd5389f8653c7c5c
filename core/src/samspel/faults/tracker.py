"""Which faults stand, since when, and what changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from samspel.contract.driver import ActiveFault
from samspel.contract.fault import Effect, Fault, FaultCode, FaultDetail, FaultState, Severity

__all__ = ["FaultTracker"]

_ORDER = list(Effect)


@dataclass(slots=True)
class _Standing:
    fault: Fault
    raw: str


class FaultTracker:
    """The faults of one device. A device's conditions are known by (code, raw word), control's own by code alone."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._standing: dict[tuple[FaultCode, str], _Standing] = {}

    @property
    def effect(self) -> Effect:
        """The gravest effect of all that stands."""
        return max((one.fault.effect for one in self._standing.values()), key=_ORDER.index, default=Effect.NONE)

    @property
    def standing(self) -> tuple[Fault, ...]:
        """Everything that stands now, oldest first."""
        return tuple(sorted((one.fault for one in self._standing.values()), key=lambda fault: fault.since))

    def observe(self, active: Iterable[ActiveFault], at: datetime) -> list[Fault]:
        """What the device reports now, completely; returns the changes to publish."""
        now = {(one.code, one.raw): one for one in active}
        changes = [
            self._raise(key, one.severity, one.effect, one.text, one.raw, at)
            for key, one in now.items()
            if key not in self._standing
        ]
        gone = [key for key, one in self._standing.items() if one.raw and key not in now]
        return changes + [self._clear(key) for key in gone]

    def alarm(self, code: FaultCode, severity: Severity, text: str, at: datetime) -> list[Fault]:
        """One of control's own; nothing to publish when it stands already."""
        key = (code, "")
        return [] if key in self._standing else [self._raise(key, severity, Effect.NONE, text, "", at)]

    def clear(self, code: FaultCode) -> list[Fault]:
        """Clear one of control's own; nothing to publish when it does not stand."""
        key = (code, "")
        return [self._clear(key)] if key in self._standing else []

    def _raise(
        self, key: tuple[FaultCode, str], severity: Severity, effect: Effect, text: str, raw: str, at: datetime
    ) -> Fault:
        fault = Fault(
            code=key[0],
            severity=severity,
            effect=effect,
            state=FaultState.RAISED,
            since=at,
            device=self._device,
            detail=FaultDetail(text=text, raw=raw),
        )
        self._standing[key] = _Standing(fault, raw)
        return fault

    def _clear(self, key: tuple[FaultCode, str]) -> Fault:
        return replace(self._standing.pop(key).fault, state=FaultState.CLEARED)
