"""All requirements of one product, and what follows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, cast

import numpy as np

from samspel_prequal.evaluate.evidence import Evidence
from samspel_prequal.evaluate.frequency_response import FrequencyResponse, SinePoint
from samspel_prequal.evaluate.interpolation import Interpolation, ModelFit
from samspel_prequal.evaluate.options import EvaluationOptions
from samspel_prequal.evaluate.reduction import Reduction
from samspel_prequal.evaluate.requirement import Requirement
from samspel_prequal.evaluate.stability import Stability
from samspel_prequal.product import Product

__all__ = ["Margins", "Outcome", "Verdict"]


class Outcome(StrEnum):
    """What the logs amount to. Requirements that no log shows are listed apart, as missing."""

    PASS = "pass"  # noqa: S105 - a verdict
    PASS_REDUCED = "pass-reduced"  # noqa: S105 - with the capacity that remains
    FAIL = "fail"
    INCOMPLETE = "incomplete"  # nothing was judged


@dataclass(frozen=True, slots=True)
class Margins:
    """What may change until a requirement turns; None: nothing within 10 s or a factor of 10."""

    delay_s: float | None  # extra delay; negative: too late by so much
    gain_low: float | None  # factors of gain
    gain_high: float | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The pass/fail table of one product with everything that it rests on."""

    product: Product
    capacity_w: float
    verdict: Outcome
    requirements: Mapping[str, Requirement]
    sine: tuple[SinePoint, ...]  # by rising period
    k: Reduction
    capacity_remaining_w: float
    margins: Mapping[str, Margins]
    missing: tuple[str, ...]  # due, and not shown by these logs
    warnings: tuple[str, ...]
    options: EvaluationOptions
    stability: Mapping[Interpolation, Stability]  # R8 under every rule
    model: ModelFit | None
    evidence: tuple[Evidence, ...]

    @property
    def complete(self) -> bool:
        """Whether every due requirement was shown."""
        return not self.missing

    @property
    def response(self) -> FrequencyResponse:
        """F at the tested periods."""
        return FrequencyResponse.from_points(self.sine)

    def as_json(self) -> dict[str, Any]:
        """Everything but the samples, ready for `json.dumps`; infinite and undefined numbers become None."""
        found = _plain(
            {
                "product": self.product.value,
                "capacity_w": self.capacity_w,
                "verdict": self.verdict.value,
                "complete": self.complete,
                "missing": self.missing,
                "requirements": {name: asdict(one) for name, one in self.requirements.items()},
                "sine": [_sine(point) for point in self.sine],
                "k": {"steady": self.k.steady, "dynamic": self.k.dynamic, "combined": self.k.combined},
                "capacity_remaining_w": self.capacity_remaining_w,
                "margins": {name: asdict(one) for name, one in self.margins.items()},
                "model": asdict(self.model) if self.model else None,
                "warnings": self.warnings,
                "assumptions": asdict(self.options),
            }
        )
        return cast("dict[str, Any]", found)


def _sine(point: SinePoint) -> dict[str, Any]:
    return {
        "period_s": point.period_s,
        "gain": point.gain,
        "phase_deg": point.phase_deg,
        "residual": point.residual,
        "gain_ci": point.gain_ci,
        "phase_ci": point.phase_ci,
        "periods": point.section.periods,
        "stationary_periods": point.section.stationary,
        "t_fme_s": point.t_fme_s,
    }


def _plain(value: object) -> object:
    """Lists, dicts, text, finite numbers."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, str) or value is None or isinstance(value, bool):
        return value if not isinstance(value, StrEnum) else value.value
    if isinstance(value, Sequence):
        return [_plain(one) for one in value]
    if isinstance(value, int | float | np.number):
        number = value.item() if isinstance(value, np.number) else value
        return number if math.isfinite(number) else None
    raise TypeError(f"{type(value).__name__} does not belong into a verdict")
