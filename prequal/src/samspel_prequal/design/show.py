"""What the design side found, as tables for people and as plain data for JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from samspel_prequal.design.judge import TIMES, DesignVerdict
from samspel_prequal.design.records import Unread
from samspel_prequal.design.sizing import FleetSize
from samspel_prequal.design.suitability import Suitability

__all__ = ["as_data", "models_data", "models_table", "sizes_data", "sizes_table", "verdict_tables"]

_TIME_NAMES: Final = {
    "dead_time_s": "dead time",
    "lag_s": "lag",
    "meter_s": "meter",
    "control_period_s": "period",
}
_NOTHING: Final = 1e-9  # of a margin, a millisecond
_UNITS: Final = {"R3": "(s)"}


def verdict_tables(verdict: DesignVerdict) -> RenderableType:
    """The requirements of one product: margins, the room in dead time, and what a millisecond costs."""
    table = _table(f"{verdict.product.value}: {_outcome(verdict)}")
    for name in ("rule", "verdict"):
        table.add_column(name, no_wrap=True)
    for name in ("value", "limit", "margin", "room"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in TIMES:
        table.add_column(f"1 ms {_TIME_NAMES[name]}", justify="right", min_width=6)
    for rule, one in verdict.requirements.items():
        left = verdict.delay_left_s.get(rule)
        table.add_row(
            f"{rule} {_UNITS.get(rule, '')}".strip(),
            "pass" if one.passed else "FAIL",
            _number(one.value),
            _number(one.limit),
            _number(one.margin),
            "" if rule == "R1" else _left(left, passed=one.passed is True),
            *(_cost(verdict.cost_per_ms[name].get(rule)) for name in TIMES),
        )
    return table


def _table(title: str) -> Table:
    """Without a frame: a terminal of 80 columns has none to spare."""
    return Table(title=f"\n{title}", title_justify="left", title_style="bold", box=None, padding=(0, 1, 0, 0))


def _outcome(verdict: DesignVerdict) -> str:
    factor = verdict.reduction.combined
    if verdict.outcome.value == "pass-reduced" and factor is not None:
        return f"passes with {factor:.1%} of its capacity"
    return "passes" if verdict.outcome.value == "pass" else f"fails {', '.join(verdict.failed)}"


def _left(seconds: float | None, *, passed: bool) -> str:
    if seconds is None:
        return "> 10 s" if passed else "never"
    return f"{seconds:.2f} s"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _cost(value: float | None) -> str:
    if value is None:
        return ""
    return "0" if abs(value) < _NOTHING else f"{-value:+.0e}"


def models_table(found: Sequence[Suitability], unread: Sequence[Unread]) -> RenderableType:
    """Which model can serve which product."""
    table = _table("Which model can serve which product")
    for name in ("product", "latency", "dynamics", "evidence", "permitted"):
        table.add_column(name, no_wrap=True)
    table.add_column("why", overflow="fold", ratio=1)
    before = ""
    for one in found:
        head = f"{one.record.driver}: {', '.join(one.record.models)}"
        if head != before:
            table.add_row("", "", "", "", "", Text(head, style="bold"))
        before = head
        table.add_row(
            one.product.value,
            "not known" if one.latency_s is None else f"{one.latency_s:g} s",
            one.dynamics.value,
            ", ".join(one.evidence),
            "yes" if one.permitted else "no",
            "; ".join(_why(one)),
        )
    notes = sorted({f"{one.record.driver}: {note}" for one in found for note in one.notes})
    lines = [*notes, *(f"{one.driver} could not be read: {one.why}" for one in unread)]
    return Group(table, *(Text(f"  {line}") for line in lines))


def _why(one: Suitability) -> Iterable[str]:
    if one.failed:
        always = set.intersection(*(set(rules) for rules in one.failed.values()))
        sometimes = set().union(*one.failed.values()) - always
        if always:
            yield f"fails {', '.join(sorted(always))}"
        if sometimes:
            yield f"fails {', '.join(sorted(sometimes))} if the latency is all {_which(one)}"
    if one.r8_margin is not None:
        worst, best = one.r8_margin
        yield f"R8 margin {worst:+.2f}" if worst == best else f"R8 margin {worst:+.2f} to {best:+.2f}"
    yield from one.obstacles


def _which(one: Suitability) -> str:
    most = max(len(rules) for rules in one.failed.values())
    return " or ".join(name for name, rules in one.failed.items() if len(rules) == most)


def sizes_table(sizes: Iterable[FleetSize]) -> RenderableType:
    """Fleet sizes for a bid."""
    table = _table("Homes for a bid (limited reservoirs)")
    for name in ("sold at once", "bid", "capacity of a home", "homes", "decided by"):
        table.add_column(name, justify="right" if name in {"bid", "capacity of a home", "homes"} else "left")
    for one in sizes:
        sold = " + ".join(product.value for product in one.mix)
        table.add_row(sold, f"{one.bid_w / 1e6:g} MW", f"{one.home_capacity_w:.0f} W", str(one.homes), one.decided_by)
        if not one.possible:
            table.caption = "In brackets: by power and energy alone; the dynamics above fail."
    return table


def as_data(verdict: DesignVerdict) -> dict[str, Any]:
    """A verdict for JSON."""
    return {
        "product": verdict.product.value,
        "verdict": verdict.outcome.value,
        "requirements": {name: asdict(one) for name, one in verdict.requirements.items()},
        "k": {"steady": verdict.reduction.steady, "dynamic": verdict.reduction.dynamic},
        "delay_left_s": dict(verdict.delay_left_s),
        "cost_per_ms": {name: dict(costs) for name, costs in verdict.cost_per_ms.items()},
    }


def models_data(found: Iterable[Suitability], unread: Iterable[Unread]) -> dict[str, Any]:
    """Suitability for JSON."""
    rows = [
        {
            "driver": one.record.driver,
            "models": list(one.record.models),
            "firmware": [list(bounds) for bounds in one.record.firmware],
            "paths": list(one.record.paths),
            "product": one.product.value,
            "routes": [asdict(route) for route in one.routes],
            "latency_s": one.latency_s,
            "dynamics": one.dynamics.value,
            "failed": {name: list(rules) for name, rules in one.failed.items()},
            "r8_margin": None if one.r8_margin is None else list(one.r8_margin),
            "evidence": list(one.evidence),
            "permitted": one.permitted,
            "obstacles": list(one.obstacles),
            "notes": list(one.notes),
        }
        for one in found
    ]
    return {"models": rows, "unread": [asdict(one) for one in unread]}


def sizes_data(sizes: Iterable[FleetSize]) -> list[dict[str, Any]]:
    """Fleet sizes for JSON."""
    return [
        {
            "sold_at_once": {product.value: share for product, share in one.mix.items()},
            "bid_w": one.bid_w,
            "home_capacity_w": one.home_capacity_w,
            "homes": one.homes,
            "dynamics_pass": one.possible,
            "decided_by": one.decided_by,
            "limits_w": {limit.name: limit.capacity_w for limit in one.limits},
        }
        for one in sizes
    ]
