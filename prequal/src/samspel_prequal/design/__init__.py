"""The design side: what a home, a model or a fleet could be qualified for, before anything is measured.

`loop` describes an entity and answers in closed form; `judge` puts it to the evaluation's own requirements; `region`
does the same over a field of lags and dead times, and `chart` draws it; `suitability` judges what installed drivers say
of their devices; `sizing` counts homes.
"""

from samspel_prequal.design.judge import DesignVerdict, judge
from samspel_prequal.design.kinds import read_fleet
from samspel_prequal.design.loop import Entity, Fleet, Loop, Ticks
from samspel_prequal.design.records import DriverRecord, RouteRecord, installed_records
from samspel_prequal.design.region import Region, border_s, region
from samspel_prequal.design.sizing import FleetSize, HomeSize, fleet_size
from samspel_prequal.design.suitability import Dynamics, Suitability, suitability

__all__ = [
    "DesignVerdict",
    "DriverRecord",
    "Dynamics",
    "Entity",
    "Fleet",
    "FleetSize",
    "HomeSize",
    "Loop",
    "Region",
    "RouteRecord",
    "Suitability",
    "Ticks",
    "border_s",
    "fleet_size",
    "installed_records",
    "judge",
    "read_fleet",
    "region",
    "suitability",
]
