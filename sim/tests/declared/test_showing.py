"""What a declared twin's registers show, and which of them there are."""

from __future__ import annotations

import pytest
from samspel_sim.behaviour import OptionError
from samspel_sim.declared.quantities import unit_factor
from samspel_sim.testing import RefusedError, refusal


def words(bench, address, count=1, function=4):
    return bench.words(address, count, function)


def test_it_says_who_it_is(toy):
    bench = toy(seed=42, model="T-8", firmware="1.2")
    shown = [bench.read(name) for name in ("model", "firmware", "protocol")]
    assert shown == ["T-8", "1.2", 513]
    assert words(bench, 14, 2, function=3) == (0x544F, 0x5930)  # TOY0
    assert bench["serial"] == "TOY00000042"


def test_signs_units_and_word_order(toy):
    bench = toy().wait(30)
    assert bench.read("battery_w") == pytest.approx(-1000, abs=1)
    low, high = words(bench, 100, 2)
    assert high == 0xFFFF  # the sign is in the second word
    assert low > 0xFC00
    assert bench.read("battery_kw") == pytest.approx(1.0, abs=0.01)
    assert bench.read("grid_w") == pytest.approx(0, abs=2)
    bench.house(2000, 500).write(mode=3)
    bench.wait(30)
    assert bench.read("grid_w") == pytest.approx(1500, abs=2)
    assert bench.read("half_pv") == 1000
    assert bench.read("charge_a") == 15


def test_a_float_counts_in_its_own_unit(toy):
    bench = toy()
    bench.write(mode=3)
    bench.wait(3600)
    assert bench.read("imported") == pytest.approx(1.0, rel=0.01)


def test_a_state_is_shown_by_the_most_particular_code(toy):
    bench = toy().wait(30)
    assert bench.read("state") == 3  # no code for discharging, but for running
    bench.house(2000, 0).wait(30)
    assert bench.read("state") == 2
    bench.write(mode=3)
    assert bench.wait(30).read("state") == 1
    bench.twin.misbehave("battery_fault")
    assert bench.wait(2).read("state") == 4


def test_conditions_set_their_bits_and_leave_the_others(toy):
    bench = toy()
    bench.twin.set({"registers": {"alarm": 0x8001}})
    bench.twin.misbehave("battery_fault")
    assert bench.wait(2).read("alarm") == 0x8008
    bench.twin.misbehave("battery_fault", on=False)
    bench.twin.set({"meter_online": False})
    assert bench.wait(2).read("alarm") == 0x8001


def test_without_its_meter_it_neither_knows_nor_regulates(toy):
    bench = toy()
    bench.twin.misbehave("meter_offline")
    assert bench.wait(30).battery_w == pytest.approx(0, abs=1)
    assert words(bench, 105, 2) == (0x7FFF, 0xFFFF)


def test_models_lack_registers_and_holes_read_or_refuse(toy):
    with pytest.raises(RefusedError):
        words(toy(), 120)
    bench = toy(model="T-8").wait(2)
    assert words(bench, 120) == (400,)
    assert words(bench, 107, 4)[2] == 0  # a hole inside a block
    assert words(bench, 40, 3, function=3) == (0, 0, 0)
    with pytest.raises(RefusedError):
        words(bench, 14, 8, function=3)  # 16 is refused
    with pytest.raises(RefusedError):
        words(bench, 60, function=3)


def test_a_silent_night_answers_nothing(toy):
    bench = toy()
    bench.twin.misbehave("night", silent=True)
    with pytest.raises(TimeoutError):
        bench.read("soc")


def test_another_function_is_refused_and_another_unit_is_silent(toy):
    bench = toy()
    assert refusal(bench.ask, b"\x2b\x0e\x01\x00") == 1
    with pytest.raises(TimeoutError):
        bench.ask(b"\x2b\x0e\x01\x00", unit=9)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "T-9"}, "no model 'T-9'; there are T-4, T-8"),
        ({"firmware": "2"}, "no firmware '2'; there are 1.4, 1.2"),
        ({"path": "wlan"}, "one path only"),
        ({"settings": {"speed": 2.0}}, "no setting 'speed'; there are connect_wait_s, pace_s, answer_s, pv"),
        ({"settings": {"pv": "night"}}, "pv wants steady or day"),
        ({"settings": {"pace_s": "fast"}}, "pace_s wants seconds"),
    ],
)
def test_an_option_that_it_has_not_is_answered_with_the_list(toy, options, message):
    with pytest.raises(OptionError, match=message):
        toy(**options)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"grid_frequency_hz": 70}, "wants a number"),
        ({"meter_online": 1}, "true or false"),
        ({"x": 1}, "nothing called"),
    ],
)
def test_a_wrong_setting_from_outside_is_a_sentence(toy, values, message):
    with pytest.raises(OptionError, match=message):
        toy().twin.set(values)


def test_one_seed_gives_one_history(toy):
    def history():
        bench = toy(seed=5)
        bench.twin.set({"pv_power_w": None, "load_power_w": None})
        return [bench.wait(10).battery_w for _ in range(5)]

    assert history() == history()


@pytest.mark.parametrize(
    ("unit", "register_unit", "factor"),
    [("W", "W", 1), ("W", "kW", 0.001), ("Wh", "MWh", 1e-6), ("A", "mA", 1000), ("degC", "°C", 1), ("W", "", 1)],
)
def test_a_value_is_shown_in_the_unit_of_its_register(unit, register_unit, factor):
    assert unit_factor(unit, register_unit) == factor


def test_a_unit_that_does_not_fit_has_no_factor():
    assert unit_factor("W", "A") is None
