"""What pytest has to know, at both doors: the fixture, and what the tests are repeated for."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest
from samspel.driver.faults import FaultState, FaultWord

from samspel_contract.capabilities import Capability
from samspel_contract.case import NOTHING, DriverCase
from samspel_contract.catalogue import catalogue
from samspel_contract.target import Target, installed, loose, with_driver
from samspel_contract.truth import TRUTHS

__all__ = ["PREVIEW", "SUPPORT", "driver_case", "id_of", "pytest_generate_tests", "target_of"]

PREVIEW = "preview: counts from the next minor version on"
"""Why the failure of a new test does not fail the run."""

SUPPORT = "samspel_support"
"""The user property under which a test that was left out says why: unsupported or not_implemented."""


def target_of(config: pytest.Config, module: object) -> Target:
    """The driver that the command line names, else the one that the test module calls DRIVER."""
    factory = config.getoption("samspel_driver_factory", None)
    target = _named_target(config, module)
    return target if factory is None else with_driver(target, factory)


def _named_target(config: pytest.Config, module: object) -> Target:
    name = config.getoption("samspel_driver", None)
    manifest = config.getoption("samspel_manifest", None)
    if manifest is not None:
        return loose(Path(manifest), config.getoption("samspel_twin"))
    return installed(name or getattr(module, "DRIVER"))  # noqa: B009 - a test module has no such attribute to mypy


def id_of(node_name: str) -> str:
    """The catalogue's id of a test, with its parameter in brackets if it has one."""
    return node_name.removeprefix("test_")


@pytest.fixture
def driver_case(request: pytest.FixtureRequest) -> Iterator[DriverCase]:
    """The driver under test. Skips what it declares as missing; marks what it declares as failing, strictly."""
    target = getattr(request, "param", None) or target_of(request.config, request.module).variants[0]
    _leave_out(request, target)
    _expect_failure(request, target)
    case = DriverCase(target)
    yield case
    assert not case.stray_writes(), "written, although no sequence of the map owns it"


def _leave_out(request: pytest.FixtureRequest, target: Target) -> None:
    wanted: tuple[Capability, ...] = getattr(request.function, "needs", ())
    for capability in wanted:
        if why := target.declaration.missing.get(capability):
            request.node.user_properties.append((SUPPORT, why.partition(":")[0]))
            pytest.skip(f"{capability} is {why}")


def _expect_failure(request: pytest.FixtureRequest, target: Target) -> None:
    name = id_of(request.node.name)
    excuses = target.declaration.expected_failures
    excuse = excuses.get(name) or excuses.get(name.partition("[")[0])
    if excuse is not None:
        request.applymarker(pytest.mark.xfail(reason=excuse.text, strict=True))
    elif getattr(request.function, "preview", False):
        request.applymarker(pytest.mark.xfail(reason=PREVIEW, strict=False))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Repeat tests for every signal, map and fault register that the driver has."""
    if metafunc.function.__name__.removeprefix("test_") not in catalogue():
        return
    target = target_of(metafunc.config, metafunc.module)
    if targets := _targets(metafunc, target):
        metafunc.parametrize("driver_case", targets, ids=[one.variant.name for one in targets], indirect=True)
    for name in ("signal", "true_signal", "map_file", "fault_register", "fault_state", "capture_file"):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, _values(name, target) or [NOTHING])


def _targets(metafunc: pytest.Metafunc, target: Target) -> tuple[Target, ...]:
    """In which variants a test runs; none: in the first alone."""
    test = metafunc.function
    if getattr(test, "everywhere", False):
        return target.variants
    commands = inspect.iscoroutinefunction(inspect.unwrap(test)) and not getattr(test, "once", False)
    per_control = getattr(test, "safety", False) and commands and len(target.leads) > 1
    return target.leads if per_control else ()


def _values(name: str, target: Target) -> list[str]:
    signals = [row.signal for row in target.registers.registers.values() if row.signal]
    match name:
        case "signal":
            return signals
        case "true_signal":
            return [signal for signal in signals if signal in TRUTHS]
        case "map_file":
            return [path.name for path in target.manifest.maps]
        case "capture_file":
            return list(target.declaration.captures)
        case "fault_state":
            return [row.register for row in target.manifest.faults.rows if isinstance(row, FaultState)]
        case _:
            return [row.register for row in target.manifest.faults.rows if isinstance(row, FaultWord)]
