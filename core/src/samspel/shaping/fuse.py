"""The main fuse, phase by phase. A hard limit.

Protection: a phase of the house carries more than its fuse · `rating_a` less `margin_pct`, of which this device may use
`share` of what the house leaves · charging (import) and discharging (export) bounded at once, 0 W where the house
alone is beyond it · as soon as the measured current allows · stop, which is zero in any case.
The meter silent, offline, or older than `stale_s` · 0 W of charging, discharging up to the fuse alone · the first good
reading · the same.

The battery's own share is taken out by its measured power, so that the room does not breathe with what the battery
does. What the margin has to cover: reactive power where only active power is measured, what the converter loses, and
what the house does between two readings; a fuse bears that much for longer.
"""

from __future__ import annotations

from dataclasses import dataclass

from samspel.shaping.filter import Note, Shaped, ShapingContext
from samspel.shaping.meter import phase_current_a

__all__ = ["Fuse"]

PHASES = ("l1", "l2", "l3")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fuse:
    """`phases` are those that the inverter feeds, evenly. `share` of the room is this device's (0..1]."""

    rating_a: float
    phases: tuple[str, ...] = PHASES
    voltage_v: float = 230.0
    margin_pct: float = 5.0
    share: float = 1.0
    stale_s: float = 15.0
    name: str = "fuse"
    hard: bool = True

    @property
    def usable_a(self) -> float:
        """What may flow through one phase."""
        return self.rating_a * (1 - self.margin_pct / 100)

    def initial(self) -> None:
        """No state."""

    def apply(self, state: None, target_w: float, context: ShapingContext) -> Shaped[None]:
        """Bound each direction to the narrowest phase."""
        if not target_w:
            return Shaped(state, target_w)
        house_a = [self._house_a(context, phase) for phase in self.phases]
        known_a = [one for one in house_a if one is not None]
        if len(known_a) < len(house_a):
            return self._blind(target_w)
        side = 1.0 if target_w < 0 else -1.0
        room_a = self.usable_a - max(side * one for one in known_a)
        room_w = max(0.0, room_a) * self.share * self.voltage_v * len(self.phases)
        return _bounded(target_w, room_w, "fuse", f"the main fuse leaves {room_w:.0f} W")

    def _house_a(self, context: ShapingContext, phase: str) -> float | None:
        """One phase without the battery, import positive."""
        found = phase_current_a(context, phase, self.voltage_v, self.stale_s)
        return None if found is None else found[0] + found[1] / (self.voltage_v * len(self.phases))

    def _blind(self, target_w: float) -> Shaped[None]:
        if target_w < 0:
            return _bounded(target_w, 0.0, "meter_stale", f"no meter reading for {self.stale_s:g} s: no charging")
        most_w = self.usable_a * self.share * self.voltage_v * len(self.phases)
        return _bounded(target_w, most_w, "fuse", f"the main fuse allows {most_w:.0f} W")


def _bounded(target_w: float, most_w: float, reason: str, text: str) -> Shaped[None]:
    if abs(target_w) <= most_w:
        return Shaped(None, target_w)
    return Shaped(None, most_w if target_w > 0 else -most_w, (Note(reason, text),))
