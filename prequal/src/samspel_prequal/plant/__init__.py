"""The toy plant: a first-order entity with the usual faults, NEM and AEM, and a synthetic grid."""

from samspel_prequal.plant.energy import EnergyManagement, EnergyState
from samspel_prequal.plant.grid import GridFrequency
from samspel_prequal.plant.plant import ToyPlant
from samspel_prequal.plant.settings import PlantSettings, parse_plant

__all__ = ["EnergyManagement", "EnergyState", "GridFrequency", "PlantSettings", "ToyPlant", "parse_plant"]
