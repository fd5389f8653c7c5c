"""R12 of limited reservoirs: what NEM and AEM should do, from frequency and state of charge (TR 3.5.1, 3.5.2).

Written from the equations on whole arrays at 1 Hz, apart from the toy plant's own energy management, so that one can
find the other's mistakes. The requirements give no numeric tolerance; those used are named in the options:

- a flag is wrong where it differs from what follows for every state of charge within ± the tolerance, and has done so
  for longer than the time tolerance on either side. While NEM's power ramps out, its flag may be on or off.
- power, as a mean over 10 s, is wrong where it misses by more than R1's -5 % and +20 % and a tolerance on top; jumps
  of the frequency and a settling time are left out.
- NEM's power may be part of the baseline (TR 3.5.1) or not; the reading that fits better is taken, and named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, binary_erosion

from samspel_prequal import rules
from samspel_prequal.evaluate.options import EvaluationOptions
from samspel_prequal.product import Product
from samspel_prequal.signals import FloatArray

__all__ = ["EnergyFigures", "EnergyPlan", "energy_figures", "energy_plan"]

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]
_SIDES: Mapping[Product, tuple[str, ...]] = {
    Product.FCR_N: ("low", "high"),
    Product.FCR_D_UP: ("low",),
    Product.FCR_D_DOWN: ("high",),
}
_JUMP_HZ = 0.005
_SMOOTHING_S = 10
_FULL = 0.99  # of NEM's power


@dataclass(frozen=True, slots=True)
class EnergyPlan:
    """What follows from frequency and state of charge, second by second; powers in shares of C."""

    nem_allowed: IntArray  # A: -1 charges, +1 discharges
    nem_level: FloatArray  # NEM_current
    aem_on: BoolArray
    reference_hz: FloatArray  # f_ref
    power: FloatArray  # with NEM, AEM and their caps


@dataclass(frozen=True, slots=True)
class EnergyFigures:
    """How far a log agrees with its plan; arrays at 1 Hz."""

    second: FloatArray
    plan: EnergyPlan
    soc: FloatArray
    power: FloatArray  # measured, share of C, NEM's part of it included
    nem_in_baseline: bool
    nem_wrong: BoolArray
    aem_wrong: BoolArray
    power_wrong: BoolArray
    sides_shown: tuple[str, ...]  # where NEM came fully on and AEM was on for five minutes
    sides_due: tuple[str, ...]

    @property
    def wrong_s(self) -> int:
        """Seconds in which something disagrees."""
        return int(np.count_nonzero(self.nem_wrong | self.aem_wrong | self.power_wrong))


def energy_plan(
    frequency_hz: FloatArray,
    soc: FloatArray,
    *,
    product: Product,
    energy_h: float,
    options: EvaluationOptions,
    began_on: bool = False,
) -> EnergyPlan:
    """NEM, AEM and power from one sample a second.

    Args:
        frequency_hz: what the controller sees.
        soc: 0 to 1 of the range that serves this product.
        product: one of the three FCR products.
        energy_h: that range in hours of C.
        options: thresholds and NEM's share of power.
        began_on: NEM was on already: the hysteresis then ends at its outer threshold.
    """
    limits = options.thresholds or rules.THRESHOLDS[product]
    has_low, has_high = ("low" in _SIDES[product]), ("high" in _SIDES[product])
    minute = 1 / (60 * energy_h)

    def side(left: FloatArray, on_min: float, off_min: float, began: bool) -> BoolArray:
        return _hysteresis(left, on_min * minute, off_min * minute, began)

    none = np.zeros(len(soc), dtype=np.bool_)
    low = side(soc, limits.nem_on_min, limits.nem_off_min, began_on) if has_low else none
    high = side(1 - soc, limits.nem_on_min, limits.nem_off_min, began_on) if has_high else none
    inside = (frequency_hz > rules.NORMAL_BAND_HZ[0]) & (frequency_hz < rules.NORMAL_BAND_HZ[1])
    allowed = np.where(inside, high.astype(np.int64) - low.astype(np.int64), 0)
    aem = none | (side(soc, limits.aem_on_min, limits.aem_off_min, False) if has_low else none)
    aem = aem | (side(1 - soc, limits.aem_on_min, limits.aem_off_min, False) if has_high else none)
    level = _mean_of_last(allowed.astype(np.float64), 0.0)
    zero_hz = rules.BANDS[product].zero_hz
    seen_hz = np.clip(frequency_hz, *_saturation_hz(product))
    reference_hz = _mean_of_last(np.where(aem, seen_hz, zero_hz), zero_hz)
    share = options.nem_share or rules.NEM_POWER_SHARE[product]
    power = (reference_hz - seen_hz) / rules.BANDS[product].span_hz + share * level
    return EnergyPlan(allowed, level, aem, reference_hz, np.clip(power, *_caps(product, share)))


def energy_figures(
    time_s: FloatArray,
    frequency_hz: FloatArray,
    power_w: FloatArray,
    soc_pct: FloatArray,
    nem: FloatArray,
    aem: FloatArray,
    *,
    product: Product,
    capacity_w: float,
    energy_wh: float,
    options: EvaluationOptions,
    nem_w: FloatArray | None = None,
) -> EnergyFigures:
    """Compare a log with what follows from its frequency and state of charge. Flags count as on where not 0.

    Power is relative to the logged baseline; `nem_w` is NEM's part as the log has it, from the plan where it has none.
    """
    second = np.arange(np.floor(time_s[-1] - time_s[0]) + 1)
    rows = np.searchsorted(time_s, time_s[0] + second + 1e-6, side="right") - 1
    hz, soc = frequency_hz[rows], soc_pct[rows] / 100
    nem_on, aem_on = nem[rows] != 0, aem[rows] != 0
    shift = options.soc_tolerance_pct / 100
    plans = [
        energy_plan(
            hz,
            soc + delta,
            product=product,
            energy_h=energy_wh / capacity_w,
            options=options,
            began_on=bool(nem_on[0]),
        )
        for delta in (0.0, -shift, shift)
    ]
    nem_share = (options.nem_share or rules.NEM_POWER_SHARE[product]) * plans[0].nem_level
    nem_share = nem_share if nem_w is None else nem_w[rows] / capacity_w
    power, power_wrong, in_baseline = _better_reading(hz, power_w[rows] / capacity_w, nem_share, plans, options)
    ramping = [(plan.nem_level != 0) | (plan.nem_allowed != 0) for plan in plans]
    aem_due = [plan.aem_on for plan in plans]
    return EnergyFigures(
        second=second,
        plan=plans[0],
        soc=soc,
        power=power,
        nem_in_baseline=in_baseline,
        nem_wrong=_flag_wrong(nem_on, [plan.nem_allowed != 0 for plan in plans], ramping, options.flag_tolerance_s),
        aem_wrong=_flag_wrong(aem_on, aem_due, aem_due, options.flag_tolerance_s),
        power_wrong=power_wrong,
        sides_shown=_sides_shown(plans[0], soc),
        sides_due=_SIDES[product],
    )


def _better_reading(
    frequency_hz: FloatArray,
    apart: FloatArray,
    nem_share: FloatArray,
    plans: Sequence[EnergyPlan],
    options: EvaluationOptions,
) -> tuple[FloatArray, BoolArray, bool]:
    """Power with NEM in it, where it is wrong, and whether NEM had to be added because the baseline has it."""
    readings = [(power, _power_wrong(frequency_hz, power, plans, options)) for power in (apart, apart + nem_share)]
    in_baseline = bool(np.count_nonzero(readings[1][1]) < np.count_nonzero(readings[0][1]))
    return *readings[int(in_baseline)], in_baseline


def _trailing_mean(values: FloatArray) -> FloatArray:
    """The mean of the last 10 s, which takes the measurement's noise away; shorter than the settling time."""
    sums = np.concatenate([np.zeros(1), np.cumsum(values)])
    last = np.arange(1, len(values) + 1)
    first = np.maximum(last - _SMOOTHING_S, 0)
    return np.asarray((sums[last] - sums[first]) / (last - first), dtype=np.float64)


