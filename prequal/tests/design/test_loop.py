"""Closed forms against brute force: the answer to ramp 5, F, spreads and fleets."""

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from samspel_prequal.design import Fleet, Loop, Ticks, read_fleet
from samspel_prequal.design.lags import lagged_power
from samspel_prequal.errors import DesignError
from samspel_prequal.evaluate.frequency_response import omega
from samspel_prequal.plant import PlantSettings, ToyPlant
from samspel_prequal.product import Product
from samspel_prequal.signals import ramp

TIMES = st.floats(0.0, 5.0)
PERIODS_S = np.array([300.0, 70.0, 25.0, 10.0])


@settings(deadline=None, max_examples=40)
@given(lag_s=st.floats(0.05, 5.0), meter_s=st.floats(0.05, 5.0), order=st.integers(0, 2))
def test_a_higher_order_is_the_integral_of_the_lower(lag_s: float, meter_s: float, order: int) -> None:
    time_s = np.linspace(0.0, 8.0, 4001)
    lower = lagged_power(time_s, order, lag_s, meter_s)
    summed = np.concatenate([[0.0], np.cumsum((lower[1:] + lower[:-1]) / 2) * (time_s[1] - time_s[0])])
    assert lagged_power(time_s, order + 1, lag_s, meter_s) == pytest.approx(summed, abs=1e-3)


def test_equal_lags_are_the_limit_of_unequal_ones() -> None:
    time_s = np.linspace(0.0, 8.0, 81)
    equal = lagged_power(time_s, 1, 0.7, 0.7)
    assert equal == pytest.approx(lagged_power(time_s, 1, 0.7 + 1e-7, 0.7), abs=1e-6)
    assert lagged_power(time_s, 0, 0.7, 0.7) == pytest.approx(1 - (1 + time_s / 0.7) * np.exp(-time_s / 0.7))


@pytest.mark.parametrize(("delay_s", "lag_s"), [(0.0, 0.0), (0.4, 0.5), (0.2, 3.0)])
def test_the_ramp_is_the_one_that_the_toy_plant_drives(delay_s: float, lag_s: float) -> None:
    signal = ramp(Product.FCR_D_UP)
    plant = PlantSettings(Product.FCR_D_UP, 1.0, lag_s=lag_s, delay_s=delay_s, store_h=float("inf"))
    (played,) = ToyPlant(plant).play(signal, 10.0)
    time_s = played.time_s - signal.segment("5").start_s
    near = (time_s >= 0) & (time_s < 20)
    share = Loop(dead_time_s=delay_s, lag_s=lag_s).ramp_share(time_s[near])
    assert share == pytest.approx(played.values["InsAcPow"][near], abs=2e-3)


@settings(deadline=None, max_examples=15, phases=[Phase.explicit, Phase.generate])
@given(dead_s=st.floats(0.5, 2.0), lag_s=TIMES, meter_s=TIMES, spread_s=st.floats(0.01, 0.5), period_s=TIMES)
def test_a_spread_is_the_mean_over_its_dead_times(
    dead_s: float, lag_s: float, meter_s: float, spread_s: float, period_s: float
) -> None:
    offsets_s = (np.arange(100) + 0.5) / 100 * 2 * spread_s - spread_s
    whole = Loop(dead_s, lag_s, meter_s=meter_s, control_period_s=period_s, spread_s=spread_s, ticks=Ticks.MEAN)
    singles = [Loop(dead_s + off, lag_s, 0.0, meter_s, period_s, ticks=Ticks.MEAN) for off in offsets_s]
    fleet = Fleet(singles, [1.0] * len(singles))
    assert whole.response(omega(PERIODS_S)) == pytest.approx(fleet.response(omega(PERIODS_S)), abs=1e-4)
    time_s = np.linspace(0.0, 12.0, 25)
    assert whole.ramp_share(time_s) == pytest.approx(fleet.ramp_share(time_s), abs=1e-3)


def test_control_ticks_at_random_are_dead_times_from_none_to_a_period() -> None:
    ticks = Loop(0.3, 0.4, control_period_s=2.0, ticks=Ticks.MEAN)
    spread = Loop(1.3, 0.4, spread_s=1.0)
    assert ticks.response(omega(PERIODS_S)) == pytest.approx(spread.response(omega(PERIODS_S)))
    time_s = np.linspace(0.0, 9.0, 40)
    assert ticks.ramp_share(time_s) == pytest.approx(spread.ramp_share(time_s))
    worst = Loop(0.3, 0.4, control_period_s=2.0)
    assert worst.ramp_share(time_s) == pytest.approx(Loop(2.3, 0.4).ramp_share(time_s))


def test_an_external_signal_goes_through_the_meter_in_the_ramp_too() -> None:
    time_s = np.linspace(0.0, 9.0, 40)
    assert Loop(0.1, 0.4, meter_s=0.8).ramp_share(time_s) == pytest.approx(Loop(0.1, 0.4, meter_s=0).ramp_share(time_s))
    seen = Loop(0.1, 0.4, meter_s=0.8, injected=False).ramp_share(time_s)
    assert np.all(seen <= Loop(0.1, 0.4).ramp_share(time_s) + 1e-12)
    assert seen == pytest.approx(Loop(0.1, 0.8, meter_s=0.4, injected=False).ramp_share(time_s))


@pytest.mark.parametrize("wrong", [{"dead_time_s": -0.1}, {"lag_s": float("nan")}, {"spread_s": 0.2}])
def test_impossible_homes_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(DesignError):
        Loop(**wrong)


def test_a_fleet_from_a_file(tmp_path) -> None:
    path = tmp_path / "fleet.csv"
    path.write_text("homes,delay_s,lag_s\n300,0.2,0.5\n100,1.0,\n")
    fleet = read_fleet(path, Loop(lag_s=0.9))
    assert [(one.dead_time_s, one.lag_s) for one in fleet.members] == [(0.2, 0.5), (1.0, 0.9)]
    expected = 0.75 * fleet.members[0].response(omega(PERIODS_S)) + 0.25 * fleet.members[1].response(omega(PERIODS_S))
    assert fleet.response(omega(PERIODS_S)) == pytest.approx(expected)
    assert fleet.shortest_s == 0.2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("homes,delay\n1,2\n", "expected the columns"),
        ("delay_s\n2\n", "expected the columns"),
        ("homes,delay_s\n1,soon\n", "line 2, delay_s: expected a number, found 'soon'"),
        ("homes,delay_s\n1,-1\n", "line 2: dead_time_s must be 0 s or more"),
        ("homes,delay_s\n", "names no homes"),
        ("homes,delay_s\n0,1\n", "not all 0"),
    ],
)
def test_a_bad_fleet_file_is_explained(tmp_path, text: str, said: str) -> None:
    path = tmp_path / "fleet.csv"
    path.write_text(text)
    with pytest.raises(DesignError, match=said):
        read_fleet(path, Loop())
