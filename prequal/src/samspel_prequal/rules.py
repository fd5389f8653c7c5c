"""Every figure of the requirements, by name, with the clause that it comes from.

TR is "Technical Requirements for Frequency Containment Reserve Provision in the Nordic Synchronous Area" v1.1,
28 March 2025; TP the "Test Program for Prequalification of FCR", same date; SOGL Regulation (EU) 2017/1485. Figures
without a mark are read there. MEDIUM and LOW marks follow `product.Confidence`. No other module holds a figure of
the requirements.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from samspel_prequal.product import Condition, Droop, Load, Product, TestType

# --- Products at a glance (TR 1, 3.1; appendix 1, eq. 35) -----------------------------------------------------------

NOMINAL_HZ: Final = 50.0
NORMAL_BAND_HZ: Final = (49.9, 50.1)  # TR 3.5.1: the standard frequency range, bounds excluded


@dataclass(frozen=True, slots=True)
class FrequencyBand:
    """Where a product begins and where it is fully activated."""

    zero_hz: float  # f_0: no activation
    full_hz: float  # full activation (FCR-N: of the upward side)

    @property
    def span_hz(self) -> float:
        """Δf_X: the deviation that activates everything, always positive."""
        return round(abs(self.full_hz - self.zero_hz), 9)


BANDS: Final = MappingProxyType(
    {
        Product.FCR_N: FrequencyBand(50.0, 49.9),  # and 50.1 Hz for full absorption
        Product.FCR_D_UP: FrequencyBand(49.9, 49.5),
        Product.FCR_D_DOWN: FrequencyBand(50.1, 50.5),
    }
)
FULL_ACTIVATION_S: Final = 30.0  # SOGL annex V, outside the standard range
MAX_INSENSITIVITY_HZ: Final = 0.010  # SOGL annex V: inherent insensitivity plus deliberate dead band
MIN_BID_W: Final = 100_000.0  # Sweden, FCR and FFR (MEDIUM)
MIN_BID_FRR_W: Final = 1_000_000.0  # Sweden, aFRR and mFRR (MEDIUM)
MAX_BEHIND_SINGLE_FAILURE_W: Final = 70e6  # TR 3.12: one product, each direction
MAX_BEHIND_SINGLE_FAILURE_COMBINED_W: Final = 100e6  # TR 3.12: FCR-N and FCR-D together
VALIDITY_YEARS: Final = 5  # TR 2.2

# --- Operating conditions and the identifiers of the tests (TR 5.1; appendix 2, table 21) ----------------------------

HIGH_LOAD_HIGH_DROOP: Final = Condition(Load.HIGH, Droop.HIGH)
HIGH_LOAD_LOW_DROOP: Final = Condition(Load.HIGH, Droop.LOW)
LOW_LOAD_HIGH_DROOP: Final = Condition(Load.LOW, Droop.HIGH)
LOW_LOAD_LOW_DROOP: Final = Condition(Load.LOW, Droop.LOW)
CONDITIONS: Final = (HIGH_LOAD_HIGH_DROOP, HIGH_LOAD_LOW_DROOP, LOW_LOAD_HIGH_DROOP, LOW_LOAD_LOW_DROOP)


@dataclass(frozen=True, slots=True)
class TestId:
    """One row of TR table 21."""

    __test__ = False

    number: str
    product: Product
    test_type: TestType
    condition: Condition


def _four(first: int, product: Product, test_type: TestType) -> list[TestId]:
    return [TestId(f"{first}.{n}", product, test_type, condition) for n, condition in enumerate(CONDITIONS, 1)]


def _linearity(first: int, product: Product) -> list[TestId]:
    conditions = (HIGH_LOAD_LOW_DROOP, LOW_LOAD_HIGH_DROOP)
    return [TestId(f"{first}.{n}", product, TestType.LINEARITY, one) for n, one in enumerate(conditions, 1)]


TEST_IDS: Final = (
    *_four(1, Product.FCR_N, TestType.STEP),
    *_four(2, Product.FCR_D_UP, TestType.RAMP),
    *_four(3, Product.FCR_D_DOWN, TestType.RAMP),
    TestId("4.1", Product.FCR_N, TestType.SINE, HIGH_LOAD_HIGH_DROOP),
    TestId("4.2", Product.FCR_D_UP, TestType.SINE, HIGH_LOAD_LOW_DROOP),
    TestId("4.3", Product.FCR_D_DOWN, TestType.SINE, HIGH_LOAD_LOW_DROOP),
    *_linearity(5, Product.FCR_N),
    *_linearity(6, Product.FCR_D_UP),
    *_linearity(7, Product.FCR_D_DOWN),
)

# --- R1, R1b: steady state (TR 3.1.1 eq. 1-3, 3.1.2, 3.6.1) ----------------------------------------------------------

STEADY_STATE_UNDER: Final = 0.05  # may fall short of ΔP_theoretical by this share
STEADY_STATE_OVER: Final = 0.20  # may exceed it by this share
STATIC_STEADY_STATE_OVER: Final = 0.10  # static FCR-D, TR 3.1.3
# The requirements leave the averaging window open; an independent reference takes the last minute of a hold.
STEADY_WINDOW_S: Final = 60.0
COMBINATION_DEVIATION_HZ: Final = (0.30, 0.11)  # ramps 7 and 8: 50 % and 2.5 % of FCR-D on top of all FCR-N
COMBINATION_FCR_N_SPAN_HZ: Final = 0.1

# --- R2, R3, the hold rule, R4 (TR 3.1.2) ----------------------------------------------------------------------------

ACTIVATION_TIME_S: Final = 7.5  # after the start of ramp 5
ACTIVATION_POWER_SHARE: Final = 0.86  # R2
ACTIVATION_ENERGY_S: Final = 3.2  # R3, in seconds of ΔP_theoretical
DEACTIVATION_SAMPLE_S: Final = 4.4  # R4: t_n after the start of ramp 1 (though the signal turns at 4.9 s)
DEACTIVATION_WINDOW_S: Final = 40.0  # R4: the longest k after t_n
DEACTIVATION_POWER_CAP: Final = 0.5  # R4: at most this share of ΔP_theoretical is subtracted
DEACTIVATION_ENERGY_S: Final = 2.5  # R4, in seconds of ΔP_theoretical

# --- Reduction factors K (TR eq. 3, 5; 3.3) --------------------------------------------------------------------------

MIN_REDUCTION: Final = MappingProxyType({Product.FCR_N: 0.90, Product.FCR_D_UP: 0.75, Product.FCR_D_DOWN: 0.75})
STATIC_MIN_DYNAMIC_REDUCTION: Final = 0.84  # TR 3.1.3: R2, R3 of static FCR-D

# --- R5, R6, R7: static FCR-D (TR 3.1.3) -----------------------------------------------------------------------------

STATIC_PEAK: Final = 1.2  # R5a: at most this times ΔP_theoretical
STATIC_RESPONSE_BY_S: Final = 2.5  # R5b: something is there by then
STATIC_DEACTIVATION_AFTER_S: Final = 60.0  # continuously back inside the band
STATIC_READY_AFTER_S: Final = 900.0  # R6
STATIC_FALL_PER_S: Final = 0.025  # R7: mean fall over the window below
STATIC_FALL_WINDOW_S: Final = 10.0
STATIC_FALL_IN_ONE_S: Final = 0.20  # R7

# --- Sines (TR table 6; TP tables 4, 7, 10) --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SinePeriod:
    """One row of TR table 6."""

    period_s: float
    stationary: int  # periods that must be stationary
    recommended: int  # periods to play in all
    fcr_d_only_with_mode_shift: bool = False


SINE_PERIODS: Final = (
    SinePeriod(10, 5, 20),
    SinePeriod(15, 5, 15),
    SinePeriod(25, 5, 10),
    SinePeriod(40, 5, 7),
    SinePeriod(50, 5, 7),
    SinePeriod(60, 5, 7),
    SinePeriod(70, 5, 7),
    SinePeriod(90, 5, 7, fcr_d_only_with_mode_shift=True),
    SinePeriod(150, 3, 4, fcr_d_only_with_mode_shift=True),
    SinePeriod(300, 2, 3, fcr_d_only_with_mode_shift=True),
)
SINE_AMPLITUDE_HZ: Final = 0.1
SINE_CENTRE_HZ: Final = MappingProxyType({Product.FCR_N: 50.0, Product.FCR_D_UP: 49.7, Product.FCR_D_DOWN: 50.3})


def sine_periods(product: Product, *, mode_shifting: bool = False) -> tuple[SinePeriod, ...]:
    """The periods that a product needs; FCR-D needs the three longest only with mode shifting."""
    everything = product is Product.FCR_N or mode_shifting
    return tuple(row for row in SINE_PERIODS if everything or not row.fcr_d_only_with_mode_shift)


# --- R8, R9, R10: frequency domain (TR eq. 10, 11, table 7; 3.2 to 3.4.1) --------------------------------------------


@dataclass(frozen=True, slots=True)
class GridModel:
    """G(jω) = (reserve/span)·(f0/S)·1/(2H·jω + K_f·f0), per unit."""

    reserve_w: float  # ΔP_X: all of the product in the synchronous area
    span_hz: float  # Δf_X
    rated_va: float  # S_n
    kinetic_energy_ws: float  # H·S_n
    load_damping: float = 0.01  # K_f

    @property
    def inertia_s(self) -> float:
        """H."""
        return self.kinetic_energy_ws / self.rated_va

    @property
    def numerator(self) -> float:
        """(ΔP_X/Δf_X)·(f0/S_n)."""
        return self.reserve_w / self.span_hz * NOMINAL_HZ / self.rated_va

    @property
    def denominator(self) -> tuple[float, float]:
        """2H and K_f·f0: the coefficients of s and 1."""
        return 2 * self.inertia_s, self.load_damping * NOMINAL_HZ


_PERFORMANCE = {"rated_va": 42_000e6, "kinetic_energy_ws": 190_000e6}
_STABILITY = {"rated_va": 23_000e6, "kinetic_energy_ws": 120_000e6}
GRID_PERFORMANCE: Final = MappingProxyType(
    {
        Product.FCR_N: GridModel(600e6, 0.1, **_PERFORMANCE),
        Product.FCR_D_UP: GridModel(1450e6, 0.4, **_PERFORMANCE),
        Product.FCR_D_DOWN: GridModel(1450e6, 0.4, **_PERFORMANCE),
    }
)
GRID_STABILITY: Final = MappingProxyType(
    {
        Product.FCR_N: GridModel(600e6, 0.1, **_STABILITY),
        Product.FCR_D_UP: GridModel(1450e6, 0.4, **_STABILITY),
        Product.FCR_D_DOWN: GridModel(1450e6, 0.4, **_STABILITY),
    }
)
STABILITY_RADIUS: Final = 0.43  # R8: circle round (-1, 0)
STABILITY_MARGIN: Final = 0.95  # R8: this share of the radius is accepted
STABILITY_MARGIN_EXEMPTED: Final = 0.75  # R8: FCR-N only, on application
PERFORMANCE_MARGIN: Final = 0.95  # R9: K_margin
DISTURBANCE_TIME_CONSTANT_S: Final = 70.0  # R9: D = 1/(70 s + 1)
MAX_SINE_RESIDUAL: Final = 1.0  # R10
DEFAULT_FREQUENCY_METER_S: Final = 1.0  # TR 4.4: T_FME when nothing better is known

# --- R11: linearity of non-continuous and static entities (TR 3.4.2, tables 8, 9) ------------------------------------

LINEARITY_UNDER: Final = 0.05
LINEARITY_OVER: Final = 0.10
LINEARITY_MIN_STEPS: Final = 7  # in each direction
LINEARITY_STEP_HZ: Final = MappingProxyType({Product.FCR_N: 0.02, Product.FCR_D_UP: 0.1, Product.FCR_D_DOWN: 0.1})
LINEARITY_HOLD_S: Final = 120.0
LINEARITY_JUDGED_FROM_S: Final = 60.0  # after the step, for the rest of the hold
LINEARITY_MAX_SETTLING_S: Final = 240.0
LINEARITY_AVERAGE_S: Final = 10.0
# Corners as (frequency, share of ΔP_theoretical), straight between them.
ENVELOPE_FCR_N_LOWER: Final = (((49.9, 0.95), (50.0, -0.05)), ((50.0, -0.10), (50.1, -1.10)))
ENVELOPE_FCR_N_UPPER: Final = (((49.9, 1.10), (50.0, 0.10)), ((50.0, 0.05), (50.1, -0.95)))
ENVELOPE_FCR_D_UP_LOWER: Final = ((49.5, 0.95), (49.88, 0.0), (49.9, 0.0))
ENVELOPE_FCR_D_UP_UPPER: Final = ((49.5, 1.10), (49.9, 0.10))

# --- R12: endurance and limited energy reservoirs (TR 3.5, tables 10, 11, eq. 14 to 28) ------------------------------

ENDURANCE_S: Final = 900.0  # non-LER hold
LER_BELOW_H: Final = 2.0  # of full activation


@dataclass(frozen=True, slots=True)
class Reservation:
    """TR table 10: what a LER entity keeps free, in shares of capacity and hours of capacity."""

    power_up: float
    power_down: float
    energy_up_h: float
    energy_down_h: float


RESERVATIONS: Final = MappingProxyType(
    {
        Product.FCR_N: Reservation(1.34, 1.34, 1.0, 1.0),  # the hour may be revised within 1 to 1.5
        Product.FCR_D_UP: Reservation(1.0, 0.20, 1 / 3, 0.0),
        Product.FCR_D_DOWN: Reservation(0.20, 1.0, 0.0, 1 / 3),
    }
)


@dataclass(frozen=True, slots=True)
class EnergyThresholds:
    """TR table 11, in minutes of capacity that are left in the limiting direction. Settings, as TR asks for."""

    aem_on_min: float
    aem_off_min: float
    nem_on_min: float
    nem_off_min: float


THRESHOLDS: Final = MappingProxyType(
    {
        Product.FCR_N: EnergyThresholds(5.0, 10.0, 30.0, 57.5),
        Product.FCR_D_UP: EnergyThresholds(5.0, 10.0, 20.0, 20.0),
        Product.FCR_D_DOWN: EnergyThresholds(5.0, 10.0, 20.0, 20.0),
    }
)
ENERGY_AVERAGE_SAMPLES: Final = 300  # eq. 15, 18: one a second, five minutes
ENERGY_SAMPLE_S: Final = 1.0
NEM_POWER_SHARE: Final = MappingProxyType({Product.FCR_N: 0.34, Product.FCR_D_UP: 0.20, Product.FCR_D_DOWN: 0.20})
NEM_POWER_SHARE_MAX_FCR_N: Final = 0.50
FCR_D_RECOVERY_S: Final = 7200.0  # TR 3.5.1: all energy back, from the allowed start
AEM_FULL_HOLD_S: Final = 300.0  # TR tables 12, 13: hold after AEM came on
NEM_FULL_HOLD_S: Final = 60.0  # TR table 12: NEM fully on for so long
# eq. 20-22: the frequency that AEM sees, cut to this range.
AEM_RANGE_HZ: Final = MappingProxyType(
    {
        Product.FCR_N: (49.9, 50.1),
        Product.FCR_D_UP: (float("-inf"), 49.9),
        Product.FCR_D_DOWN: (50.1, float("inf")),
    }
)

# --- R13: mode shifting (TR 3.1.2) -----------------------------------------------------------------------------------

MODE_SHIFT_DEVIATION_HZ: Final = 0.2
MODE_SHIFT_MAX_S: Final = 10.0
MODE_SHIFT_BLOCK_S: Final = (300.0, 900.0)
MODE_SHIFT_BLOCK_RECOMMENDED_S: Final = 300.0

# --- Measurement and logging (TR 4, 5.3, 6, tables 15, 16, 18) -------------------------------------------------------

FREQUENCY_ACCURACY_HZ: Final = 0.010
POWER_ACCURACY: Final = ((1.5e6, 0.05), (10e6, 0.01), (float("inf"), 0.005))  # below this rated power: this share
POWER_RESOLUTION_W: Final = 10_000.0
POWER_RESOLUTION_SHARE: Final = 0.00025  # of rated power: the useful branch for a home battery
FREQUENCY_RESOLUTION_HZ: Final = 0.005
MIN_TEST_RATE_HZ: Final = MappingProxyType({Product.FCR_N: 5.0, Product.FCR_D_UP: 10.0, Product.FCR_D_DOWN: 10.0})
MIN_TEST_RATE_WITH_CONSENT_HZ: Final = 1.0  # fast, stable, low-noise responses
MIN_OPERATION_RATE_HZ: Final = 1.0
MIN_OPERATION_OTHER_RATE_HZ: Final = 0.1
OPERATION_LOG_S: Final = 3600.0
MIN_DECIMALS: Final = 3  # TR table 18: of every double

# --- Aggregation and central control (TR 3.11, 3.12) -----------------------------------------------------------------

TYPE_QUALIFIED_MAX_W: Final = 100_000.0  # FCR of one unit
TYPE_GROWTH_SHARE: Final = 0.25
TYPE_GROWTH_FLOOR_W: Final = 1e6  # the larger of both, but not above the cap
TYPE_GROWTH_CAP_W: Final = 3e6
FLEXIBLE_OPERATION_SHARE: Final = (0.80, 1.00)
CENTRAL_AVAILABILITY: Final = 0.9995


def power_accuracy(rated_w: float) -> float:
    """The accuracy that a power measurement of this rating must reach, as a share (TR table 15)."""
    return next(share for below_w, share in POWER_ACCURACY if rated_w < below_w)


def power_resolution_w(rated_w: float) -> float:
    """The coarsest resolution that serves a power measurement of this rating (TR table 16).

    The text allows 0.01 MW or 0.025 %. Below 1.5 MW the first is coarser than a home battery, so the second counts
    there; that is our reading (MEDIUM), to be confirmed by the TSO.
    """
    share_w = POWER_RESOLUTION_SHARE * rated_w
    return share_w if rated_w < POWER_ACCURACY[0][0] else max(POWER_RESOLUTION_W, share_w)
