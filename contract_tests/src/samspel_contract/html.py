"""The report as one page for people. Everything in it is escaped: names and messages are the author's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from samspel_contract.case import NOTHING
from samspel_contract.catalogue import Catalogue, Promise
from samspel_contract.report import GOOD, Report

__all__ = ["html_of"]

WORDS = {
    "passed": "passed",
    "unsupported": "not there",
    "not_implemented": "not done yet",
    "expected_failure": "fails, declared",
    "preview_failed": "preview: fails",
    "failed": "failed",
    "error": "error",
    "skipped": "left out",
    "missing": "did not run",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One promise with what became of it. `cases` are the outcomes of a test that is repeated."""

    name: str
    promise: Promise
    outcome: str
    cases: Mapping[str, str]

    @property
    def word(self) -> str:
        """The outcome for people."""
        return WORDS[self.outcome]

    @property
    def tone(self) -> str:
        """How it is shown: good, aside or bad."""
        if self.outcome not in GOOD:
            return "bad"
        return "good" if self.outcome == "passed" else "aside"

    @property
    def tally(self) -> str:
        """`12 cases`, or which of them went otherwise."""
        counts = Counter(self.cases.values())
        others = [f"{count} {WORDS[outcome]}" for outcome, count in counts.items() if outcome != "passed"]
        return ", ".join([f"{len(self.cases)} case{'s' if len(self.cases) > 1 else ''}", *others])


def html_of(report: Report, promises: Catalogue) -> str:
    """The page."""
    environment = Environment(
        loader=PackageLoader("samspel_contract", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["coded"] = _coded
    lines = [_line(report, name, promise) for name, promise in promises.items()]
    rooms: dict[str, list[Line]] = {}
    for line in lines:
        rooms.setdefault(line.promise.room.replace("_", " ").capitalize(), []).append(line)
    page = environment.get_template("report.html.j2")
    return page.render(report=report, rooms=rooms, bad=[line for line in lines if line.tone == "bad"], good=GOOD)


def _coded(text: str) -> Markup:
    """`names` as code; everything escaped."""
    parts = [escape(part) for part in text.split("`")]
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 else part for place, part in enumerate(parts)
    )


def _line(report: Report, name: str, promise: Promise) -> Line:
    own = (case for case in report.cases if case.partition("[")[0] == name and case != f"{name}[{NOTHING}]")
    cases = {case: report.cases[case] for case in own}
    return Line(name, promise, report.outcomes.get(name, "missing"), cases)
