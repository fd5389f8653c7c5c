"""What a run says: a line a day, a table at the end, and how to see a violation again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict

from samspel_contract.simulation.checks import CHECKS
from samspel_contract.simulation.record import Violation, span_of
from samspel_contract.simulation.run import Day, Outcome

__all__ = ["day_line", "json_of", "rate_text", "table", "violation_text"]

WIDTH = 34
ORDER = ("commands", "ends", "deviations", "faults", "writes", "disturbances")


def rate_text(simulated_s: float, took_s: float) -> str:
    """`1210 x real time`."""
    return f"{simulated_s / max(took_s, 1e-9):.0f} x real time"


def day_line(day: Day) -> str:
    """One simulated day."""
    rate = rate_text(day.simulated_s, day.took_s)
    return (
        f"day {day.number}: {span_of(day.simulated_s)} in {day.took_s:.0f} s, {rate}; "
        f"{day.commands} commands so far, battery at {day.soc_pct:.0f} %"
    )


def table(outcome: Outcome) -> str:
    """Everything that was counted, and every invariant with how often it was judged."""
    lines = [f"{span_of(outcome.simulated_s)} in {outcome.took_s:.0f} s, {_rate(outcome)}"]
    groups = [(name, outcome.counts.get(name, {})) for name in ORDER]
    lines += [line for name, counts in groups for line in _group(name, counts)]
    lines += _group("energy, kWh", {name: round(wh / 1000, 1) for name, wh in outcome.energy_wh.items()})
    lines += _invariants(outcome)
    lines.append(f"transcript {outcome.transcript}")
    return "\n".join(lines)


def _rate(outcome: Outcome) -> str:
    return rate_text(outcome.simulated_s, outcome.took_s)


def _group(title: str, counts: Mapping[str, float]) -> list[str]:
    total = sum(counts.values())
    head = f"{title}" if title.startswith("energy") else f"{title}: {total:g}"
    return [head, *(f"  {name:<{WIDTH}}{count:>10g}" for name, count in sorted(counts.items()))]


def _invariants(outcome: Outcome) -> Iterable[str]:
    yield f"{'invariants':<{WIDTH + 2}}{'checked':>10}{'violated':>10}"
    for name in invariant_names():
        violated = sum(1 for one in outcome.violations if one.invariant == name)
        yield f"  {name:<{WIDTH}}{outcome.checked.get(name, 0):>10}{violated:>10}"


def invariant_names() -> list[str]:
    """All of them, in the order of `CHECKS`."""
    classes = [str(getattr(make, "__name__", make)) for make in CHECKS]
    return ["".join(f"_{one.lower()}" if one.isupper() else one for one in name).lstrip("_") for name in classes]


def violation_text(violation: Violation, command: str) -> str:
    """What did not hold, when, what came before, and the line that shows it again."""
    return "\n".join(
        [
            f"VIOLATED {violation.invariant} after {span_of(violation.at_s)}: {violation.text}",
            *violation.before,
            f"again: {command}",
        ]
    )


def json_of(outcome: Outcome, **about: object) -> str:
    """The same for programs."""
    return json.dumps({**about, **asdict(outcome)}, indent=2)
