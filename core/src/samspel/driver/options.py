"""What a site may decide about a driver."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["DriverOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverOptions:
    """Defaults are the safe choice.

    `grid_sign` -1 turns the grid meter round, for a current transformer that was mounted backwards.
    `allow_low_confidence` names the map rows and routes to use although their source is contradicted or inferred.
    `allow_firmware` permits control on a firmware outside every range the map knows.
    `expected_serial` is the only device that may ever be written to; without one, the first that was identified.
    `frozen_after_s` overrides the manifest: readings of a live block that have not changed for so long are frozen;
    0 switches the check off.
    `control` names a way of control of the map; empty is the map's own. `guarded` says that a live guard watches, as
    some ways of control demand.
    `constants` are signals from the nameplate for a device that does not state them, in the signal's own unit: they
    bound and divide what is written, and are never published.
    `units` names further unit ids of the same endpoint, for rows that stand there.
    """

    grid_sign: Literal[1, -1] = 1
    allow_low_confidence: frozenset[str] = frozenset()
    allow_firmware: bool = False
    expected_serial: str | None = None
    frozen_after_s: float | None = None
    control: str = ""
    guarded: bool = False
    constants: Mapping[str, float] = field(default_factory=dict)
    units: Mapping[str, int] = field(default_factory=dict)
