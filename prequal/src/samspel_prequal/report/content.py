"""What stands in a report, once for the page and the paper."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Any, Final

from samspel_prequal.evaluate import MEASURED_RULES, Interpolation, Outcome, Verdict, stability_radius
from samspel_prequal.evaluate.table import ORDER
from samspel_prequal.product import Product
from samspel_prequal.report.advice import advice, failed, is_reduced, room
from samspel_prequal.report.assumptions import Assumption, assumptions
from samspel_prequal.report.pictures import Plate, plates
from samspel_prequal.report.source import Source
from samspel_prequal.report.words import TITLES, limit_text, margin_text, power_text, title, value_text

__all__ = ["Report", "Row", "RuleRow", "Section", "report_on", "section"]

REQUIREMENTS: Final = "TR v1.1 and TP, 28 March 2025"
_LIBRARIES: Final = ("samspel-prequal", "numpy", "scipy", "matplotlib", "jinja2")
STATE_WORDS: Final = {"pass": "pass", "fail": "FAIL", "reduced": "by reduction", "open": "not shown"}
PRODUCT_NAMES: Final = {Product.FCR_N: "FCR-N", Product.FCR_D_UP: "FCR-D up", Product.FCR_D_DOWN: "FCR-D down"}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the pass/fail table, in words. `state` is a key of STATE_WORDS."""

    name: str
    title: str
    clause: str
    value: str
    limit: str
    margin: str
    state: str
    text: str
    rule: str
    room: str = ""
    exact: float | None = None  # the value as the evaluation has it

    @property
    def word(self) -> str:
        """The state as it is shown."""
        return STATE_WORDS[self.state]


@dataclass(frozen=True, slots=True)
class RuleRow:
    """R8 under one reading of the text."""

    rule: str
    distance: str
    turns: int
    passed: bool
    role: str


@dataclass(frozen=True, slots=True)
class Section:
    """One product."""

    verdict: Verdict
    sources: tuple[Source, ...]
    headline: str
    rows: tuple[Row, ...]
    advice: tuple[str, ...]
    rule_rows: tuple[RuleRow, ...]
    assumptions: tuple[Assumption, ...]
    plates: tuple[Plate, ...]

    @property
    def name(self) -> str:
        """The product as people write it."""
        return PRODUCT_NAMES[self.verdict.product]

    @property
    def look(self) -> str:
        """How the headline is to look: pass, pass-reduced, fail, or incomplete where nothing fails so far."""
        found = self.verdict.verdict
        return found.value if self.verdict.complete or found is Outcome.FAIL else Outcome.INCOMPLETE.value

    @property
    def numbers(self) -> dict[str, Any]:
        """The evaluation, as JSON has it."""
        return self.verdict.as_json()

    @property
    def not_applicable(self) -> str:
        """Requirements that are neither shown nor due."""
        return ", ".join(name for name in ORDER if name not in {row.name for row in self.rows})


@dataclass(frozen=True, slots=True)
class Report:
    """A document about one entity."""

    entity: str
    created: datetime
    sections: tuple[Section, ...]
    versions: tuple[tuple[str, str], ...]

    @property
    def title(self) -> str:
        """Of the document."""
        return f"Prequalification of {self.entity}: {', '.join(one.name for one in self.sections)}"


def report_on(entity: str, sections: Sequence[Section], created: datetime) -> Report:
    """Put sections together with the versions of everything that made them."""
    libraries = [(name, version(name)) for name in _LIBRARIES]
    found = (("requirements", REQUIREMENTS), *libraries, ("Python", platform.python_version()))
    return Report(entity, created, tuple(sections), tuple(found))


def section(verdict: Verdict, sources: Sequence[Source]) -> Section:
    """All about one product."""
    return Section(
        verdict=verdict,
        sources=tuple(sources),
        headline=_headline(verdict),
        rows=_rows(verdict),
        advice=tuple(advice(verdict)),
        rule_rows=_rule_rows(verdict),
        assumptions=tuple(assumptions(verdict)),
        plates=plates(verdict),
    )


def _headline(verdict: Verdict) -> str:
    capacity = power_text(verdict.capacity_w)
    hard = [name for name in failed(verdict) if not is_reduced(name, verdict.requirements[name], verdict)]
    said = {
        Outcome.PASS: f"passes with {capacity}",
        Outcome.PASS_REDUCED: f"passes with {power_text(verdict.capacity_remaining_w)} of {capacity}",
        Outcome.FAIL: f"fails with {capacity}: {', '.join(failed(verdict) if hard else ['K'])}",
        Outcome.INCOMPLETE: "nothing was judged",
    }[verdict.verdict]
    if verdict.complete:
        return said
    so_far = said.replace("passes with", "fails nothing so far with", 1)  # who shows little has not passed
    return f"{so_far}; incomplete, {len(verdict.missing)} points are still to be shown"


def _rows(verdict: Verdict) -> tuple[Row, ...]:
    shown = {name: _row(name, verdict) for name in verdict.requirements}
    absent = {
        name: Row(name, title(name), _clause(name), "-", "-", "-", "open", "no log shows it", "")
        for name in verdict.missing
        if name in TITLES and name not in shown
    }
    both = shown | absent
    return tuple(both[name] for name in sorted(both, key=_place))


def _row(name: str, verdict: Verdict) -> Row:
    one = verdict.requirements[name]
    state = "open" if one.passed is None else "pass" if one.passed else "fail"
    if is_reduced(name, one, verdict):
        state = "reduced"
    return Row(
        name,
        title(name),
        _clause(name),
        value_text(name, one),
        limit_text(name, one),
        margin_text(name, one),
        state,
        one.text,
        one.rule,
        room(name, verdict.margins.get(name)),
        one.value,
    )


def _clause(name: str) -> str:
    return TITLES.get(name, ("", ""))[1]


def _place(name: str) -> int:
    return ORDER.index(name) if name in ORDER else len(ORDER)


def _rule_rows(verdict: Verdict) -> tuple[RuleRow, ...]:
    exempted = verdict.options.r8_exempted and verdict.product is Product.FCR_N
    radius = stability_radius(exempted=exempted)
    return tuple(
        RuleRow(rule.value, f"{one.distance:.4f}", one.encirclements, one.value >= radius, _role(rule, verdict))
        for rule, one in verdict.stability.items()
    )


def _role(rule: Interpolation, verdict: Verdict) -> str:
    if rule is verdict.options.interpolation:
        decided = verdict.stability[rule].rule
        return "decides" if rule in MEASURED_RULES or decided is rule else f"decides, by {decided.value}"
    return "warns" if rule is Interpolation.MODEL else "for comparison"
