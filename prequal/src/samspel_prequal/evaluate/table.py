"""The pass/fail table: its lines, which of them are due, and what they add up to."""

from __future__ import annotations

from collections.abc import Mapping

from samspel_prequal import rules
from samspel_prequal.evaluate.options import EvaluationOptions
from samspel_prequal.evaluate.reduction import Reduction
from samspel_prequal.evaluate.requirement import Requirement
from samspel_prequal.evaluate.verdict import Outcome
from samspel_prequal.product import Product

__all__ = ["ORDER", "REDUCIBLE", "due", "outcome"]

ORDER = (
    "R1", "R1b", "R2", "R3", "hold", "R4", "R5a", "R5b", "R6", "R7", "R8", "R9", "R10", "R11", "R12", "R13", "K",
    "M-rate", "M-power-resolution", "M-frequency-resolution", "M-power-accuracy", "M-frequency-accuracy", "M-clock",
    "1h",
)  # fmt: skip
# A smaller capacity may mend these (TR eq. 3, 5; 3.3): they are judged through K.
REDUCIBLE = frozenset({"R1", "R2", "R3", "R9"})
_ALWAYS = ("R12", "M-rate", "M-power-accuracy", "M-frequency-accuracy", "M-clock", "1h")
_SINES = ("R8", "R9", "R10")


def due(
    product: Product,
    options: EvaluationOptions,
    capacity_w: float,
    shown: Mapping[str, Requirement],
    periods_s: set[float],
    *,
    static: bool,
) -> tuple[str, ...]:
    """What the table asks for and no log shows, sines by their periods."""
    wanted = ["R1"]
    if static:
        wanted += ["R2", "R3", "R5a", "R5b", "R6", "R7", "R11"]
    else:
        wanted += [] if product is Product.FCR_N else ["R2", "R3", "hold", "R4"]
        wanted += [*_SINES, *(["R11"] if options.non_continuous else [])]
    wanted += ["R1b"] if options.combined_fcr_n_w is not None and product.is_fcr_d else []
    wanted += ["R13"] if options.mode_shifting else []
    open_ones = [name for name in ORDER if name in {*wanted, *_ALWAYS} and _open(shown.get(name))]
    sines = (
        []
        if static
        else [
            f"sine {row.period_s:g} s"
            for row in rules.sine_periods(product, mode_shifting=options.mode_shifting)
            if row.period_s not in periods_s
        ]
    )
    return (*open_ones, *sines, *_endurance(options, capacity_w, shown))


def outcome(requirements: Mapping[str, Requirement], k: Reduction) -> Outcome:
    """What the shown requirements add up to."""
    judged = {name: one.passed for name, one in requirements.items() if one.passed is not None}
    hard = [name for name, passed in judged.items() if not passed and name not in REDUCIBLE]
    if hard or k.allowed is False:
        return Outcome.FAIL
    if not judged:
        return Outcome.INCOMPLETE
    return Outcome.PASS_REDUCED if k.combined is not None and k.combined < 1 else Outcome.PASS


def _open(one: Requirement | None) -> bool:
    return one is None or one.passed is None


def _endurance(options: EvaluationOptions, capacity_w: float, shown: Mapping[str, Requirement]) -> list[str]:
    """R12 shown by the wrong test: a LER entity needs the energy-management test, not the hold."""
    if options.energy_wh is None or "R12" not in shown:
        return []
    limited = options.energy_wh / capacity_w < rules.LER_BELOW_H
    by_energy = "nem_wrong_s" in shown["R12"].details
    return ["energy-management test"] if limited and not by_energy else []
