"""The home that somebody chose for a twin of a real model."""

from __future__ import annotations

from samspel_sim.behaviour import TwinOptions
from samspel_sim.physics import Home, default_home

_MIDSUMMER_MORNING_S = 1_782_036_000.0


def chosen_home(options: TwinOptions, *, capacity_wh: float, ac_limit_w: float) -> Home:
    """Battery and inverter of the model; seed, charge, date and the kind of sunlight (``pv``) of the options.

    Without a date it is ten in the morning of a day in midsummer.
    """
    home = default_home(options.seed, soc_pct=options.soc_pct, capacity_wh=capacity_wh, ac_limit_w=ac_limit_w)
    home.epoch_s = options.epoch_s or _MIDSUMMER_MORNING_S
    home.panels.by_day = options.settings.get("pv", "steady") == "day"
    return home
