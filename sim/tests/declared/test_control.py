"""How a declared twin is commanded: every word of [control], [limits], [timing] and [wake]."""

from __future__ import annotations

import pytest
from samspel_sim.testing import refusal

SIGNED = (
    ('mode = { register = "mode", own = [0, 9], charge = 1, discharge = 2, hold = 3 }', ""),
    (
        'power = { charge = "charge_w", discharge = "discharge_pct" }',
        'power = { signed = "signed_kw", positive = "charging" }\nenable = { register = "enable", value = 5 }',
    ),
)


def settled(bench, seconds=30):
    return bench.wait(seconds).battery_w


def test_its_own_logic_follows_the_house_both_ways(toy):
    bench = toy()
    assert settled(bench) == pytest.approx(1000, abs=1)
    bench.house(2000, 500)
    assert settled(bench) == pytest.approx(-1500, abs=1)
    assert bench["mode"] == "own"


def test_each_mode_does_what_it_says(toy):
    bench = toy()
    bench.write(charge_w=1500, mode=1)
    assert settled(bench) == pytest.approx(-1500, abs=1)
    bench.write(mode=2)  # 20 % of 4000 W
    assert settled(bench) == pytest.approx(800, abs=1)
    bench.write(mode=3)
    assert settled(bench) == pytest.approx(0, abs=1)
    bench.write(mode=9)
    assert settled(bench) == pytest.approx(1000, abs=1)


def test_a_new_power_acts_without_the_mode_written_again(toy):
    bench = toy()
    bench.write(charge_w=1500, mode=1)
    settled(bench)
    bench.write(charge_w=700)
    assert settled(bench) == pytest.approx(-700, abs=1)


def test_a_share_counts_from_the_models_rated_power(toy):
    bench = toy(model="T-8")
    bench.write(discharge_pct=50, mode=2)
    assert settled(bench) == pytest.approx(4000, abs=1)


def test_a_signed_power_is_followed_while_enabled(toy):
    bench = toy(*SIGNED)
    bench.write(signed_kw=1.5)
    assert settled(bench) == pytest.approx(1000, abs=1)
    bench.write(enable=5)
    assert settled(bench) == pytest.approx(-1500, abs=1)
    assert bench["mode"] == "follow"
    bench.write(signed_kw=-0.6)
    assert settled(bench) == pytest.approx(600, abs=1)


def test_a_command_waits_and_then_lags(toy):
    bench = toy()
    before = settled(bench)
    bench.write(charge_w=2000, mode=1)
    assert bench.wait(1.9).battery_w == pytest.approx(before, abs=60)
    assert -1200 < bench.wait(0.8).battery_w < 500
    assert settled(bench) == pytest.approx(-2000, abs=1)


@pytest.mark.parametrize(("fallback", "expected_w", "mode"), [("own", 1000, "own"), ("hold", 0, "hold")])
def test_a_missed_heartbeat_falls_back_and_a_new_one_resumes(toy, fallback, expected_w, mode):
    beat = f'[control]\nheartbeat = {{ register = "beat", timeout_s = 20, fallback = "{fallback}" }}\n'
    bench = toy(("[control]\n", beat))
    bench.write(charge_w=1500, mode=1, beat=1)
    assert settled(bench, 19) == pytest.approx(-1500, abs=1)
    assert settled(bench, 31) == pytest.approx(expected_w, abs=1)
    assert bench["mode"] == mode
    bench.write(beat=1)
    assert settled(bench, 15) == pytest.approx(-1500, abs=1)


def test_a_heartbeat_may_carry_its_own_time_and_zero_is_off(toy):
    bench = toy(("[control]\n", '[control]\nheartbeat = { register = "beat" }\n'))
    bench.write(charge_w=1500, mode=1)
    assert settled(bench, 300) == pytest.approx(-1500, abs=1)
    bench.write(beat=40)
    assert settled(bench, 35) == pytest.approx(-1500, abs=1)
    assert settled(bench, 30) == pytest.approx(1000, abs=1)


def test_what_does_not_outlive_a_command_is_cleared_and_the_rest_sticks(toy):
    bench = toy()
    bench.write(charge_w=1500, discharge_pct=30, mode=1)
    bench.write(mode=3)
    assert bench.read("charge_w") == 1500
    bench.write(mode=0)
    assert (bench.read("charge_w"), bench.read("discharge_pct")) == (0, 30)


def test_limits_bind_commands_and_own_logic(toy):
    bench = toy().house(4000, 0)
    bench.write(most_w=900)
    assert settled(bench) == pytest.approx(-900, abs=1)
    bench.write(charge_w=3000, mode=1)
    assert settled(bench) == pytest.approx(-900, abs=1)
    bench.house(0, 9000).write(mode=0)
    assert settled(bench) == pytest.approx(2500, abs=1)  # the model's own


def test_the_state_of_charge_stops_each_direction(toy):
    bench = toy()
    bench.write(floor=60)
    assert settled(bench) == pytest.approx(0, abs=1)
    bench.house(3000, 0)
    bench.twin.set({"soc_pct": 95})
    assert settled(bench) == pytest.approx(0, abs=1)


def test_it_falls_asleep_and_takes_its_time_to_wake(toy):
    bench = toy()
    bench.write(power_switch=2)
    assert settled(bench) == 0
    assert bench["asleep"]
    assert bench.read("state") == 5
    bench.write(power_switch=1)
    assert bench.wait(9).battery_w == 0
    assert settled(bench) == pytest.approx(1000, abs=1)
    assert not bench["asleep"]


@pytest.mark.parametrize(
    ("register", "value", "code"),
    [
        ("mode", 4, 4),
        ("charge_w", 3001, 3),
        ("discharge_pct", 100.1, 2),
        ("most_w", 512, 3),
        ("floor", 101, 3),
    ],
)
def test_a_setting_refuses_with_its_own_code_and_keeps_the_old_value(toy, register, value, code):
    bench = toy()
    before = bench.read(register)
    assert refusal(bench.write, **{register: value}) == code
    assert bench.read(register) == before


@pytest.mark.parametrize(
    ("register", "value"), [("charge_w", 3000), ("discharge_pct", 100), ("most_w", 513), ("floor", 0)]
)
def test_a_setting_takes_its_bounds(toy, register, value):
    bench = toy()
    bench.write(**{register: value})
    assert bench.read(register) == value


def test_a_restart_loses_what_is_volatile(toy):
    bench = toy()
    bench.write(charge_w=900, discharge_pct=30, most_w=2000, mode=1)
    bench.twin.misbehave("firmware", version="1.2")
    assert [bench.read(name) for name in ("mode", "discharge_pct", "most_w", "charge_w")] == [0, 20, 2000, 900]
    assert bench.read("firmware") == "1.2"


@pytest.mark.parametrize(
    ("name", "parameters", "expected_w"),
    [
        ("ignore_setpoint", {}, 1000),
        ("clamp", {"watts": 400.0}, -400),
        ("reverse", {}, 1500),
        ("battery_fault", {}, 0),
        ("sleep", {}, 0),
    ],
)
def test_misbehaviours_of_the_device(toy, name, parameters, expected_w):
    bench = toy()
    bench.write(charge_w=1500, mode=1)
    bench.twin.misbehave(name, **parameters)
    assert settled(bench) == pytest.approx(expected_w, abs=1)
