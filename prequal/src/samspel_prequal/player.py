"""Who plays a signal to whom: the seam between test sequences and whatever answers them.

A `Player` takes a signal, or a flag-driven sequence, and hands back samples as they come. The toy plant is one; a
player for a live edge applies the frequency there and yields what it measures. `record` makes the log of either.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import numpy as np

from samspel_prequal.logs import columns
from samspel_prequal.logs.label import TestLabel
from samspel_prequal.logs.log import Log, TextArray
from samspel_prequal.product import Product
from samspel_prequal.signals.energy import EnergyDrive
from samspel_prequal.signals.signal import FloatArray, Signal

__all__ = ["Player", "Samples", "Site", "record"]


@dataclass(frozen=True, slots=True)
class Samples:
    """Some consecutive samples: times from the start of the test, and columns by header in SI units."""

    time_s: FloatArray
    values: Mapping[str, FloatArray]


class Player(Protocol):
    """Plays to one entity, for one product."""

    def play(self, signal: Signal, rate_hz: float) -> Iterator[Samples]:
        """Apply the signal from its start to its end."""
        ...

    def drive(self, drive: EnergyDrive, rate_hz: float) -> Iterator[Samples]:
        """Apply what the sequence asks for, telling it the entity's flags once a second, until it is done."""
        ...


@dataclass(frozen=True, slots=True)
class Site:
    """What a file name says about the entity."""

    resource: str = "HOME1"
    area: str = "SE3"
    zone: str = "UTC"
    modes: Mapping[str, str] = field(default_factory=dict)  # control mode by header


def record(samples: Iterable[Samples], product: Product, label: TestLabel, start: datetime, site: Site) -> Log:
    """Put samples together to a log; `ValueError` when there are none."""
    parts = list(samples)
    if not parts:
        raise ValueError("a log needs samples; the player gave none")
    time_s = np.concatenate([part.time_s for part in parts])
    names = [name for name in columns.COLUMNS if name in parts[0].values]
    values = {name: np.concatenate([part.values[name] for part in parts]) for name in names}
    texts: dict[str, TextArray] = {name: np.full(len(time_s), mode) for name, mode in site.modes.items()}
    return Log(site.resource, product, label, start, time_s, values, texts, site.area, site.zone)
