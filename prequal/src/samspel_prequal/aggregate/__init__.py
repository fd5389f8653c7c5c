"""Many homes as one entity: the verdict of their sum, and which home costs how much of its margin.

Reading order: `pipeline` (all of it, test by test), `trace` and `folder` (where homes come from), `block` (one test on
one grid of times), `shares` (what is kept of each home), `ranking` (the sum without each home), `suspects` (what is
wrong with it). `population` makes fleets from a seed.
"""

from samspel_prequal.aggregate.block import GapRule, Gaps
from samspel_prequal.aggregate.folder import Folder
from samspel_prequal.aggregate.pipeline import Aggregate, aggregate
from samspel_prequal.aggregate.population import Home, Population, SimulatedFleet, draw, write_fleet
from samspel_prequal.aggregate.ranking import HomeCost
from samspel_prequal.aggregate.trace import HomeTrace, Source

__all__ = [
    "Aggregate",
    "Folder",
    "GapRule",
    "Gaps",
    "Home",
    "HomeCost",
    "HomeTrace",
    "Population",
    "SimulatedFleet",
    "Source",
    "aggregate",
    "draw",
    "write_fleet",
]