def _saturation_hz(product: Product) -> tuple[float, float]:
    """The frequency range in which the product answers."""
    if product is Product.FCR_N:
        return rules.AEM_RANGE_HZ[product]
    band = rules.BANDS[product]
    return min(band.zero_hz, band.full_hz), max(band.zero_hz, band.full_hz)


def _caps(product: Product, nem_share: float) -> tuple[float, float]:
    """Eq. 24 to 26, in shares of C."""
    if product is Product.FCR_N:
        return -1 - nem_share, 1 + nem_share
    return (-nem_share, np.inf) if product is Product.FCR_D_UP else (-np.inf, nem_share)


def _hysteresis(left: FloatArray, on_below: float, off_from: float, began: bool) -> BoolArray:
    """On below one threshold, off from the other, and in between as before."""
    decided = np.where(left < on_below, 1, np.where(left >= off_from, 0, -1))
    known = np.where(decided >= 0, np.arange(len(left)), -1)
    last = np.maximum.accumulate(known)
    return np.where(last >= 0, decided[np.maximum(last, 0)] == 1, began)


def _mean_of_last(values: FloatArray, initial: float) -> FloatArray:
    """The mean of the last 300 values, before which `initial` has stood for ever."""
    count = rules.ENERGY_AVERAGE_SAMPLES
    sums = np.cumsum(np.concatenate([np.zeros(count), values - initial]))
    return np.asarray(np.round(initial + (sums[count:] - sums[:-count]) / count, 12), dtype=np.float64)


