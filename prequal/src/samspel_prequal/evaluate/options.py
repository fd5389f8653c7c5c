"""What may be chosen in an evaluation: readings of what the requirements leave open, whose figures are in `rules`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from samspel_prequal import rules
from samspel_prequal.evaluate.interpolation import Interpolation
from samspel_prequal.evaluate.windows import AveragingWindow

__all__ = ["EvaluationOptions"]


@dataclass(frozen=True, slots=True)
class EvaluationOptions:
    """Choices and declarations; the defaults are the stricter readings."""

    # Frequency domain
    t_fme_s: float | None = None  # None: 0 where the log shows a meter that followed the applied signal, else 1 s
    interpolation: Interpolation = Interpolation.STRICTEST
    r8_exempted: bool = False  # FCR-N with the 75 % radius, on application
    # Time domain
    window: AveragingWindow = AveragingWindow.LAST_60_S
    hold_tolerance: float = 0.01  # of ΔPt: a small, well damped swing after 7.5 s
    capacities_w: Mapping[str, float] = field(default_factory=dict)  # ΔPt by test number, as {"1.1": 80e3}
    capacity_from_logs: bool = False  # ΔPt from each log's own Cap column where it has one
    combined_fcr_n_w: float | None = None  # ΔP of FCR-N that ran together with FCR-D (R1b)
    # Limited reservoirs
    energy_wh: float | None = None  # the range used for FCR; below 2 h of capacity the entity is LER
    thresholds: rules.EnergyThresholds | None = None
    nem_share: float | None = None
    soc_tolerance_pct: float = 0.5  # a flag may come as early or late as this much state of charge
    flag_tolerance_s: float = 5.0
    energy_power_tolerance: float = 0.05  # of C, on top of what R1 allows
    energy_settling_s: float = 30.0  # after a jump of the frequency or a flag, in which power is not compared
    # The entity
    non_continuous: bool = False  # relay-like: R11 is due
    mode_shifting: bool = False
    performance_mode: str = "performance"  # what ContMode says in high-performance mode
    bump_tolerance: float = 0.05  # of C: a step of power when the mode shifts back
    rated_w: float | None = None
    power_accuracy: float | None = None  # declared, of rated power
    frequency_accuracy_hz: float | None = None  # declared
    clock_synchronised: bool | None = None  # declared
    low_rate_consent: bool = False  # the TSO allows tests logged at 1 Hz
