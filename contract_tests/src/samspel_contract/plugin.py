"""The certifying door's pytest plugin: which driver, and what became of every test."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from samspel.contract.errors import SamspelError

from samspel_contract.catalogue import catalogue
from samspel_contract.fixtures import PREVIEW, SUPPORT, driver_case, id_of, pytest_generate_tests, target_of

__all__ = ["driver_case", "pytest_generate_tests"]

_outcomes: dict[str, str] = {}
"""What this process has found; it tests one driver and ends."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which driver, and where to write the outcomes."""
    group = parser.getgroup("samspel")
    group.addoption("--samspel-driver", help="name of an installed driver")
    group.addoption("--samspel-manifest", help="driver.toml of a driver that is not installed")
    group.addoption("--samspel-twin", help="its twin, MODULE:OBJECT")
    group.addoption("--samspel-driver-factory", help="another driver object than MapDriver, MODULE:CALLABLE (mutants)")
    group.addoption("--samspel-outcomes", type=Path, help="file for the outcomes")


def pytest_configure(config: pytest.Config) -> None:
    """Load the driver's data once, so that a bad file is one sentence and not a hundred tracebacks."""
    try:
        target_of(config, None)
    except SamspelError as error:
        raise pytest.UsageError(str(error)) from error


def pytest_collection_finish(session: pytest.Session) -> None:
    """An excuse that fits no test is an error, not a leftover."""
    excuses = target_of(session.config, None).declaration.expected_failures
    names = {id_of(item.name) for item in session.items}
    unknown = [name for name in excuses if name not in names and name not in catalogue()]
    if unknown:
        raise pytest.UsageError(
            f"contract.toml: [expected_failures] {', '.join(unknown)}: this driver has no such test"
        )


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep the worst of a test's three phases."""
    name = id_of(report.nodeid.rpartition("::")[2])
    outcome = _outcome(report)
    if outcome is not None and _outcomes.get(name) not in ("failed", "error"):
        _outcomes[name] = outcome


def _outcome(report: pytest.TestReport) -> str | None:
    """What this phase says; nothing where it only went well around the test."""
    if report.failed:
        return "failed" if report.when == "call" else "error"
    if report.skipped:
        if hasattr(report, "wasxfail"):
            return "preview_failed" if report.wasxfail.endswith(PREVIEW) else "expected_failure"
        return str(dict(report.user_properties).get(SUPPORT, "skipped"))
    return "passed" if report.when == "call" else None


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the outcomes; the door reads them and holds them against the catalogue."""
    path: Path | None = session.config.getoption("samspel_outcomes")
    if path is not None:
        path.write_text(json.dumps(_outcomes), encoding="utf-8")
