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
    table = _table(title)
    for name in ("requirement", "verdict", "value", "limit", "margin", "what"):
        table.add_column(
            name, justify="right" if name in {"value", "limit", "margin"} else "left", no_wrap=name != "what"
        )
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
    """The requirement that ranks, and of the others the one that the home costs most; JSON has them all."""
    table = _table(f"The {min(top, len(found.homes))} homes that cost most")
    table.add_column("home", no_wrap=True)
    for name in (found.decided_by, "most of the others", "gain", "delay"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("what", ratio=1)
    for home in found.homes[:top]:
        cost = home.cost.get(found.decided_by)
        table.add_row(
            home.home,
            "" if cost is None else f"{cost:+.5f}",
            _other(home, found),
            _gain(home),
            f"{home.facts.delay_s:.2f} s",
            ", ".join(home.suspicions),
        )
    return table


def _other(home: HomeCost, found: Aggregate) -> str:
    others = {name: cost for name, cost in home.cost.items() if name in RANKED and name != found.decided_by}
    if not others:
        return ""
    name = max(others, key=lambda one: others[one])
    return f"{name} {others[name]:+.5f}"


def _table(title: str) -> Table:
    """Without a frame: a terminal of 80 columns has none to spare."""
    return Table(title=f"\n{title}", title_justify="left", title_style="bold", box=None, padding=(0, 1, 0, 0))


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
