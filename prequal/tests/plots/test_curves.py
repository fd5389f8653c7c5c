"""The curves that matter carry the evaluation's own numbers, and no plot leaves a trace behind."""

import sys
from dataclasses import replace
from datetime import UTC, datetime

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from samspel_prequal import rules
from samspel_prequal.evaluate import (
    MEASURED_RULES,
    EvaluationOptions,
    Interpolation,
    evaluate,
    nyquist_curve,
    stability_radius,
)
from samspel_prequal.evaluate.frequency_response import grid_response
from samspel_prequal.evaluate.performance import performance
from samspel_prequal.logs import TestLabel
from samspel_prequal.plant import PlantSettings, ToyPlant
from samspel_prequal.player import Site, record
from samspel_prequal.plots import (
    Picture,
    Sine,
    activation_plot,
    bode_plot,
    deactivation_plot,
    energy_plot,
    nyquist_plot,
    ramps_plot,
    sensitivity_plot,
    sines_plot,
    staircase_plot,
    static_plot,
    steps_plot,
)
from samspel_prequal.plots.bode import forbidden
from samspel_prequal.plots.style import thinned
from samspel_prequal.product import FCR_PRODUCTS, Product, TestType
from samspel_prequal.signals import linearity, static_ramp

from .conftest import CAPACITY_W, Judged

START = datetime(2026, 1, 5, tzinfo=UTC)
LINEARITY = TestLabel(TestType.LINEARITY)


def curve(figure: Figure, name: str) -> tuple[np.ndarray, np.ndarray]:
    lines = [line for axes in figure.axes for line in axes.lines if line.get_gid() == name]
    assert lines, f"no curve {name}"
    return np.asarray(lines[0].get_xdata(), dtype=float), np.asarray(lines[0].get_ydata(), dtype=float)


def point(figure: Figure, name: str) -> tuple[float, float]:
    x, y = curve(figure, name)
    assert len(x) == 1
    return float(x[0]), float(y[0])


def texts(figure: Figure) -> str:
    return "\n".join(text.get_text() for axes in figure.axes for text in axes.texts)


def labelled(axes: Axes) -> bool:
    return bool(axes.get_ylabel()) or bool(axes.get_title())


def nyquist(judged: Judged) -> Picture:
    verdict = judged.verdict
    return nyquist_plot(verdict.response, verdict.product, verdict.stability, radius=stability_radius(), t_fme_s=1.0)


def test_nyquist_draws_every_rule_and_marks_the_point_that_decides(slow_n: Judged) -> None:
    verdict, figure = slow_n.verdict, nyquist(slow_n).figure()
    grid = rules.GRID_STABILITY[Product.FCR_N]
    for rule in (*MEASURED_RULES, Interpolation.MODEL):
        x, y = curve(figure, rule.value)
        expected = nyquist_curve(rule, verdict.response, grid, t_fme_s=1.0).loop
        assert x + 1j * y == pytest.approx(expected)
    strictest = verdict.stability[Interpolation.STRICTEST]
    assert point(figure, "deciding") == pytest.approx((strictest.nearest.real, strictest.nearest.imag))
    x, y = curve(figure, "measured")
    assert x + 1j * y == pytest.approx(verdict.response.response * grid_response(grid, verdict.response.omega))
    circle = next(patch for patch in figure.axes[0].patches if patch.get_gid() == "accepted")
    assert (circle.center, circle.radius) == ((-1, 0), pytest.approx(0.4085))
    assert "encircled" in texts(figure)
    assert f"{strictest.distance:.3f}" in texts(figure)


def test_sensitivity_is_r9_times_its_limit(slow_up: Judged) -> None:
    measured = slow_up.verdict.response
    figure = sensitivity_plot(measured, Product.FCR_D_UP).figure()
    limit = np.abs(1 + 70j * measured.omega)
    x, y = curve(figure, "sensitivity")
    assert x == pytest.approx(measured.period_s)
    assert y / limit == pytest.approx(performance(measured, rules.GRID_PERFORMANCE[Product.FCR_D_UP]))
    worst = np.argmax(y / limit)
    assert point(figure, "deciding") == pytest.approx((x[worst], y[worst]))


