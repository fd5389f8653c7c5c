"""The demonstration: a fast and a slow toy plant through the FCR programmes, from signal to report.

The fast one is a battery with a limited reservoir and passes everything. The slow one has all the energy it needs and
answers late: its loop goes round -1 (R8), and after 7.5 s too little power and energy is there (R2, R3).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from samspel_prequal import rules
from samspel_prequal.evaluate import EvaluationOptions, Outcome
from samspel_prequal.logs import write_log
from samspel_prequal.logs.columns import header_for
from samspel_prequal.plant import PlantSettings
from samspel_prequal.player import Site
from samspel_prequal.product import FCR_PRODUCTS, Product
from samspel_prequal.report.advice import failed
from samspel_prequal.report.build import section_from_files
from samspel_prequal.report.content import Report, Section, report_on
from samspel_prequal.report.page import html_page
from samspel_prequal.report.paper import write_pdf
from samspel_prequal.simulate import Programme, Test, programme, simulate

__all__ = ["CASES", "DemoCase", "DemoResult", "run_demo", "steps_of"]

CAPACITY_W: Final = 100_000.0
PICTURES: Final = {Product.FCR_N: 5, Product.FCR_D_UP: 7, Product.FCR_D_DOWN: 7}  # one more with a limited reservoir
OnStep = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class DemoCase:
    """One plant and product, and what must come out."""

    plant: str
    settings: PlantSettings
    fails: frozenset[str]

    @property
    def product(self) -> Product:
        """Of the plant."""
        return self.settings.product

    @property
    def programme(self) -> Programme:
        """The tests that this plant has to go through."""
        return Programme(self.product, limited=self.settings.limited)

    @property
    def options(self) -> EvaluationOptions:
        """What the applicant declares."""
        limited = self.settings.limited
        return EvaluationOptions(
            energy_wh=self.settings.energy_h * CAPACITY_W if limited else None,
            rated_w=1.5 * CAPACITY_W,
            power_accuracy=0.01,
            frequency_accuracy_hz=0.002,
            clock_synchronised=True,
        )


@dataclass(frozen=True, slots=True)
class DemoResult:
    """A case and its section of the report."""

    case: DemoCase
    section: Section

    @property
    def as_expected(self) -> bool:
        """Whether exactly the expected requirements fail, and nothing is left open."""
        verdict = self.section.verdict
        outcome = Outcome.FAIL if self.case.fails else Outcome.PASS
        return verdict.verdict is outcome and set(failed(verdict)) == self.case.fails and verdict.complete


def _cases() -> Iterator[DemoCase]:
    """All of FCR for the fast plant; of the slow one, whose two directions are alike, one of FCR-D."""
    for product in FCR_PRODUCTS:
        fast = PlantSettings(product, CAPACITY_W, lag_s=0.3, delay_s=0.25, noise=0.001)
        yield DemoCase("fast", fast, frozenset())
    for product, fails in ((Product.FCR_N, {"R8"}), (Product.FCR_D_UP, {"R2", "R3", "R8"})):
        slow = PlantSettings(product, CAPACITY_W, lag_s=3.0, delay_s=1.5, noise=0.001, store_h=float("inf"))
        yield DemoCase("slow", slow, frozenset(fails))


CASES: Final = tuple(_cases())


def steps_of(case: DemoCase) -> int:
    """How often `on_step` is called for a case: each test, the evaluation, each picture."""
    return len(programme(case.programme)) + 1 + PICTURES[case.product] + case.settings.limited


def run_demo(
    folder: Path,
    created: datetime,
    *,
    cases: Sequence[DemoCase] = CASES,
    pdf: bool = False,
    on_step: OnStep = lambda _: None,
) -> list[DemoResult]:
    """Play, log, evaluate and report; one page a plant, one folder of logs a plant and product.

    Args:
        folder: where everything goes; made when it is not there.
        created: the date of the reports.
        cases: what to run.
        pdf: write PDFs besides.
        on_step: hears what was just done.
    """
    results = [_run(case, folder, on_step) for case in cases]
    for plant in dict.fromkeys(case.plant for case in cases):
        sections = [result.section for result in results if result.case.plant == plant]
        _write(report_on(f"the {plant} toy plant", sections, created), folder / plant, pdf, on_step)
    return results


def _run(case: DemoCase, folder: Path, on_step: OnStep) -> DemoResult:
    logs = folder / f"{case.plant}-{case.product}"
    logs.mkdir(parents=True, exist_ok=True)
    name = f"{case.plant} {case.product}"
    files = _logged(case, logs, lambda test: on_step(f"{name}: {test.label}"))
    section = section_from_files(files, case.product, CAPACITY_W, case.options)
    on_step(f"{name}: evaluation")
    return DemoResult(case, section)


def _logged(case: DemoCase, folder: Path, on_test: Callable[[Test], None]) -> list[Path]:
    """The programme's logs, at the slowest rate that the product allows."""
    product = case.product
    site = Site(case.plant.upper(), modes={header_for("ContMode", product): f"{product.service.upper()}1"})
    rate_hz = rules.MIN_TEST_RATE_HZ[product]
    logs = simulate(case.programme, case.settings, rate_hz=rate_hz, site=site, on_test=on_test)
    return [write_log(log, folder, compact=True) for log in logs]


def _write(report: Report, path: Path, pdf: bool, on_step: OnStep) -> None:
    page = html_page(report, on_picture=lambda: on_step(f"{path.name}: plots"))
    path.with_suffix(".html").write_text(page, encoding="utf-8")
    if pdf:
        write_pdf(report, path.with_suffix(".pdf"))
