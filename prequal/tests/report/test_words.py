"""Numbers, limits, advice and assumptions in words."""

from dataclasses import replace

import pytest
from samspel_prequal.evaluate import Margins, Outcome, Verdict
from samspel_prequal.evaluate.requirement import Requirement, at_least, at_most, within
from samspel_prequal.evaluate.table import ORDER
from samspel_prequal.product import Product
from samspel_prequal.report.advice import advice, failed, is_reduced, room
from samspel_prequal.report.assumptions import Ground, assumptions
from samspel_prequal.report.content import section
from samspel_prequal.report.words import TITLES, limit_text, margin_text, power_text, title, value_text

from .conftest import judged


def test_every_line_of_the_table_has_words() -> None:
    assert set(TITLES) == set(ORDER)
    assert title("new") == "new"


@pytest.mark.parametrize(
    ("name", "requirement", "expected"),
    [
        ("R1", within(0.031, -0.05, 0.20, "", ""), ("+3.10 %", "-5 % to +20 %", "+8.10 %")),
        ("R2", at_least(0.816, 0.86, "", ""), ("0.816 of ΔPt", "≥ 0.86 of ΔPt", "-0.044 of ΔPt")),
        ("R4", at_most(1.97, 2.5, "", ""), ("1.97 s of ΔPt", "≤ 2.5 s of ΔPt", "+0.53 s of ΔPt")),
        ("R8", at_least(-0.6233, 0.4085, "", ""), ("-0.6233", "≥ 0.4085", "-1.0318")),
        ("R9", at_most(0.5, 1.0, "", ""), ("0.5000", "< 1", "+0.5000")),
        ("R12", at_most(0.0, 0.0, "", "").explained(nem_wrong_s=0.0), ("0 s wrong", "≤ 0 s wrong", "+0 s wrong")),
        ("R12", at_least(0.999, 0.95, "", ""), ("0.999 of ΔPt", "≥ 0.95 of ΔPt", "+0.049 of ΔPt")),
        ("M-rate", at_least(5.0, 5.0, "", ""), ("5.00 Hz", "≥ 5 Hz", "+0.00 Hz")),
        ("M-power-accuracy", Requirement(None, 0.05, None, None, "", ""), ("-", "≤ 5 %", "-")),
        ("M-clock", Requirement(None, None, None, None, "", ""), ("-", "-", "-")),
        ("M-power-resolution", at_most(1.0, 10_000.0, "", ""), ("1.000 W", "≤ 10000 W", "+9999.000 W")),
    ],
)
def test_value_limit_and_margin(name: str, requirement: Requirement, expected: tuple[str, str, str]) -> None:
    found = value_text(name, requirement), limit_text(name, requirement), margin_text(name, requirement)
    assert found == expected


def test_powers_come_in_units_of_their_size() -> None:
    assert [power_text(w) for w in (0.0, 950.0, 80_000.0, 67_686.0, 1.5e6)] == [
        "0 W", "950 W", "80 kW", "67.69 kW", "1.5 MW",
    ]  # fmt: skip


def test_room_says_seconds_and_factors() -> None:
    assert room("R8", Margins(0.314, None, None)) == "0.31 s of delay left before R8 fails"
    assert room("R8", Margins(-2.13, 0.22, None)) == "2.13 s too late for R8"
    assert room("R9", Margins(None, 0.47, 3.0)) == "gain may fall to 0.47 of what it is; gain may rise to 3.00 times"
    assert room("R1", None) == ""


def test_advice_names_every_failure_with_its_seconds(slow: Verdict) -> None:
    lines = advice(slow)
    assert failed(slow) == ["R2", "R3", "R8"]
    for name in failed(slow):
        delay_s = slow.margins[name].delay_s
        assert delay_s is not None
        assert any(line.startswith(f"{name}: answer {-delay_s:.2f} s sooner") for line in lines)
    assert any("dead time of 1.50 s and a lag of 3.00 s" in line for line in lines)
    assert any("smaller capacity alone does not help" in line for line in lines)
    assert lines[-1].startswith("Still to be shown or declared: M-frequency-accuracy")


def test_what_a_smaller_capacity_mends_is_no_failure() -> None:
    weak = judged(Product.FCR_D_UP, 0.3, 0.25, gain=0.9)
    assert weak.verdict is Outcome.PASS_REDUCED
    assert is_reduced("R1", weak.requirements["R1"], weak)
    shown = section(weak, ())
    assert {row.name: row.state for row in shown.rows}["R1"] == "reduced"
    assert shown.headline.startswith("fails nothing so far with 75.7")
    assert any(
        "Or prequalify 75.7" in line and "of what is due: multiply it by" in "".join(shown.advice)
        for line in shown.advice
    )


def test_a_passing_verdict_needs_no_advice_but_what_is_still_to_be_shown(fast: Verdict) -> None:
    assert [line.split(":")[0] for line in advice(fast)] == ["Still to be shown or declared"]
    assert advice(replace(fast, missing=())) == []


def test_assumptions_follow_the_options(fast: Verdict, slow: Verdict) -> None:
    found = {one.about: one for one in assumptions(fast)}
    assert found["Frequency meter T_FME"].taken == "1 s"
    assert found["Frequency meter T_FME"].ground is Ground.DEFAULT
    assert found["Nyquist curve between and beyond the tested periods (R8)"].taken == "strictest"
    assert found["Power accuracy"].taken == "1 %"
    assert found["Clock"].taken == "not declared"
    assert "Sampling instant of R4" not in found
    assert "Sampling instant of R4" in {one.about for one in assumptions(slow)}
    given = replace(fast, options=replace(fast.options, t_fme_s=0.2))
    assert {one.about: one for one in assumptions(given)}["Frequency meter T_FME"].ground is Ground.DECLARED
