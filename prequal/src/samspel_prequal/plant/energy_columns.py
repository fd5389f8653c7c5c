"""What a LER entity reports of its reservoir (TR table 18, eq. 27 and 28), one value a second."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from samspel_prequal.logs import columns
from samspel_prequal.logs.columns import header_for
from samspel_prequal.plant.energy import EnergyState
from samspel_prequal.plant.settings import PlantSettings
from samspel_prequal.product import Product
from samspel_prequal.signals.signal import FloatArray

__all__ = ["endurance_min", "energy_columns"]


def energy_columns(settings: PlantSettings, states: Sequence[EnergyState], soc: FloatArray) -> dict[str, FloatArray]:
    """Columns by header, in SI units; NEM's power is part of the baseline."""
    nem = settings.nem_power_share * np.array([state.nem_level for state in states])  # in capacities
    low = np.array([state.aem_low for state in states])
    high = np.array([state.aem_high for state in states])
    product = settings.product
    return {
        header_for("ResSize", product): endurance_min(settings, soc, nem, low, high),
        header_for("NEM_MW", product): nem * settings.capacity_w,
        header_for("NEM", product): np.array([float(state.nem_allowed != 0) for state in states]),
        header_for("AEM", product): (low | high).astype(np.float64),
        columns.STATE_OF_CHARGE: 100.0 * soc,
        columns.BASELINE: settings.baseline_w + nem * settings.capacity_w,
    }


def endurance_min(
    settings: PlantSettings, soc: FloatArray, nem: FloatArray, aem_low: NDArray[np.bool_], aem_high: NDArray[np.bool_]
) -> FloatArray:
    """Minutes of full activation left: eq. 27 and 28 with NEM's power as set point, 0 towards an end in AEM."""
    up = np.where(aem_low, 0.0, settings.energy_h * soc / (nem + 1.0) * 60.0)
    down = np.where(aem_high, 0.0, settings.energy_h * (1.0 - soc) / (1.0 - nem) * 60.0)
    if settings.product is Product.FCR_N:
        return np.minimum(up, down)
    return up if settings.product is Product.FCR_D_UP else down
