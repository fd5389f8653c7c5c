"""A run passes only when every promise has a good outcome."""

from __future__ import annotations

import pytest
from samspel_contract.catalogue import catalogue
from samspel_contract.html import html_of
from samspel_contract.isolated import Run
from samspel_contract.report import make_report, text_of
from samspel_contract.target import loose

ALL = dict.fromkeys(catalogue(), "passed")
TWIN = "samspel_contract.toys.good.twin:twin"


def report(toy, outcomes, exit_code=0):
    return make_report(loose(toy.folder / "driver.toml", TWIN), Run(exit_code, "", outcomes), catalogue())


def test_everything_passed(toy):
    assert report(toy, ALL).passed


def test_a_missing_test_fails_the_run(toy):
    found = report(toy, {name: outcome for name, outcome in ALL.items() if name != "take_writes_nothing"})
    assert found.missing == ["take_writes_nothing"]
    assert not found.passed
    assert "take_writes_nothing" in text_of(found, catalogue())
    assert "FAILED" in text_of(found, catalogue())


@pytest.mark.parametrize("outcome", ["failed", "error", "skipped"])
def test_one_bad_case_makes_the_test_bad(toy, outcome):
    found = report(toy, {**ALL, "reversal_arrives[charge]": "passed", "reversal_arrives[discharge]": outcome})
    assert found.outcomes["reversal_arrives"] == outcome
    assert not found.passed


@pytest.mark.parametrize("outcome", ["unsupported", "not_implemented", "expected_failure", "preview_failed"])
def test_what_is_declared_does_not_fail_the_run(toy, outcome):
    assert report(toy, {**ALL, "reversal_arrives": outcome}).passed


def test_a_crashed_pytest_fails_the_run_whatever_it_wrote(toy):
    assert not report(toy, ALL, exit_code=3).passed


def test_the_page_says_everything_that_the_report_says(toy):
    found = report(toy, ALL)
    page = html_of(found, catalogue())
    assert all(f"<code>{name}</code>" in page for name in catalogue())
    assert "not passed" not in page
    assert found.evidence in page
    assert found.maps["map.toml"][:16] in page
    assert "the toy has one phase" in page
    assert all(variant in page for variant in found.variants)


def test_the_page_gives_advice_where_something_does_not_hold(toy):
    found = report(toy, {**ALL, "reversal_arrives[charge]": "passed", "reversal_arrives[discharge]": "failed"}, 1)
    page = html_of(found, catalogue())
    assert "not passed" in page
    assert "What does not hold" in page
    assert "2 cases, 1 failed" in page
    assert page.count("If this fails:") == 1


def test_nothing_of_an_author_becomes_markup(toy):
    toy.edit("contract.toml", "the toy has one phase", "<script>alert(1)</script> & more")
    page = html_of(report(toy, ALL), catalogue())
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more" in page