def _flag_wrong(
    logged: BoolArray, on: Sequence[BoolArray], may_be_on: Sequence[BoolArray], tolerance_s: float
) -> BoolArray:
    """Where a flag is off though it must be on, or on though it must be off."""
    reach = np.ones(2 * int(tolerance_s) + 1, dtype=np.bool_)
    must_on = binary_erosion(np.logical_and.reduce(on), reach, border_value=1)
    must_off = ~binary_dilation(np.logical_or.reduce(may_be_on), reach)
    return np.asarray((must_on & ~logged) | (must_off & logged), dtype=np.bool_)


def _power_wrong(
    frequency_hz: FloatArray, power: FloatArray, plans: Sequence[EnergyPlan], options: EvaluationOptions
) -> BoolArray:
    jumped = np.abs(np.diff(frequency_hz, prepend=frequency_hz[0])) > _JUMP_HZ
    jumped[0] = True
    settling = np.ones(int(options.energy_settling_s) + 1, dtype=np.bool_)
    moving = np.convolve(jumped, settling)[: len(jumped)] > 0
    measured = _trailing_mean(power)
    wrong = [_beyond(measured, _trailing_mean(plan.power), options.energy_power_tolerance) for plan in plans]
    return np.asarray(np.logical_and.reduce(wrong) & ~moving, dtype=np.bool_)


def _beyond(measured: FloatArray, planned: FloatArray, tolerance: float) -> BoolArray:
    """Where power misses the plan by more than R1's shares of it and the tolerance on top."""
    more = (measured - planned) * np.where(planned < 0, -1.0, 1.0)
    under = tolerance + rules.STEADY_STATE_UNDER * np.abs(planned)
    over = tolerance + rules.STEADY_STATE_OVER * np.abs(planned)
    return np.asarray((more < -under) | (more > over), dtype=np.bool_)


def _sides_shown(plan: EnergyPlan, soc: FloatArray) -> tuple[str, ...]:
    """At which ends of the reservoir NEM came fully on and AEM stayed on for its five minutes."""
    shown = []
    for name, sign, here in (("low", -1, soc < 0.5), ("high", 1, soc >= 0.5)):
        nem = bool(np.any(sign * plan.nem_level > _FULL)) or bool(np.any(plan.nem_allowed == sign))
        aem = np.count_nonzero(plan.aem_on & here) >= rules.AEM_FULL_HOLD_S
        if nem and aem:
            shown.append(name)
    return tuple(shown)
