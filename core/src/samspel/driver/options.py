"""What a site may decide about a driver."""

from __future__ import annotations

from dataclasses import dataclass
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
    """

    grid_sign: Literal[1, -1] = 1
    allow_low_confidence: frozenset[str] = frozenset()
    allow_firmware: bool = False
    expected_serial: str | None = None
    frozen_after_s: float | None = None