def test_bode_shows_gain_and_phase(slow_up: Judged) -> None:
    figure = bode_plot(slow_up.verdict.sine, Product.FCR_D_UP, radius=stability_radius()).figure()
    _, gain = curve(figure, "gain")
    _, phase = curve(figure, "phase")
    assert gain * np.exp(1j * np.radians(phase)) == pytest.approx(slow_up.verdict.response.response)


def test_a_wrong_sign_is_inside_the_picture(slow_up: Judged) -> None:
    turned = [replace(one, response=-one.response) for one in slow_up.verdict.sine]
    figure = bode_plot(turned, Product.FCR_D_UP, radius=stability_radius()).figure()
    low, high = figure.axes[1].get_ylim()
    _, phase = curve(figure, "phase")
    assert np.max(phase) > 90
    assert np.all((low < phase) & (phase < high))


def test_what_is_forbidden_is_what_the_evaluation_forbids(slow_up: Judged) -> None:
    measured = slow_up.verdict.response
    near, weak = forbidden(measured.response, measured.omega, Product.FCR_D_UP, 0.4085)
    loop = measured.response * grid_response(rules.GRID_STABILITY[Product.FCR_D_UP], measured.omega)
    assert near.tolist() == (np.abs(1 + loop) < 0.4085).tolist()
    assert np.any(near)
    assert weak.tolist() == (performance(measured, rules.GRID_PERFORMANCE[Product.FCR_D_UP]) >= 1).tolist()


def test_steps_show_the_averages_in_their_windows(slow_n: Judged) -> None:
    one = slow_n.evidence(TestType.STEP)
    figures = one.figures
    figure = steps_plot(one.trace, figures, one.due_w, slow_n.verdict.options.window).figure()
    rest_w = (figures.p0_w + figures.p3_w) / 2
    x, y = curve(figure, "P1")
    assert y == pytest.approx([(figures.p1_w - rest_w) / CAPACITY_W] * 2)
    assert x == pytest.approx([figures.moves[1].start_s - 60, figures.moves[1].start_s])
    time_s, share = curve(figure, "power")
    inside = (time_s > x[0]) & (time_s < x[1])
    assert np.mean(share[inside]) == pytest.approx(y[0], abs=0.01)


def test_ramps_show_the_deciding_points(slow_up: Judged) -> None:
    one = slow_up.evidence(TestType.RAMP)
    figures = one.figures
    figure = activation_plot(one.trace, figures, one.due_w).figure()
    assert point(figure, "reached") == pytest.approx((7.5, figures.activation.power_w / CAPACITY_W))
    assert curve(figure, "due")[1] == pytest.approx([0.86, 0.86])
    assert f"{figures.activation.power_w / CAPACITY_W:.3f} < 0.86" in texts(figure)
    assert f"{figures.activation.energy_ws / CAPACITY_W:.2f} s < 3.2 s" in texts(figure)
    whole = ramps_plot(one.trace, figures, one.due_w, slow_up.verdict.options.window, Product.FCR_D_UP).figure()
    assert curve(whole, "P3")[1] == pytest.approx([figures.steady_w / CAPACITY_W] * 2)


def test_the_running_sum_of_r4_ends_where_the_evaluation_does(slow_up: Judged) -> None:
    one = slow_up.evidence(TestType.RAMP)
    figure = deactivation_plot(one.trace, one.figures, one.due_w).figure()
    _, excess = curve(figure, "excess")
    assert np.max(excess) == pytest.approx(one.figures.excess_ws / CAPACITY_W, rel=1e-3)
    _, sampled = curve(figure, "sampled")
    assert sampled == pytest.approx([one.figures.sampled_w / CAPACITY_W])


def test_a_downward_trace_is_drawn_with_its_real_frequency(limited_down: Judged) -> None:
    one = limited_down.evidence(TestType.RAMP)
    window = limited_down.verdict.options.window
    figure = ramps_plot(one.trace, one.figures, one.due_w, window, Product.FCR_D_DOWN).figure()
    _, hz = curve(figure, "frequency")
    assert (np.min(hz), np.max(hz)) == pytest.approx((50.0, 51.0), abs=1e-6)


