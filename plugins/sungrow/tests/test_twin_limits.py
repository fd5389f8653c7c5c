"""What caps the simulated SH, and what it measures: ceilings, end stops, currents, export, signs, faults."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samspel_sim.behaviour import OptionError, TwinOptions
from samspel_sim.testing import Bench, RefusedError
from samspel_sungrow.twin.ems import Sight, Wish
from samspel_sungrow.twin.limits import fit, live_currents_a
from samspel_sungrow.twin.profile import choose, facts

CHARGE, DISCHARGE, STOP = 0xAA, 0xBB, 0xCC
COMPULSORY = 2
LOST = 0x7FFFFFFF
WORDS = [(word, bit) for word in facts()["fault_words"] for bit in (0, 15, 16, 31)]


def bench(*, pv_w=0, load_w=500, soc_pct=50, step_s=0.1, model=None, firmware=None, path=None, **settings):
    options = TwinOptions(model=model, firmware=firmware, path=path, soc_pct=soc_pct, settings=settings)
    return Bench("sungrow", options, step_s=step_s).house(pv_w, load_w).wait(10)


def force(b, command, power_w):
    b.write_words(13049, COMPULSORY, command, power_w)
    return b.wait(15)


# -- ceilings and end stops --------------------------------------------------------------------


@pytest.mark.parametrize(("name", "command", "sign"), [("max_charge_power", CHARGE, -1),
                                                       ("max_discharge_power", DISCHARGE, 1)])  # fmt: skip
def test_the_ceilings_bind_a_command(name, command, sign):
    b = bench()
    b.write(**{name: 1200})
    assert force(b, command, 4000)["battery_power_w"] == pytest.approx(sign * 1200, abs=10)


def test_the_ceilings_bind_self_consumption_too():
    b = bench(load_w=3000)
    b.write(max_discharge_power=10, max_charge_power=10)
    assert b.wait(20)["battery_power_w"] == pytest.approx(10, abs=1)
    b.twin.set({"pv_power_w": 6000})
    assert b.wait(20)["battery_power_w"] == pytest.approx(-10, abs=1)


def test_the_charge_limits_are_hard_stops():
    b = bench(soc_pct=50, pack="SBR064", step_s=0.5)
    b.write(max_soc=51, min_soc=49)
    force(b, CHARGE, 3000)
    assert b.wait(120)["battery_power_w"] == pytest.approx(0, abs=5)
    assert b["soc_pct"] == pytest.approx(51, abs=0.2)
    force(b, DISCHARGE, 3000)
    assert b.wait(240)["battery_power_w"] == pytest.approx(0, abs=5)
    assert b["soc_pct"] == pytest.approx(49, abs=0.2)


@pytest.mark.parametrize(("low", "high", "soc", "shown"), [(0, 100, 50, 50), (20, 100, 60, 50), (10, 90, 30, 25),
                                                           (50, 90, 40, 0), (0, 60, 80, 100)])  # fmt: skip
def test_the_usable_charge_is_rescaled_and_the_packs_is_true(low, high, soc, shown):
    b = bench(soc_pct=soc, min_soc=low, max_soc=high, load_w=0)
    b.twin.set({"soc_pct": soc})
    b.twin.refresh()
    assert b.read("battery_soc_usable") == pytest.approx(shown, abs=0.1)
    assert b.read("pack_soc", 200) == pytest.approx(soc, abs=0.1)
    assert b["usable_soc_pct"] == pytest.approx(shown, abs=0.1)


def test_full_charge_current_is_zero_and_falls_before():
    amperes = [live_currents_a(choose(TwinOptions()).pack, soc, 22.0) for soc in (50, 97, 99, 99.8, 100)]
    assert [charge for charge, _ in amperes] == [30, 24, 14, 10, 0]
    assert {discharge for _, discharge in amperes} == {30}


@given(st.floats(0, 100), st.floats(-30, 70))
def test_live_currents_stay_within_the_rating_and_never_reach_beyond_the_ends(soc_pct, temperature_c):
    charge_a, discharge_a = live_currents_a(choose(TwinOptions()).pack, soc_pct, temperature_c)
    assert 0 <= charge_a <= 30
    assert 0 <= discharge_a <= 30
    assert charge_a == 0 or soc_pct < 100
    assert discharge_a == 0 or soc_pct > 0


def test_the_batterys_currents_bind():
    b = bench(soc_pct=99.5)
    force(b, CHARGE, 9000)
    assert b.read("bms_max_charge_current") in (10, 11, 12)
    most_w = b["max_charge_power_w"]
    assert -9000 < b["battery_power_w"] == pytest.approx(-most_w, rel=0.15)


def test_cold_takes_the_charging_and_heat_both():
    b = bench()
    b.twin.set({"temperature_c": -5})
    b.wait(5)
    assert (b.read("bms_max_charge_current"), b.read("bms_max_discharge_current")) == (0, 30)
    b.twin.set({"temperature_c": 60})
    b.wait(5)
    assert (b.read("bms_max_charge_current"), b.read("bms_max_discharge_current")) == (0, 0)


def test_the_nominal_power_bounds_panels_and_discharge_together():
    b = bench(model="SH5.0RT", pv_w=4000, load_w=9000)
    assert force(b, DISCHARGE, 5000)["battery_power_w"] == pytest.approx(1000, abs=20)
    assert b["ac_power_w"] == pytest.approx(5000, abs=20)


# -- export and AC caps ------------------------------------------------------------------------


def capped(limit_w, *, model="SH10RT", **home):
    b = bench(model=model, firmware=None if model != "SH10RT" else "SAPPHIRE-H_01011.95.03", **home)
    b.write(feed_in_limitation=0xAA, feed_in_limit=limit_w)
    return b


def test_discharge_cannot_push_the_export_above_the_cap():
    b = capped(1000, load_w=500)
    assert force(b, DISCHARGE, 5000)["battery_power_w"] == pytest.approx(1500, abs=20)
    assert b["grid_power_w"] == pytest.approx(-1000, abs=20)


def test_a_small_cap_with_surplus_turns_a_forced_discharge_into_charging():
    b = capped(50, pv_w=3000, load_w=500)
    assert force(b, DISCHARGE, 2000)["battery_power_w"] == pytest.approx(-2450, abs=30)


def test_a_held_zero_curtails_the_panels_instead():
    b = capped(0, pv_w=3000, load_w=500)
    force(b, STOP, 0)
    assert (b["battery_power_w"], b["pv_power_w"]) == (pytest.approx(0, abs=5), pytest.approx(500, abs=20))


def test_without_a_meter_the_cap_cannot_count_on_the_load():
    b = capped(1000, load_w=500)
    b.twin.misbehave("meter_offline")
    assert force(b, DISCHARGE, 5000)["battery_power_w"] == pytest.approx(1000, abs=20)


def test_a_share_wins_over_the_watts():
    b = capped(1000, load_w=0)
    b.write(feed_in_limit_ratio=30)
    assert force(b, DISCHARGE, 5000)["battery_power_w"] == pytest.approx(3000, abs=20)


def test_off_it_does_not_bind():
    b = capped(0)
    b.write(feed_in_limitation=0x55)
    assert force(b, DISCHARGE, 5000)["battery_power_w"] == pytest.approx(5000, abs=20)


def test_the_ac_cap_binds_and_the_strictest_wins():
    b = capped(4000, load_w=0)
    b.write(active_power_limitation=0xAA, active_power_ratio=20)
    assert force(b, DISCHARGE, 5000)["battery_power_w"] == pytest.approx(2000, abs=20)
    b.write(active_power_ratio=90)
    assert b.wait(10)["battery_power_w"] == pytest.approx(4000, abs=20)


def test_an_ac_cap_of_zero_shuts_down_where_the_firmware_says_so():
    t, rt = bench(model="SH15T", pv_w=3000), bench(pv_w=3000)
    for b in (t, rt):
        b.write(active_power_limitation=0xAA, active_power_ratio=0)
        b.wait(10)
    assert (t["doing"], t["battery_power_w"]) == ("stopped", 0)
    assert (rt["doing"], rt["ac_power_w"]) == ("dispatch", pytest.approx(0, abs=5))
    assert rt["battery_power_w"] == pytest.approx(-3000, abs=20)


def test_a_t_can_switch_its_panels_off_and_they_come_back_late():
    b = bench(model="SH15T", pv_w=3000)
    b.write(pv_power_limitation=0xAA)
    assert b.wait(9)["pv_power_w"] == pytest.approx(0, abs=50)
    b.write(pv_power_limitation=0x55)
    assert b.wait(35)["pv_power_w"] == pytest.approx(0, abs=50)
    assert b.wait(13)["pv_power_w"] == pytest.approx(3000, abs=50)


@given(
    wish_w=st.floats(-20_000, 20_000), forced=st.booleans(), pv_w=st.floats(0, 15_000), load_w=st.floats(0, 15_000),
    low_w=st.floats(-10_000, 0), high_w=st.floats(0, 10_000), cap_w=st.floats(0, 12_000),
)  # fmt: skip
def test_what_is_fitted_is_within_every_bound(wish_w, forced, pv_w, load_w, low_w, high_w, cap_w):
    target = fit(Wish("m", wish_w, forced), Sight(pv_w, load_w, 50, True), (low_w, high_w), cap_w)
    assert low_w - 1e-6 <= target.battery_w <= high_w + 1e-6
    assert -1e-6 <= target.pv_w <= pv_w + 1e-6
    assert target.pv_w + target.battery_w <= cap_w + 1e-6 or target.pv_w == 0


# -- signs -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("pv_w", "load_w"), [(4000, 500), (0, 3000)])
def test_signs_of_battery_and_grid(pv_w, load_w):
    b = bench(pv_w=pv_w, load_w=load_w)
    b.write(max_charge_power=1000, max_discharge_power=1000)
    b.wait(10)
    battery_w, grid_w = b["battery_power_w"], b["grid_power_w"]
    assert abs(battery_w) == pytest.approx(1000, abs=5)
    assert b.read("battery_power") == b.read("battery_power_legacy") == pytest.approx(battery_w, abs=2)
    assert b.read("battery_current") == pytest.approx(battery_w / b.read("battery_voltage"), abs=0.1)
    assert b.read("pack_current", 200) * battery_w > 0
    assert b.read("export_power") == pytest.approx(-grid_w, abs=2)
    assert b.read("meter_active_power") == pytest.approx(grid_w, abs=2)
    assert b.read("meter_phase_b_power") == pytest.approx(grid_w / 3, abs=2)
    assert b.read("total_active_power") == pytest.approx(b["ac_power_w"], abs=2)
    assert b.read("load_power") == pytest.approx(load_w, abs=2)
    assert b.read("total_dc_power") == pytest.approx(pv_w, abs=2)


@pytest.mark.parametrize(("pv_w", "load_w", "bits"), [(4000, 500, 0b001011), (0, 3000, 0b001100)])
def test_an_old_firmware_gives_a_magnitude_and_the_direction_in_bits(pv_w, load_w, bits):
    b = bench(pv_w=pv_w, load_w=load_w, unsigned=1).wait(10)
    assert b.read("battery_power_legacy") == pytest.approx(abs(b["battery_power_w"]), abs=2)
    assert b.read("battery_current_legacy") > 0
    assert b.read("power_flow_bits") & 0b001111 == bits


def test_some_dongles_give_no_direction_at_all():
    b = bench(pv_w=4000, path="winet", unsigned=1, flow_bits=0)
    assert (b.read("power_flow_bits"), b.read("battery_power_legacy") > 0) == (0, True)


def test_export_and_import_have_their_bits():
    b = bench(pv_w=4000, load_w=500, soc_pct=100)
    assert b.read("power_flow_bits") == 0b011001
    b.house(0, 12_000)
    assert b.wait(10).read("power_flow_bits") == 0b101100


def test_energy_counters_grow_with_what_flows():
    b = bench(load_w=2000, step_s=0.5)
    start = b.read("total_battery_discharge")
    b.wait(720)
    assert b.read("total_battery_discharge") - start == pytest.approx(0.4, abs=0.11)
    assert b.read("total_battery_charge") == 0


# -- meter and faults --------------------------------------------------------------------------


def test_a_lost_meter_reads_as_no_value_and_raises_its_alarm():
    b = bench()
    b.twin.set({"meter_online": False})
    b.wait(10)
    for name in ("export_power", "load_power", "meter_active_power", "meter_phase_c_power"):
        assert b.read(name) == LOST
    assert b.read("inverter_alarm") == 1 << 30
    assert (b["battery_power_w"], b.read("running_state")) == (pytest.approx(0, abs=5), 0x9100)
    b.twin.set({"meter_online": True})
    assert b.wait(10).read("load_power") == 500
    assert b.read("inverter_alarm") == 0


@pytest.mark.parametrize(("word", "bit"), WORDS)
def test_every_word_takes_its_bits_from_outside_and_loses_them(word, bit):
    b = Bench("sungrow", TwinOptions(path="winet"))
    b.twin.set({"faults": {word: [bit]}})
    b.twin.refresh()
    assert b.read(word) == 1 << bit
    assert b["faults"] == {word: [bit]}
    b.twin.set({"faults": {word: []}})
    b.twin.refresh()
    assert (b.read(word), b["faults"]) == (0, {})


def test_a_word_set_as_a_register_stays_too():
    b = bench()
    b.twin.set({"registers": {"bms_alarm": 5}})
    assert b.wait(5).read("bms_alarm") == 5
    assert b["faults"] == {"bms_alarm": [0, 2]}


def test_fifteen_words_on_even_wire_steps():
    table = bench().twin.behaviour.bank.table
    assert [table[word].address for word in facts()["fault_words"]] == list(range(13049, 13079, 2))


def test_the_high_word_of_the_last_is_all_ones_on_a_cable():
    assert bench().read("bms_alarm_2") == 0xFFFF0000
    assert bench(path="winet").read("bms_alarm_2") == 0


@pytest.mark.parametrize("value", [{"no_word": [1]}, {"bms_alarm": [32]}, {"bms_alarm": 1}, [1]])
def test_bad_faults_are_told(value):
    with pytest.raises(OptionError):
        bench().twin.set({"faults": value})


def test_a_fault_of_the_inverter_stops_it():
    b = bench(pv_w=3000)
    b.twin.set({"faults": {"dc_side_fault": [16]}})
    b.wait(10)
    assert (b["pv_power_w"], b["battery_power_w"], b.read("running_state")) == (0, 0, 0x5500)
    b.twin.set({"faults": {"dc_side_fault": []}})
    assert b.wait(10)["pv_power_w"] == pytest.approx(3000, abs=20)


def test_a_fault_of_the_battery_stops_the_battery():
    b = bench(pv_w=3000)
    b.twin.set({"faults": {"bms_protection": [7]}})
    b.wait(10)
    assert (b["pv_power_w"], b["battery_power_w"]) == (pytest.approx(3000, abs=20), 0)
    assert (b.read("bms_max_charge_current"), b.read("bms_max_discharge_current")) == (0, 0)


def test_an_alarm_runs_on_with_a_warning():
    b = bench()
    b.twin.set({"faults": {"inverter_alarm": [0]}})
    assert b.wait(10).read("running_state") == 0x9100
    assert b["battery_power_w"] == pytest.approx(500, abs=10)


def test_a_broken_pack_takes_a_charge_and_ignores_a_discharge_without_a_word():
    b = bench(broken_pack=1)
    assert force(b, CHARGE, 2000)["battery_power_w"] == pytest.approx(-2000, abs=10)
    assert force(b, DISCHARGE, 2000)["battery_power_w"] == pytest.approx(0, abs=10)
    assert (b.read("running_state"), b.read("bms_max_discharge_current")) == (0x0800, 30)
    assert b.read("bms_fault_1") == 0b10
    b.twin.set({"broken_pack": False})
    assert b.wait(10)["battery_power_w"] == pytest.approx(2000, abs=10)


@pytest.mark.parametrize(("key", "value"), [("meter_online", 1), ("broken_pack", "yes"), ("grid_frequency_hz", 60),
                                            ("running_state", -1)])  # fmt: skip
def test_bad_values_from_outside_are_told(key, value):
    with pytest.raises(OptionError, match=key):
        bench().twin.set({key: value})


def test_frequency_and_voltage_from_outside():
    b = bench()
    b.twin.set({"grid_frequency_hz": 49.95, "grid_voltage_v": 236})
    b.wait(2)
    assert (b.read("grid_frequency"), b.read("phase_b_voltage")) == (pytest.approx(49.95), pytest.approx(236))


def test_a_refusal_names_its_code():
    with pytest.raises(RefusedError, match="0x04"):
        bench().write(max_charge_power=0)
