"""The simulated SUN2000 with LUNA2000 storage: a twin for `samspel sim huawei` and for tests.

Its register table is the dossier's (`registers.csv`), not the driver's map; what it is made of is in
`twin.toml`; Python is only its behaviour. Options: model, firmware, path (``sdongle`` or ``wlan``), unit,
soc_pct, seed, and the settings listed in `profile.SETTINGS`.
"""

from __future__ import annotations

from samspel_sim.behaviour import TwinOptions

from samspel_huawei.twin.device import Sun2000
from samspel_huawei.twin.profile import choose

__all__ = ["Sun2000", "twin"]


def twin(options: TwinOptions) -> Sun2000:
    """The device that was asked for. OptionError says what there is to choose from."""
    return Sun2000(choose(options), options)
