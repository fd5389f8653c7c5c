"""The simulated three-phase H2 or HS2: a twin for `samspel sim saj` and for tests.

Its register table is the dossier's (`registers.csv`), not the driver's map; the one row that it had under a
name used twice is renamed `parallel_group_mode`. What it is made of is in `twin.toml`; Python is only its
behaviour. Options: model, firmware, path (``aio3``, ``ethernet`` or ``gateway``), unit, soc_pct, seed, and the
settings listed in `profile.SETTINGS`, of which `profile.Traits` explains those of the device.
"""

from __future__ import annotations

from samspel_sim.behaviour import TwinOptions

from samspel_saj.twin.device import H2
from samspel_saj.twin.profile import choose

__all__ = ["H2", "twin"]


def twin(options: TwinOptions) -> H2:
    """The device that was asked for. OptionError says what there is to choose from."""
    return H2(choose(options), options)
