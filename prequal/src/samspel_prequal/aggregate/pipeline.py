"""READ FIRST: from a fleet's logs to the verdict of the sum, and to what each home costs it, test by test."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import numpy as np

from samspel_prequal.aggregate.block import Block, Gaps, gather_block
from samspel_prequal.aggregate.ranking import HomeCost, ranked
from samspel_prequal.aggregate.shares import SineShares, margins_without, sine_shares
from samspel_prequal.aggregate.trace import EPOCH, Source
from samspel_prequal.errors import AggregateError
from samspel_prequal.evaluate.evidence import gather
from samspel_prequal.evaluate.frequency_response import SinePoint
from samspel_prequal.evaluate.options import EvaluationOptions
from samspel_prequal.evaluate.pipeline import evaluate
from samspel_prequal.evaluate.verdict import Verdict
from samspel_prequal.logs import Log, TestLabel
from samspel_prequal.product import Product, TestType
from samspel_prequal.signals import FloatArray

__all__ = ["SUMMED", "Aggregate", "FleetParts", "aggregate"]

SUMMED: Final = frozenset({TestType.SINE, TestType.STEP, TestType.RAMP, TestType.OPERATION})


@dataclass(slots=True)
class FleetParts:
    """What remains of the homes when a test has been seen: a few numbers a home. Grows while tests are read."""

    homes: dict[str, int] = field(default_factory=dict)
    sums: list[Log] = field(default_factory=list)
    sines: list[tuple[tuple[str, ...], SineShares]] = field(default_factory=list)
    without: list[tuple[tuple[str, ...], dict[str, FloatArray]]] = field(default_factory=list)
    seen: list[tuple[tuple[str, ...], FloatArray, FloatArray]] = field(default_factory=list)  # missing, clock

    def number(self, homes: Sequence[str]) -> None:
        """Give new homes their numbers."""
        for home in homes:
            self.homes.setdefault(home, len(self.homes))


@dataclass(frozen=True, slots=True)
class Aggregate:
    """The verdict of the sum, and the homes by what they cost."""

    verdict: Verdict
    decided_by: str  # the requirement with the least room, by which homes are ranked
    room: Mapping[str, float]  # margin over limit, by requirement
    homes: tuple[HomeCost, ...]  # the costliest first
    sums: tuple[Log, ...]
    skipped: tuple[str, ...]  # tests that a sum cannot show
    gaps: Gaps
    capacities_noted: bool  # whether each home's share comes from its logs, or all are equal


def aggregate(
    source: Source,
    capacity_w: float,
    options: EvaluationOptions | None = None,
    *,
    gaps: Gaps | None = None,
    rank_by: str = "",
    on_test: Callable[[TestLabel], None] | None = None,
) -> Aggregate:
    """Judge a fleet as one entity.

    Args:
        source: where the homes' answers come from.
        capacity_w: what the fleet as a whole is to be prequalified for.
        options: readings and declarations of the evaluation.
        gaps: how missing samples are treated.
        rank_by: the requirement that homes are ranked by; by default the one with the least room.
        on_test: hears of each test before it is read.

    Raises:
        AggregateError: no test that a sum can show, or logs that do not fit together.
        EvaluationError: the sum is no answer to a test.
    """
    chosen, treated = options or EvaluationOptions(), gaps or Gaps()
    labels = [label for label in source.labels if label.test_type in SUMMED]
    if not labels:
        raise AggregateError(f"no step, ramp or sine test of {source.product} was found")
    parts = FleetParts()
    noted: dict[str, float] = {}
    for label in labels:
        if on_test:
            on_test(label)
        block = gather_block(source.traces(label), treated, label.period_s)
        noted |= dict(zip(block.homes, block.capacity_w.tolist(), strict=True))
        _take(parts, block, label, source.product, capacity_w, noted, chosen)
    verdict = evaluate(parts.sums, source.product, capacity_w, chosen)
    shares_w = capacities_w(list(parts.homes), noted, capacity_w)
    decided_by, room, costs = ranked(verdict, parts, shares_w, rank_by)
    skipped = tuple(str(label) for label in source.labels if label.test_type not in SUMMED)
    is_noted = bool(np.all(np.isfinite([noted[home] for home in parts.homes])))
    return Aggregate(verdict, decided_by, room, costs, tuple(parts.sums), skipped, treated, is_noted)


def capacities_w(homes: Sequence[str], noted: Mapping[str, float], capacity_w: float) -> FloatArray:
    """Each home's share of the capacity: as its logs note it where all of them do, else equal shares."""
    values = np.array([noted.get(home, np.nan) for home in homes])
    weights = values if np.all(np.isfinite(values)) and np.all(values > 0) else np.ones(len(homes))
    return np.asarray(capacity_w * weights / weights.sum(), dtype=np.float64)


def _take(
    parts: FleetParts,
    block: Block,
    label: TestLabel,
    product: Product,
    capacity_w: float,
    noted: Mapping[str, float],
    options: EvaluationOptions,
) -> None:
    """Everything that is needed of one test; afterwards the block can go."""
    total = _sum_log(block, label, product)
    evidence = gather(total, capacity_w, options)
    parts.number(block.homes)
    parts.sums.append(total)
    parts.seen.append((block.homes, block.missing, block.clock_s))
    if isinstance(evidence.figures, SinePoint):
        parts.sines.append((block.homes, sine_shares(block, evidence)))
    shares_w = capacities_w(block.homes, noted, capacity_w)
    parts.without.append((block.homes, margins_without(block, evidence, shares_w, options)))


def _sum_log(block: Block, label: TestLabel, product: Product) -> Log:
    applied = label.test_type is not TestType.OPERATION
    start = EPOCH + timedelta(milliseconds=block.grid.start_ms)
    return Log.of(
        product,
        label,
        block.grid.time_s,
        np.round(block.frequency_hz, 9),
        block.total_w,
        applied=applied,
        resource="FLEET",
        start=start,
    )
