"""Design and evaluation say the same, of one home and over a whole region."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samspel_prequal import rules
from samspel_prequal.design import Loop, Ticks, border_s, judge, region
from samspel_prequal.design.chart import design_chart
from samspel_prequal.design.judge import frequency_response, requirements
from samspel_prequal.design.region import margins_at, stability_field
from samspel_prequal.errors import DesignError
from samspel_prequal.evaluate.frequency_response import FrequencyResponse
from samspel_prequal.evaluate.interpolation import MEASURED_RULES, Interpolation
from samspel_prequal.evaluate.margins import turning_point
from samspel_prequal.evaluate.options import EvaluationOptions
from samspel_prequal.evaluate.pipeline import evaluate
from samspel_prequal.evaluate.stability import stability, stability_radius
from samspel_prequal.evaluate.verdict import Outcome
from samspel_prequal.plant import PlantSettings
from samspel_prequal.product import Product
from samspel_prequal.simulate import Programme, simulate

D, N = Product.FCR_D_UP, Product.FCR_N


@pytest.mark.parametrize(("product", "delay_s", "lag_s"), [(D, 0.3, 0.4), (N, 0.2, 0.3), (D, 2.0, 1.5)])
def test_design_and_evaluation_of_a_simulated_programme_agree(product: Product, delay_s: float, lag_s: float) -> None:
    settings_ = PlantSettings(product, 1000.0, lag_s=lag_s, delay_s=delay_s, store_h=float("inf"))
    logs = list(simulate(Programme(product, limited=False), settings_, rate_hz=10.0))
    measured = evaluate(logs, product, 1000.0, EvaluationOptions(t_fme_s=1.0))
    designed = judge(Loop(delay_s, lag_s, meter_s=1.0), product)
    for name, one in designed.requirements.items():
        assert measured.requirements[name].value == pytest.approx(one.value, abs=5e-3), name
        assert measured.requirements[name].passed == one.passed, name
    left_s = measured.margins["R8"].delay_s
    if left_s < -delay_s:  # more than all of the dead time would have to go
        assert designed.delay_left_s["R8"] is None
    else:
        assert left_s == pytest.approx(designed.delay_left_s["R8"], abs=0.02)


@settings(deadline=None, max_examples=60)
@given(
    gain=st.floats(-2.0, 3.0).filter(lambda one: abs(one) > 0.05),
    dead_s=st.floats(0.0, 6.0),
    lag_s=st.floats(0.0, 10.0),
    rule=st.sampled_from(MEASURED_RULES),
    product=st.sampled_from([N, D]),
)
def test_the_field_is_the_evaluation_point_by_point(
    gain: float, dead_s: float, lag_s: float, rule: Interpolation, product: Product
) -> None:
    grid = rules.GRID_STABILITY[product]
    one = frequency_response(Loop(dead_s, lag_s, gain=gain), product)
    many = FrequencyResponse(one.period_s, np.array([[one.response, 0.9 * one.response]]))
    found = stability_field(many, grid, rule)
    assert found.shape == (1, 2)
    assert found[0, 0] == pytest.approx(stability(one, grid, rule).value, abs=1e-9)
    assert found[0, 1] == pytest.approx(stability(one.scaled(0.9), grid, rule).value, abs=1e-9)


@pytest.mark.parametrize("product", [N, D])
def test_the_margins_of_the_region_are_those_of_the_judge(product: Product) -> None:
    base = Loop(0.4, 9.0, meter_s=0.3, control_period_s=0.5, spread_s=0.2, gain=0.95, ticks=Ticks.MEAN, injected=False)
    found = region(product, base, np.array([0.3, 1.5]), np.array([0.0, 0.7, 4.0]))
    for row, lag_s in enumerate(found.lag_s):
        for column, dead_s in enumerate(found.dead_time_s):
            here = Loop(dead_s, lag_s, 0.0, 0.3, 0.5, 0.2, 0.95, False, Ticks.MEAN)
            judged = requirements(here, product, Interpolation.STRICTEST)
            r8 = min(field[row, column] for name, field in found.margins.items() if name.startswith("R8"))
            assert r8 == pytest.approx(judged["R8"].margin, abs=1e-9)
            for name in {"R2", "R3", "R9"} & judged.keys():
                assert found.margins[name][row, column] == pytest.approx(judged[name].margin, abs=2e-4), name


@pytest.mark.parametrize("rule", ["R8 chord-to-origin", "R8 chords", "R2", "R3"])
def test_the_border_is_where_a_root_search_on_the_evaluation_ends(rule: str) -> None:
    found = region(D, Loop(meter_s=0.5), np.linspace(0.0, 7.0, 15), np.array([0.2, 0.9]))
    border = border_s(found, rule)
    for lag_s, dead_s in zip(found.lag_s, border, strict=True):

        def passes(at_s: float, lag_s: float = float(lag_s)) -> bool:
            loop = Loop(at_s, lag_s, meter_s=0.5)
            if rule in {"R2", "R3"}:
                return requirements(loop, D, Interpolation.CHORDS)[rule].passed is True
            reading = Interpolation(rule.removeprefix("R8 "))
            return stability(frequency_response(loop, D), rules.GRID_STABILITY[D], reading).value >= stability_radius()

        assert dead_s == pytest.approx(turning_point(passes, 0.0, 7.0), abs=3e-3)


def test_where_nothing_and_where_everything_passes() -> None:
    found = region(D, Loop(), np.linspace(0.0, 0.5, 5), np.array([0.0, 6.0]))
    assert border_s(found, "R3")[0] == np.inf
    assert np.isnan(border_s(found, "R3")[1])


def test_what_a_millisecond_costs_is_the_slope_of_the_margin() -> None:
    verdict = judge(Loop(0.3, 0.4, control_period_s=0.2), D)
    at, later = (margins_at(D, Loop(0.3, 0.4, control_period_s=0.2), np.array(t), np.array(0.4)) for t in (0.3, 0.301))
    strictest = min(at, key=lambda name: (not name.startswith("R8"), at[name]))
    assert verdict.cost_per_ms["dead_time_s"]["R8"] == pytest.approx(float(at[strictest] - later[strictest]), rel=1e-3)
    assert verdict.cost_per_ms["dead_time_s"]["R3"] == pytest.approx(1e-3, rel=1e-2)
    assert verdict.cost_per_ms["meter_s"]["R3"] == 0.0


def test_a_slow_device_fails_for_the_stated_reasons_and_a_weak_one_is_reduced() -> None:
    assert set(judge(Loop(19.7), D).failed) == {"R2", "R3", "R8"}
    weak = judge(Loop(0.2, 0.3, gain=0.9), D)
    assert weak.outcome is Outcome.PASS_REDUCED
    assert weak.reduction.combined == pytest.approx(0.9 / 0.95)
    assert judge(Loop(3.0), D).delay_left_s["R8"] == pytest.approx(-3.0 + float(_longest_dead_time_s()), abs=0.01)
    with pytest.raises(DesignError, match="ffr"):
        judge(Loop(), Product.FFR)


def _longest_dead_time_s() -> float:
    found = region(D, Loop(), np.linspace(0.0, 3.0, 31), np.zeros(1))
    return min(float(border_s(found, name)[0]) for name in found.margins if name.startswith("R8"))


def test_the_chart_draws_every_rule_and_marks_the_home() -> None:
    figure = design_chart(Loop(0.2, 0.3), [D], mark="here").figure()
    (axes,) = figure.axes
    drawn = {line.get_gid() for line in axes.lines}
    assert {f"R8 {rule.value}" for rule in MEASURED_RULES} <= drawn
    told = [text.get_text() for one in [axes, *axes.child_axes] for text in one.texts]
    assert "here" in told
    assert any(f"{_longest_dead_time_s():.2f} s" in text for text in told)
