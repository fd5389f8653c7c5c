"""From logs to the verdict that the TSO will give.

Reading order: `pipeline` (all of it in one function), `evidence` (what each kind of log shows), then the figures
(`sine_fit`, `stationary`, `frequency_response`, `interpolation`, `stability`, `performance`; `steps`, `ramps`,
`static`, `linearity`, `energy`) and the limits that they are put to (`judge_time`, `judge_frequency`, `endurance`,
`measurement`, `reduction`).
"""

from samspel_prequal.evaluate.evidence import Evidence
from samspel_prequal.evaluate.frequency_response import FrequencyResponse, SinePoint
from samspel_prequal.evaluate.interpolation import MEASURED_RULES, Interpolation, ModelFit, nyquist_curve
from samspel_prequal.evaluate.options import EvaluationOptions
from samspel_prequal.evaluate.pipeline import evaluate
from samspel_prequal.evaluate.requirement import Requirement
from samspel_prequal.evaluate.stability import Stability, stability, stability_radius
from samspel_prequal.evaluate.verdict import Margins, Outcome, Verdict
from samspel_prequal.evaluate.windows import AveragingWindow

__all__ = [
    "MEASURED_RULES",
    "AveragingWindow",
    "EvaluationOptions",
    "Evidence",
    "FrequencyResponse",
    "Interpolation",
    "Margins",
    "ModelFit",
    "Outcome",
    "Requirement",
    "SinePoint",
    "Stability",
    "Verdict",
    "evaluate",
    "nyquist_curve",
    "stability",
    "stability_radius",
]
