"""Whether a device may be commanded, by the effects of its faults.

Protection table (unsafe condition · limit · reaction · recovery · outranked by):
* a fault whose effect is offline, or two that forbid both directions · at once · out: the set-point ends, new ones are
  refused with reason `fault`, control is given back · the fault is cleared, and a pause has passed that doubles each
  time it comes back within `CALM_S` · stop and release, which are always carried out
* a restart · none · the fault's pause, and how often it came, are kept · the pause has passed by the wall clock ·
  stop and release
* a fault that forbids one direction · at once · 0 W in that direction · the fault is cleared · nothing
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import isfinite

from samspel.contract.driver import Json
from samspel.contract.fault import Effect

__all__ = ["Service", "bounded_w", "judge_service", "kept_service", "service_of"]

PAUSE_FIRST_S, PAUSE_MOST_S = 30.0, 1800.0
CALM_S = 3600.0
"""A device that was in service for so long begins with the shortest pause again."""


@dataclass(frozen=True, slots=True)
class Service:
    """`offline`: a fault keeps it out now. `times` it went out in a row; `back_at`: when it may come back, monotonic s.
    `left_at`: since when no fault keeps it out.
    """

    offline: bool = False
    times: int = 0
    back_at: float = float("-inf")
    left_at: float = float("-inf")

    def is_out(self, now: float) -> bool:
        """Whether it must not be commanded now."""
        return self.offline or now < self.back_at


def judge_service(service: Service, effect: Effect, now: float) -> Service:
    """The state after what stands now."""
    offline = effect is Effect.OFFLINE
    if offline and not service.offline:
        times = 1 if now - service.left_at >= CALM_S else service.times + 1
        return replace(service, offline=True, times=times)
    if service.offline and not offline:
        pause_s = min(PAUSE_FIRST_S * 2.0 ** (service.times - 1), PAUSE_MOST_S)
        return replace(service, offline=False, back_at=now + pause_s, left_at=now)
    return service


def kept_service(service: Service, now: float, at: datetime) -> dict[str, Json]:
    """For the journal: a monotonic clock ends with its boot, so the times are those of the wall."""

    def wall(monotonic_s: float) -> Json:
        return (at + timedelta(seconds=monotonic_s - now)).isoformat() if isfinite(monotonic_s) else None

    return {
        "offline": service.offline,
        "times": service.times,
        "back_at": wall(service.back_at),
        "left_at": wall(service.left_at),
    }


def service_of(document: Mapping[str, Json], now: float, at: datetime) -> Service:
    """What was kept. Whatever the wall clock did meanwhile, the pause is no longer than the longest one."""
    kept = document.get("service")
    if not isinstance(kept, dict) or not isinstance(times := kept.get("times"), int):
        return Service()
    back_s, left_s = (_seconds_from(kept.get(name), at) for name in ("back_at", "left_at"))
    return Service(
        offline=kept.get("offline") is True,
        times=times,
        back_at=now + min(back_s, PAUSE_MOST_S),
        left_at=now + min(left_s, 0.0),
    )


def _seconds_from(text: Json, at: datetime) -> float:
    try:
        return (datetime.fromisoformat(text) - at).total_seconds() if isinstance(text, str) else float("-inf")
    except (TypeError, ValueError):
        return float("-inf")


def bounded_w(power_w: float, effects: Collection[Effect]) -> float:
    """The power that these effects leave: 0 W in a direction that one forbids. Positive discharges."""
    forbidden = Effect.NO_DISCHARGE if power_w > 0 else Effect.NO_CHARGE
    return 0.0 if forbidden in effects or Effect.OFFLINE in effects else power_w
