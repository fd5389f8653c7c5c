"""What was found of a fleet, for people and for JSON."""

from __future__ import annotations

import math
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from samspel_prequal.aggregate.pipeline import Aggregate
from samspel_prequal.aggregate.ranking import RANKED, HomeCost

__all__ = ["as_data", "as_tables"]


def as_tables(found: Aggregate, top: int) -> RenderableType:
    """The verdict of the sum, and the costliest homes."""
    return Group(_verdict_table(found), *(Text(line) for line in _notes(found)), _homes_table(found, top))


def _verdict_table(found: Aggregate) -> Table:
    verdict = found.verdict
    title = (
        f"{verdict.product.value}, {len(found.homes)} homes, {verdict.capacity_w / 1e6:g} MW: {verdict.verdict.value}"
    )
    table = Table(title=title, title_justify="left", title_style="bold")
    for name in ("requirement", "verdict", "value", "limit", "margin", "what"):
        table.add_column(name, justify="right" if name in {"value", "limit", "margin"} else "left", overflow="fold")
    for name, one in verdict.requirements.items():
        if one.value is not None:
            said = "pass" if one.passed else "FAIL"
            table.add_row(name, said, f"{one.value:.4f}", _number(one.limit), _number(one.margin), one.text)
    return table


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _notes(found: Aggregate) -> list[str]:
    shares = "as their logs note it" if found.capacities_noted else "equal for all homes, since not all logs note it"
    lines = [
        f"Missing samples: gaps up to {found.gaps.longest_fill_s:g} s are straight lines, longer ones: "
        f"{found.gaps.rule.value}. Capacity: {shares}.",
        f"Ranked by {found.decided_by}, room {found.room[found.decided_by]:.3f}. Cost: what room gains without a home.",
    ]
    lines += [f"Not summed: {', '.join(found.skipped)}."] if found.skipped else []
    lines += [f"Not shown by these logs: {', '.join(found.verdict.missing)}."] if found.verdict.missing else []
    return [*lines, *(f"Warning: {text}" for text in found.verdict.warnings)]


def _homes_table(found: Aggregate, top: int) -> Table:
    shown = [name for name in RANKED if name in found.room]
    table = Table(
        title=f"The {min(top, len(found.homes))} homes that cost most", title_justify="left", title_style="bold"
    )
    for name in (
        "home",
        *(f"{name} *" if name == found.decided_by else name for name in shown),
        "gain",
        "delay",
        "what",
    ):
        table.add_column(name, justify="left" if name in {"home", "what"} else "right")
    for home in found.homes[:top]:
        costs = (f"{home.cost[name]:+.5f}" if name in home.cost else "" for name in shown)
        table.add_row(home.home, *costs, _gain(home), f"{home.facts.delay_s:.2f} s", ", ".join(home.suspicions))
    return table


def _gain(home: HomeCost) -> str:
    return f"{-home.facts.gain if home.facts.reversed else home.facts.gain:.2f}"


def as_data(found: Aggregate, top: int | None = None) -> dict[str, Any]:
    """Everything for JSON; `top` limits the homes."""
    return {
        **found.verdict.as_json(),
        "homes": len(found.homes),
        "decided_by": found.decided_by,
        "room": {name: _finite(value) for name, value in found.room.items()},
        "gaps": {"rule": found.gaps.rule.value, "longest_fill_s": found.gaps.longest_fill_s},
        "capacities_noted": found.capacities_noted,
        "not_summed": list(found.skipped),
        "costs": [_home(one) for one in found.homes[:top]],
    }


def _home(one: HomeCost) -> dict[str, Any]:
    facts = one.facts
    return {
        "home": one.home,
        "capacity_w": one.capacity_w,
        "cost": {name: _finite(value) for name, value in one.cost.items()},
        "gain": _finite(-facts.gain if facts.reversed else facts.gain),
        "delay_s": _finite(facts.delay_s),
        "clock_s": _finite(facts.clock_s),
        "missing": _finite(facts.missing),
        "flat_s": _finite(facts.flat_s),
        "suspicions": list(one.suspicions),
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
