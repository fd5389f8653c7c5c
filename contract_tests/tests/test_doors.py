"""Both doors; and that nothing of an author's pytest reaches the tests behind the certifying one."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from samspel_contract.catalogue import catalogue

NEEDLESS = {
    "login_opens_the_way",
    "wrong_login_is_refused",
    "missing_login_reads_or_says_so",
    "sleeping_device_is_woken",
}
"""What the good toy has no need of."""

PREVIEW = """\

from samspel_contract.case import preview

@preview
def test_new_and_failing(driver_case):
    assert not driver_case

@preview
def test_new_and_passing(driver_case):
    assert driver_case
"""

DAILY = 'from samspel_contract.door import *\n\nDRIVER = "toy"\n'

CHEAT = """\
def pytest_collection_modifyitems(items):
    items[:] = items[:1]
"""
SOFTENER = """\
import pytest

@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    report = yield
    report.outcome = "passed"
    return report
"""


def contract(environment, folder, *arguments):
    command = [sys.executable, "-c", "from samspel_contract.cli import main; main()", "run", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def daily(environment, folder, *arguments):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--import-mode=importlib", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def author(tmp_path):
    """Where an author works: a folder with a three-line test file."""
    folder, site = tmp_path / "author", tmp_path / "site"
    folder.mkdir()
    site.mkdir()
    (folder / "test_contract.py").write_text(DAILY)
    return folder, site


@pytest.mark.slow
def test_the_good_toy_passes_everything_through_the_certifying_door(toy, author):
    folder, site = author
    pages = ("--report", "out/report.json", "--html", "out/report.html")
    done = contract(toy.install(site), folder, "--driver", "toy", *pages)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((folder / "out" / "report.json").read_text())
    assert report["driver"] == {"name": "toy", "dist": "samspel-toy", "version": "1.2.3"}
    assert set(report["outcomes"]) == set(catalogue())
    assert {name for name, outcome in report["outcomes"].items() if outcome != "passed"} == NEEDLESS
    assert report["variants"] == ["1.4", "1.4 timed", "1.8"]
    assert "samspel-toy 1.2.3" in (folder / "out" / "report.html").read_text()
    assert report["missing"] == []
    assert report["evidence"] == "twin-only"
    assert re.fullmatch("[0-9a-f]{64}", report["maps"]["map.toml"])
    assert report["capabilities"]["phase_power"] == "unsupported: the toy has one phase"


def test_the_daily_door_has_every_test(toy, author):
    folder, site = author
    done = daily(toy.install(site), folder, "--collect-only")
    found = {line.partition("::test_")[2].partition("[")[0] for line in done.stdout.splitlines() if "::" in line}
    assert found == set(catalogue())


def test_a_preview_is_reported_and_not_fatal(toy, author):
    folder, site = author
    (folder / "test_contract.py").write_text(DAILY + PREVIEW)
    done = daily(toy.install(site), folder, "-k", "test_new", "-rxX")
    assert done.returncode == 0, done.stdout
    assert "1 xfailed, 1 xpassed" in done.stdout
    assert "preview: counts from the next minor version on" in done.stdout


def conftest_cheat(folder, site):
    (folder / "conftest.py").write_text(CHEAT)
    return {}, ""


def plugin_cheat(folder, site):
    (site / "cheat.py").write_text(CHEAT)
    return {}, "\n[pytest11]\ncheat = cheat\n"


def environment_cheat(folder, site):
    (site / "softener.py").write_text(SOFTENER)
    return {"PYTEST_ADDOPTS": "-k take_writes_nothing", "PYTEST_PLUGINS": "softener"}, ""


CHEATS = (conftest_cheat, plugin_cheat, environment_cheat)


@pytest.mark.slow
@pytest.mark.parametrize("cheat", CHEATS)
def test_cheats_work_where_nothing_stops_them(toy, author, cheat):
    """Otherwise the next test would prove nothing."""
    folder, site = author
    environment, entry_points = cheat(folder, site)
    done = daily({**toy.install(site, entry_points), **environment}, folder)
    assert re.search(r"^[1-9] passed", done.stdout, re.MULTILINE), (
        "of hundreds a cheat leaves a handful\n" + done.stdout
    )


@pytest.mark.slow
def test_all_cheats_together_change_nothing_behind_the_certifying_door(toy, author):
    folder, site = author
    toy.edit("map.toml", 'stop = [{ rung = "hold", steps = [{ write = "mode", value = "hold" }', STOP_THAT_RELEASES)
    prepared = [cheat(folder, site) for cheat in CHEATS]
    (folder / "pytest.ini").write_text("[pytest]\naddopts = -k take_writes_nothing\n")
    environment = toy.install(site, "".join(entry_points for _, entry_points in prepared))
    for more, _ in prepared:
        environment.update(more)
    done = contract(environment, folder, "--driver", "toy", "--report", "report.json")
    report = json.loads((folder / "report.json").read_text())
    assert done.returncode == 1
    assert not report["passed"]
    assert report["missing"] == []
    assert report["outcomes"]["stop_works_at_full_power"] == "failed"
    assert report["outcomes"]["battery_moves_the_right_way"] == "passed"


STOP_THAT_RELEASES = 'stop = [{ rung = "hold", steps = [{ write = "mode", value = "own" }'


def test_a_driver_that_is_not_installed_is_named(tmp_path):
    done = contract(None, tmp_path, "--driver", "nobody")
    assert done.returncode == 2
    assert "driver 'nobody' is not installed" in done.stderr
