"""From logs to the verdict, as JSON and on the command line."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from samspel_prequal import rules
from samspel_prequal.cli import main
from samspel_prequal.errors import EvaluationError
from samspel_prequal.evaluate import EvaluationOptions, Interpolation, Outcome, Verdict, evaluate
from samspel_prequal.logs import Log, TestLabel, write_log
from samspel_prequal.product import FCR_PRODUCTS, Product, TestType
from samspel_prequal.signals import mirrored_hz, ramp, sines, step

from .entities import CAPACITY_W, answered, droop_share, lagged_sine

OPTIONS = EvaluationOptions(
    t_fme_s=0.0, power_accuracy=0.01, frequency_accuracy_hz=0.005, clock_synchronised=True, energy_wh=3e5
)


@cache
def programme(product: Product, lag_s: float, dead_s: float, gain: float = 1.0) -> tuple[Log, ...]:
    """Every test of an entity with unlimited energy: exact answers, no plant in between."""
    full_w = gain * CAPACITY_W
    if product is Product.FCR_N:
        label = TestLabel(TestType.STEP, endurance=True)
        time_s, hz, share = answered(
            step(endurance=True), lambda f: np.clip((50 - f) / 0.1, -1, 1), lag_s=lag_s, dead_time_s=dead_s, rate_hz=5.0
        )
    else:
        label = TestLabel(TestType.RAMP, endurance=True)
        time_s, hz, share = answered(
            ramp(Product.FCR_D_UP, endurance=True), droop_share, lag_s=lag_s, dead_time_s=dead_s
        )
    if product is Product.FCR_D_DOWN:
        hz, share = 100 - hz, -share
    logs = [Log.of(product, label, time_s, hz, full_w * share)]
    for signal in sines(product):
        at_s = np.arange(round(signal.duration_s * 10)) / 10
        swing_w = full_w * signal.amplitude / rules.BANDS[product].span_hz
        power_w = -swing_w * lagged_sine(at_s, signal.period_s, lag_s, dead_s)
        logs.append(Log.of(product, TestLabel(TestType.SINE, signal.period_s), at_s, signal.at(at_s), power_w))
    hour_s = np.arange(0, 3600, 1.0)
    grid_hz = 50 + 0.03 * np.sin(hour_s / 40)
    logs.append(Log.of(product, TestLabel(TestType.OPERATION), hour_s, grid_hz, 0 * hour_s, applied=False))
    return tuple(logs)


def judged(product: Product, lag_s: float, dead_s: float, gain: float = 1.0, **choices: object) -> Verdict:
    options = replace(OPTIONS, **choices)  # type: ignore[arg-type]
    return evaluate(programme(product, lag_s, dead_s, gain), product, CAPACITY_W, options)


@pytest.mark.parametrize("product", FCR_PRODUCTS)
def test_a_fast_entity_passes_everything_that_is_due(product: Product) -> None:
    found = judged(product, 0.4, 0.1)
    assert (found.verdict, found.missing, found.k.combined) == (Outcome.PASS, (), 1.0)
    assert all(one.passed for one in found.requirements.values())
    assert found.capacity_remaining_w == CAPACITY_W
    assert found.complete


@pytest.mark.parametrize("product", [Product.FCR_D_UP, Product.FCR_D_DOWN])
def test_a_slow_one_fails_for_the_stated_reasons(product: Product) -> None:
    found = judged(product, 4.0, 2.0)
    failed = {name for name, one in found.requirements.items() if one.passed is False}
    assert {"R2", "R3", "R8"} <= failed
    assert (found.verdict, found.capacity_remaining_w) == (Outcome.FAIL, 0.0)
    for name in ("R2", "R3", "R8"):
        delay_s = found.margins[name].delay_s
        assert delay_s is not None
        assert delay_s < 0
    assert "-1" in found.requirements["R8"].text


def test_up_and_down_are_mirror_images() -> None:
    up, down = (judged(product, 1.0, 0.3).as_json() for product in (Product.FCR_D_UP, Product.FCR_D_DOWN))
    for name, one in up["requirements"].items():
        if one["value"] is not None:
            assert down["requirements"][name]["value"] == pytest.approx(one["value"], rel=1e-9, abs=1e-9), name
    assert [p["gain"] for p in up["sine"]] == pytest.approx([p["gain"] for p in down["sine"]])
    assert mirrored_hz(49.5, Product.FCR_D_DOWN) == 50.5


@pytest.mark.parametrize("product", FCR_PRODUCTS)
def test_the_wrong_polarity_fails(product: Product) -> None:
    found = judged(product, 0.4, 0.1, gain=-1.0)
    assert found.verdict is Outcome.FAIL
    assert found.requirements["R8"].passed is False
    assert found.requirements["R1"].passed is False
    assert found.requirements["R8"].value is not None
    assert found.requirements["R8"].value < 0


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("lag_s", [0.5, 1.8])
def test_r8_and_r9_agree_with_closed_forms(number: int, lag_s: float) -> None:
    """Chords by brute force on the exact F, R9 by its formula."""
    product = FCR_PRODUCTS[number]
    found = judged(product, lag_s, 0.4, interpolation=Interpolation.CHORD_TO_ORIGIN)
    period_s = np.array([row.period_s for row in rules.sine_periods(product)])
    s = 2j * np.pi / period_s
    f = np.exp(-0.4 * s) / (1 + lag_s * s)
    share, hz = (600, 0.1) if product is Product.FCR_N else (1450, 0.4)
    loop = f * share / hz * 50 / 23_000 / (2 * 120 / 23 * s + 0.5)
    dense = np.interp(np.linspace(0, len(loop), 200_001), np.arange(len(loop) + 1), np.append(loop[::-1], 0))
    assert found.requirements["R8"].value == pytest.approx(np.min(np.abs(dense + 1)), rel=1e-3)
    g = share / hz * 50 / 42_000 / (2 * 190 / 42 * s + 0.5)
    ratio = 0.95 * np.max(np.abs(g / (1 + f * g) / (70 * s + 1)))
    assert found.requirements["R9"].value == pytest.approx(ratio, rel=1e-3)


def test_the_verdict_under_every_rule_is_shown_and_the_model_only_warns() -> None:
    found = judged(Product.FCR_N, 1.0, 0.4)
    under = found.requirements["R8"].details["under"]
    assert isinstance(under, dict)
    assert set(under) == {rule.value for rule in Interpolation}
    values = {rule: one["value"] for rule, one in under.items()}
    assert values["strictest"] == min(value for rule, value in values.items() if rule != "model")
    assert values["model"] < 0.4085 < values["strictest"]
    assert found.requirements["R8"].passed
    assert any("fails under model" in text for text in found.warnings)


def test_a_weak_entity_passes_with_less() -> None:
    found = judged(Product.FCR_N, 0.4, 0.1, gain=0.9)
    assert found.requirements["R1"].passed is False
    assert found.verdict is Outcome.PASS_REDUCED
    assert found.capacity_remaining_w == pytest.approx(0.9 / 0.95 * CAPACITY_W, rel=1e-6)
    weaker = judged(Product.FCR_N, 0.4, 0.1, gain=0.8)
    assert (weaker.verdict, weaker.requirements["K"].passed) == (Outcome.FAIL, False)
    found = judged(Product.FCR_D_UP, 0.4, 0.1, gain=0.8)
    assert found.verdict is Outcome.PASS_REDUCED


def test_margins_are_where_the_requirement_turns() -> None:
    found = judged(Product.FCR_D_UP, 0.5, 0.1)
    for name in ("R2", "R3", "R8"):
        delay_s = found.margins[name].delay_s
        assert delay_s is not None
        before, after = (judged(Product.FCR_D_UP, 0.5, 0.1 + delay_s + d) for d in (-0.02, 0.02))
        assert (before.requirements[name].passed, after.requirements[name].passed) == (True, False), name
    low = found.margins["R3"].gain_low
    assert low is not None
    value = found.requirements["R3"].value
    assert value is not None
    assert low * value == pytest.approx(3.2)


def test_the_exemption_is_for_fcr_n_only() -> None:
    limits = [judged(product, 0.4, 0.1, r8_exempted=True).requirements["R8"].limit for product in FCR_PRODUCTS]
    assert limits == pytest.approx([0.3225, 0.4085, 0.4085])


def test_what_no_log_shows_is_missing_and_not_failed() -> None:
    logs = [log for log in programme(Product.FCR_N, 0.4, 0.1) if log.label.test_type is TestType.SINE][2:]
    found = evaluate(logs, Product.FCR_N, CAPACITY_W)
    assert found.verdict is Outcome.PASS
    assert {"R1", "R12", "1h", "M-clock", "sine 10 s", "sine 15 s"} <= set(found.missing)
    assert evaluate([], Product.FCR_N, CAPACITY_W).verdict is Outcome.INCOMPLETE


def test_two_logs_of_one_requirement_the_worse_decides() -> None:
    good, bad = programme(Product.FCR_N, 0.4, 0.1)[0], programme(Product.FCR_N, 0.4, 0.1, gain=0.93)[0]
    found = evaluate([good, bad, good], Product.FCR_N, CAPACITY_W, OPTIONS)
    assert found.requirements["R1"].value == pytest.approx(-0.07, abs=1e-6)


def test_errors_name_the_log() -> None:
    logs = programme(Product.FCR_N, 0.4, 0.1)
    with pytest.raises(EvaluationError, match="expected a log of fcr-d-up, found one of fcr-n"):
        evaluate(logs, Product.FCR_D_UP, CAPACITY_W)
    with pytest.raises(EvaluationError, match=r"StepEndurance \(fcr-n\): .* is this the sequence"):
        evaluate([replace(logs[1], label=logs[0].label)], Product.FCR_N, CAPACITY_W)
    with pytest.raises(EvaluationError, match="capacity above 0"):
        evaluate(logs, Product.FCR_N, 0.0)


def test_json_has_the_promised_keys() -> None:
    told = json.loads(json.dumps(judged(Product.FCR_N, 0.4, 0.1).as_json(), allow_nan=False))
    assert {"value", "limit", "margin", "passed", "rule"} <= told["requirements"]["R1"].keys()
    assert [one["period_s"] for one in told["sine"]] == [10, 15, 25, 40, 50, 60, 70, 90, 150, 300]
    assert {"period_s", "gain", "phase_deg", "residual", "gain_ci", "phase_ci"} <= told["sine"][0].keys()
    assert told["verdict"] == "pass"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for log in programme(Product.FCR_D_UP, 0.5, 0.1):
        write_log(log, tmp_path)
    return tmp_path


def test_the_command_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = ["evaluate", str(folder), "--product", "fcr-d-up", "--capacity-w", "100000"]
    assert main([*base, "--t-fme", "0", "--interpolation", "chords", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["verdict"], told["requirements"]["R8"]["rule"]) == ("pass", "chords")
    files = sorted(str(path) for path in folder.glob("*.csv"))
    assert main(["evaluate", *files, *base[2:]]) == 0
    shown = capsys.readouterr().out
    assert "s of delay left before it fails" in shown
    assert main([*base, "--t-fme", "4"]) == 1
    assert "FAIL" in capsys.readouterr().out
    assert main([*base, "--interpolation", "guess"]) == 2
    assert main(["evaluate", str(folder), "--product", "fcr-n", "--capacity-w", "1"]) == 1
    assert "no log of fcr-n" in capsys.readouterr().err


def test_an_entity_that_does_nothing_fails_in_words_and_in_json() -> None:
    found = judged(Product.FCR_D_UP, 0.4, 0.1, gain=0.0)
    failed = {name for name, one in found.requirements.items() if one.passed is False}
    assert {"R1", "R2", "R3", "R10", "R12", "K"} <= failed
    assert found.verdict is Outcome.FAIL
    assert json.loads(json.dumps(found.as_json(), allow_nan=False))["k"]["dynamic"] == 0.0
