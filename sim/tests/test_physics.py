"""Conservation, bounds and repeatability of a home."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samspel_sim.physics import Battery, Lag, Noise, default_home

wishes = st.lists(st.tuples(st.floats(0, 20_000), st.floats(-20_000, 20_000)), min_size=1, max_size=40)


@settings(max_examples=60)
@given(wishes, st.integers(0, 999), st.floats(0, 100), st.sampled_from([0.1, 1.0, 60.0, 900.0]))
def test_every_step_balances_and_keeps_its_bounds(steps, seed, soc_pct, dt_s):
    home = default_home(seed, soc_pct=soc_pct, ac_limit_w=5000)
    for pv_w, battery_w in steps:
        flows = home.settle(home.look(dt_s), pv_w, battery_w, dt_s)
        assert flows.load_w == pytest.approx(flows.pv_w + flows.battery_w + flows.grid_w, abs=1e-6)
        assert 0 <= flows.pv_w <= flows.pv_available_w
        assert -5000 - 1e-6 <= flows.ac_w <= 5000 + 1e-6
        assert 0 <= home.battery.soc_pct <= 100


@settings(max_examples=60)
@given(wishes, st.floats(0, 100))
def test_energy_in_the_cells_is_what_went_in_less_the_losses(steps, soc_pct):
    home, dt_s = default_home(1, soc_pct=soc_pct), 10.0
    battery = home.battery
    start_wh = battery.capacity_wh * soc_pct / 100
    for pv_w, battery_w in steps:
        home.settle(home.look(dt_s), pv_w, battery_w, dt_s)
    gained_wh = battery.charged_wh * battery.efficiency - battery.discharged_wh / battery.efficiency
    assert battery.capacity_wh * battery.soc_pct / 100 == pytest.approx(start_wh + gained_wh, abs=1e-6)


def test_counters_balance_like_the_powers():
    home = default_home(3)
    load_wh = 0.0
    for _ in range(500):
        load_wh += home.settle(home.look(1.0), 1e5, 700.0, 1.0).load_w / 3600
    counters, battery = home.counters, home.battery
    supply_wh = counters.pv_wh + battery.discharged_wh - battery.charged_wh + counters.import_wh - counters.export_wh
    assert supply_wh == pytest.approx(load_wh)


def test_an_empty_battery_gives_nothing_and_a_full_one_takes_nothing():
    assert Battery(soc_pct=0).feasible_w(5000, 1) == 0
    assert Battery(soc_pct=100).feasible_w(-5000, 1) == 0


def test_the_last_step_to_either_end_takes_exactly_what_fits():
    nearly_full, nearly_empty = Battery(soc_pct=99.9), Battery(soc_pct=0.1)
    nearly_full.step(nearly_full.feasible_w(-50_000, 60), 60)
    nearly_empty.step(nearly_empty.feasible_w(50_000, 60), 60)
    assert (nearly_full.soc_pct, nearly_empty.soc_pct) == (pytest.approx(100), pytest.approx(0, abs=1e-9))
    assert nearly_full.charged_wh * nearly_full.efficiency == pytest.approx(10)
    assert nearly_empty.discharged_wh / nearly_empty.efficiency == pytest.approx(10)


def test_work_warms_the_battery_and_rest_cools_it():
    battery = Battery(temperature_c=20, ambient_c=20)
    for _ in range(600):
        battery.step(3000, 1)
    warm_c = battery.temperature_c
    assert warm_c > 20.3
    for _ in range(3600):
        battery.step(0, 1)
    assert 20 <= battery.temperature_c < warm_c


def history(seed):
    home = default_home(seed)
    return [home.settle(home.look(0.5), 1e5, 0.0, 0.5) for _ in range(200)]


def test_one_seed_one_history():
    assert history(5) == history(5)
    assert history(5) != history(6)


def test_noise_keeps_its_size_whatever_the_step():
    for dt_s in (0.1, 1.0, 10.0):
        noise = Noise(random.Random(1), sigma=50, tau_s=2.0)
        values = [noise.step(dt_s) for _ in range(20_000)]
        spread = (sum(v * v for v in values) / len(values)) ** 0.5
        assert spread == pytest.approx(50, rel=0.15)


def test_by_day_the_sun_rises_and_sets():
    home = default_home(1)
    home.panels.by_day = True
    home.epoch_s = 3 * 3600
    assert home.look(1.0)[0] == 0
    home.time_s = 9 * 3600
    assert home.look(1.0)[0] > 2500


def test_a_lag_waits_then_follows():
    lag = Lag()
    lag.aim(1000, tau_s=2.0, wait_s=1.0)
    assert [lag.step(0.5) for _ in range(2)] == [0, 0]
    values = [lag.step(0.5) for _ in range(40)]
    assert values == sorted(values)
    assert values[3] == pytest.approx(1000 * (1 - 2.71828**-1), rel=1e-3)
    assert values[-1] == pytest.approx(1000, rel=1e-3)
