"""The report: every promise of the catalogue with its outcome, and what it was found with."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version

from samspel.contract import CONTRACT_VERSION

from samspel_contract.capabilities import Capability
from samspel_contract.catalogue import Catalogue
from samspel_contract.isolated import Run
from samspel_contract.target import Target

__all__ = ["GOOD", "REPORT_SCHEMA", "Report", "make_report", "text_of"]

REPORT_SCHEMA = "contract-report/0.1"

GOOD = frozenset({"passed", "unsupported", "not_implemented", "expected_failure", "preview_failed"})

WORST_FIRST = (
    "failed",
    "error",
    "skipped",
    "preview_failed",
    "expected_failure",
    "not_implemented",
    "unsupported",
    "passed",
)

REPLAY = "captures_decode_as_measured"
"""The test that holds a driver against recordings of real devices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the run proves. `outcomes` has one word for each id of the catalogue that ran; `missing` are the others.

    `cases` are the single cases of tests that are repeated. `passed` is true when nothing failed and nothing is
    missing; a preview that failed does not count yet. `evidence` is `twin-only` when only a simulated device was
    asked, `capture-verified` when what real devices have said was read as it was meant, too.
    """

    schema: str
    suite: str
    contract: str
    core: str
    driver: dict[str, str]
    maps: dict[str, str]
    evidence: str
    captures: list[str]
    variants: list[str]
    capabilities: dict[str, str]
    passed: bool
    outcomes: dict[str, str]
    missing: list[str]
    cases: dict[str, str]
    expected_failures: dict[str, dict[str, str]]


def make_report(target: Target, run: Run, promises: Catalogue) -> Report:
    """Hold what ran against what must run."""
    outcomes = _by_id(run.outcomes)
    known = {name: outcomes[name] for name in promises if name in outcomes}
    missing = [name for name in promises if name not in outcomes]
    return Report(
        schema=REPORT_SCHEMA,
        suite=version("samspel-contract-tests"),
        contract=CONTRACT_VERSION,
        core=version("samspel"),
        driver={"name": target.name, "dist": target.dist, "version": target.version},
        maps={path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in target.manifest.maps},
        evidence=_evidence(target, outcomes),
        captures=list(target.declaration.captures),
        variants=[variant.name for variant in target.declaration.variants],
        capabilities={name.value: target.declaration.missing.get(name, "full") for name in Capability},
        passed=run.exit_code == 0 and not missing and GOOD.issuperset(known.values()),
        outcomes=known,
        missing=missing,
        cases={name: outcome for name, outcome in run.outcomes.items() if "[" in name},
        expected_failures={name: asdict(entry) for name, entry in target.declaration.expected_failures.items()},
    )


def _evidence(target: Target, outcomes: Mapping[str, str]) -> str:
    verified = target.declaration.captures and outcomes.get(REPLAY) == "passed"
    return "capture-verified" if verified else "twin-only"


def _by_id(cases: Mapping[str, str]) -> dict[str, str]:
    grouped: dict[str, list[str]] = {}
    for name, outcome in cases.items():
        grouped.setdefault(name.partition("[")[0], []).append(outcome)
    return {name: _worst(outcomes) for name, outcomes in grouped.items()}


def _worst(outcomes: Iterable[str]) -> str:
    return min(outcomes, key=WORST_FIRST.index)


def text_of(report: Report, promises: Catalogue) -> str:
    """One page for people."""
    driver = " ".join(filter(None, [report.driver["name"], report.driver["dist"], report.driver["version"]]))
    lines = [f"{driver}: suite {report.suite}, contract {report.contract}, core {report.core}, {report.evidence}", ""]
    width = max(map(len, promises))
    for name, promise in promises.items():
        mark = "safety" if promise.safety else ""
        lines.append(f"  {name:<{width}}  {mark:6}  {report.outcomes.get(name, 'MISSING')}")
    bad = [name for name in promises if report.outcomes.get(name, "missing") not in GOOD]
    lines += [f"\n{name}: {promises[name].promise}\n  If this fails: {promises[name].if_this_fails}" for name in bad]
    counts = Counter(report.outcomes.values())
    summary = ", ".join(f"{count} {word}" for word, count in counts.items()) or "nothing ran"
    return "\n".join(
        [*lines, "", f"{'PASSED' if report.passed else 'FAILED'}: {summary}, {len(report.missing)} missing"]
    )
