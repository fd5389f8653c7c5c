"""The demonstration, reduced: what must fail fails, and the exit code says whether it did."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from samspel_prequal.cli import main
from samspel_prequal.product import FCR_PRODUCTS, Product
from samspel_prequal.report import demo
from samspel_prequal.report.demo import CASES, DemoCase, run_demo, steps_of

from .conftest import CREATED


def case(plant: str, product: Product) -> DemoCase:
    found = next(one for one in CASES if (one.plant, one.product) == (plant, product))
    return replace(found, settings=replace(found.settings, store_h=float("inf")))


def test_the_demonstration_shows_all_of_fcr() -> None:
    assert [one.product for one in CASES if one.plant == "fast"] == list(FCR_PRODUCTS)
    assert all(one.settings.limited for one in CASES if one.plant == "fast")
    slow = {one.product: one.fails for one in CASES if one.plant == "slow"}
    assert slow == {Product.FCR_N: {"R8"}, Product.FCR_D_UP: {"R2", "R3", "R8"}}


def test_two_plants_from_signal_to_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = (case("fast", Product.FCR_N), case("slow", Product.FCR_D_UP))
    monkeypatch.setattr(demo, "CASES", cases)
    assert main(["demo", "-o", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    for needed in ("R2: 0.8", "R3: 2.7", "R8: -0.2", "delay left"):
        assert needed in said
    for plant, result in (("fast", "passes with 100 kW"), ("slow", "fails with 100 kW: R2, R3, R8")):
        assert result in (tmp_path / "out" / f"{plant}.html").read_text(encoding="utf-8")
    assert len(list((tmp_path / "out" / "fast-fcr-n").glob("*.csv"))) == 12


def test_another_outcome_than_the_expected_one_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "html_page", lambda report, on_picture: "")  # drawing is tested above
    wrong = replace(case("slow", Product.FCR_N), fails=frozenset({"R9"}))
    monkeypatch.setattr(demo, "CASES", (wrong,))
    assert main(["demo", "-o", str(tmp_path), "--json"]) == 1
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["as_expected"], row["fails"]) == (False, ["R8"])


@pytest.mark.parametrize("limited", [False, True])
def test_the_bar_reaches_its_end(limited: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = case("fast", Product.FCR_D_UP)
    if limited:
        one = replace(one, settings=replace(one.settings, store_h=None))
    pictures: list[int] = []

    def counted(report: object, on_picture: object) -> str:
        pictures.append(sum(len(part.plates) for part in report.sections))  # type: ignore[attr-defined]
        return ""

    monkeypatch.setattr(demo, "html_page", counted)
    steps: list[str] = []
    run_demo(tmp_path, CREATED, cases=[one], on_step=steps.append)
    assert len(steps) + pictures[0] == steps_of(one)