def test_residuals_are_power_less_fit(slow_n: Judged) -> None:
    sines = [Sine(one.trace, one.figures) for one in slow_n.verdict.evidence if one.log.label.period_s]
    figure = sines_plot(sines, CAPACITY_W, Product.FCR_N).figure()
    assert len([axes for axes in figure.axes if axes.lines]) == 10
    cell = figure.axes[0]
    data = {line.get_gid(): np.asarray(line.get_ydata()) for line in cell.lines}
    assert data["power"] - data["fit"] == pytest.approx(data["residual"])
    assert f"|F| {slow_n.verdict.sine[0].gain:.3f}" in cell.get_title(loc="left")


def test_energy_shows_log_and_plan(limited_down: Judged) -> None:
    one = limited_down.evidence(TestType.ENERGY)
    hz = one.log.frequency_hz[::10][: len(one.figures.second)]
    figure = energy_plot(one.figures, hz, Product.FCR_D_DOWN, 0.5).figure()
    for name, values in (
        ("power", one.figures.power),
        ("due", one.figures.plan.power),
        ("nem_level", one.figures.plan.nem_level),
        ("soc", 100 * one.figures.soc),
        ("frequency", hz),
    ):
        _, drawn = curve(figure, name)
        assert (np.min(drawn), np.max(drawn)) == pytest.approx((np.min(values), np.max(values)))
    assert all(labelled(axes) for axes in figure.axes)


@pytest.mark.parametrize("product", FCR_PRODUCTS)
def test_the_staircase_marks_the_level_with_least_room(product: Product) -> None:
    plant = PlantSettings(product, CAPACITY_W, lag_s=0.2, gain=1.04, steps=8, store_h=float("inf"))
    log = record(ToyPlant(plant).play(linearity(product), 10.0), product, LINEARITY, START, Site())
    (one,) = evaluate([log], product, CAPACITY_W, EvaluationOptions(non_continuous=True)).evidence
    figure = staircase_plot(one.figures, product).figure()
    hz, lowest = curve(figure, "lowest")
    assert lowest == pytest.approx([level.lowest for level in one.figures])
    assert set(np.round(hz, 3)) <= set(np.round(log.frequency_hz, 3))
    tightest = min(one.figures, key=lambda level: level.room)
    assert point(figure, "deciding")[1] == pytest.approx((tightest.lowest + tightest.highest) / 2)


def test_the_static_ramp_shows_its_points() -> None:
    plant = PlantSettings(Product.FCR_D_DOWN, CAPACITY_W, lag_s=0.5, store_h=float("inf"))
    label = TestLabel(TestType.STATIC_RAMP)
    signal = static_ramp(Product.FCR_D_DOWN)
    log = record(ToyPlant(plant).play(signal, 10.0), Product.FCR_D_DOWN, label, START, Site())
    (one,) = evaluate([log], Product.FCR_D_DOWN, CAPACITY_W).evidence
    figure = static_plot(one.trace, one.figures, one.due_w, Product.FCR_D_DOWN).figure()
    assert point(figure, "R2")[1] == pytest.approx(one.figures.activation.power_w / CAPACITY_W)
    assert point(figure, "R5b") == pytest.approx((182.5, one.figures.early_w / CAPACITY_W), abs=0.05)
    assert np.max(curve(figure, "frequency")[1]) == pytest.approx(50.5)


def test_thinning_keeps_every_peak() -> None:
    time_s = np.arange(100_000.0)
    values = np.zeros_like(time_s)
    values[77_777], values[12_345] = 5.0, -3.0
    few_s, few = thinned(time_s, values)
    assert len(few) < 4000
    assert (np.max(few), np.min(few)) == (5.0, -3.0)
    assert (few_s[np.argmax(few)], few_s[0], few_s[-1]) == (77_777, 0, 99_999)
    assert np.all(np.diff(few_s) > 0)


def test_a_picture_is_the_same_each_time_and_touches_no_global_state(slow_up: Judged) -> None:
    before = dict(mpl.rcParams)
    pyplot_before = "matplotlib.pyplot" in sys.modules
    picture = sensitivity_plot(slow_up.verdict.response, Product.FCR_D_UP)
    first = picture.png(60)
    assert first == picture.png(60)
    assert first.startswith(b"\x89PNG")
    assert dict(mpl.rcParams) == before
    assert ("matplotlib.pyplot" in sys.modules) is pyplot_before
