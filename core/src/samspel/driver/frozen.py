"""Readings that still arrive but no longer change: a gateway's cache that nobody fills any more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from samspel.driver.reader import Sample
from samspel.registers.model import Register

__all__ = ["FrozenWatch"]

LIVELY = frozenset(
    {
        "grid_frequency_hz",
        "grid_power_w",
        "ac_power_w",
        "pv_power_w",
        "load_power_w",
        "grid_power_l1_w",
        "grid_power_l2_w",
        "grid_power_l3_w",
        "grid_current_l1_a",
        "grid_current_l2_a",
        "grid_current_l3_a",
    }
)
"""Signals that jitter in their last digit as long as anything measures them."""

AT_LEAST = 3
"""So many lively values that are not zero must stand still together: one alone may be a quiet house."""


@dataclass(kw_only=True)
class FrozenWatch:
    """Watches the lively signals of each source (the device itself, and what stands behind each guard).

    `after_s` is how long they may stand still to the last digit; 0 switches the watch off.
    """

    after_s: float
    _since: dict[str, tuple[tuple[int, ...], float]] = field(default_factory=dict)

    def look(self, rows: Iterable[Register], fresh: Mapping[str, Sample], now: float) -> frozenset[str]:
        """The registers whose source has stood still for too long."""
        if not self.after_s:
            return frozenset()
        sources: dict[str, list[Register]] = {}
        for row in rows:
            if row.name in fresh:
                sources.setdefault(row.only_if[0] if row.only_if else "", []).append(row)
        still = [source for source in sources if self._stands_still(source, sources[source], fresh, now)]
        return frozenset(row.name for source in still for row in sources[source])

    def _stands_still(self, source: str, rows: Iterable[Register], fresh: Mapping[str, Sample], now: float) -> bool:
        raws = tuple(fresh[row.name].raw for row in rows if row.signal in LIVELY)
        before, since = self._since.get(source, ((), now))
        if not raws:
            return False
        if raws != before:
            self._since[source] = (raws, now)
            return False
        return now - since >= self.after_s and sum(raw != 0 for raw in raws) >= AT_LEAST
