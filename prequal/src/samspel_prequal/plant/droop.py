"""The droop of each product (TR eq. 12, 20 to 23), in shares of the capacity, injection positive."""

from __future__ import annotations

import numpy as np

from samspel_prequal import rules
from samspel_prequal.plant.stages import dead_zone
from samspel_prequal.product import Product
from samspel_prequal.signals.signal import FloatArray

__all__ = ["droop"]


def droop(
    frequency_hz: FloatArray,
    product: Product,
    reference_hz: float,
    *,
    saturates: bool = True,
    deadband_hz: float = 0.0,
    steps: int = 0,
) -> FloatArray:
    """C/Δf_max·(f_ref - f), with f cut to the product's range.

    Args:
        frequency_hz: what the controller measures.
        product: whose droop.
        reference_hz: 50.0, 49.9 or 50.1 Hz; AEM moves it.
        saturates: FCR-D stays at full activation beyond 49.5 or 50.5 Hz; FCR-N always does.
        deadband_hz: half width of a dead band round the reference.
        steps: so many equal steps to full activation; 0 is continuous.
    """
    band = rules.BANDS[product]
    low_hz, high_hz = rules.AEM_RANGE_HZ[product]
    if saturates and product.is_fcr_d:
        low_hz, high_hz = sorted((band.zero_hz, band.full_hz))
    seen_hz = np.minimum(np.maximum(frequency_hz, low_hz), high_hz)
    share = dead_zone(reference_hz - seen_hz, deadband_hz) / band.span_hz
    return np.round(share * steps) / steps if steps else share
