"""The simulated SH-RT or SH-T with its SBR or SBH battery: a twin for `samspel sim sungrow` and for tests.

Its register table is the dossier's (`registers.csv`), not the driver's map; what it is made of is in
`twin.toml`; Python is only its behaviour. Options: model, firmware, path (``lan``, ``winet``, ``rs485``, and
``encrypted`` or ``ihomemanager`` for what has to be recognised), unit, soc_pct, seed, and the settings listed
in `profile.SETTINGS`.
"""

from __future__ import annotations

from samspel_sim.behaviour import TwinOptions

from samspel_sungrow.twin.device import HybridInverter
from samspel_sungrow.twin.profile import choose

__all__ = ["HybridInverter", "twin"]


def twin(options: TwinOptions) -> HybridInverter:
    """The device that was asked for. OptionError says what there is to choose from."""
    return HybridInverter(choose(options), options)
