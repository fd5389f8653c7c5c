"""Who decides the battery's power in the simulated SUN2000, how fast it follows and what caps it."""

import pytest
from samspel_sim.behaviour import TwinOptions
from samspel_sim.testing import Bench, refusal

CHARGE, DISCHARGE = 1, 2
MB0 = "SUN2000-20K-MB0"


def bench(*, pv_w=0, load_w=500, step_s=0.1, soc_pct=50, model=None, firmware=None, **settings):
    options = TwinOptions(model=model, firmware=firmware, soc_pct=soc_pct, settings=settings)
    return Bench("huawei", options, step_s=step_s).house(pv_w, load_w).wait(10)


def force(b, direction, power_w, *, minutes=60):
    side = "charge" if direction == CHARGE else "discharge"
    b.write(**{f"forcible_{side}_power": power_w}, forced_period=minutes, forcible_mode=0, forcible_command=direction)


def at_rest():
    """A home whose own logic has nothing to do."""
    return bench(pv_w=500, load_w=500, ceiling=0)


# -- own modes ---------------------------------------------------------------------------------


def test_self_consumption_holds_the_meter_at_zero():
    b = bench(pv_w=0, load_w=800)
    assert b["battery_power_w"] == pytest.approx(800, abs=5)
    b.twin.set({"pv_power_w": 3000})
    assert b.wait(20)["battery_power_w"] == pytest.approx(-2200, abs=20)
    assert b["grid_power_w"] == pytest.approx(0, abs=20)
    assert b["mode"] == "max_self_consumption"


@pytest.mark.parametrize(
    ("setting", "in_force", "name"),
    [
        (0, 0, "adaptive"),
        (1, 3, "fixed"),
        (2, 4, "max_self_consumption"),
        (4, 5, "fully_fed_to_grid"),
        (5, 6, "time_of_use"),
    ],
)
def test_mode_setting_and_mode_in_force_are_different_numbers(setting, in_force, name):
    b = bench()
    b.write(storage_working_mode_setting=setting)
    b.wait(5)
    assert (b.read("storage_working_mode_setting"), b.read("bat1_working_mode"), b["mode"]) == (setting, in_force, name)


def test_fully_fed_to_grid_empties_the_battery_into_the_grid():
    b = bench()
    b.write(storage_working_mode_setting=4)
    assert b.wait(20)["battery_power_w"] == pytest.approx(5000, abs=10)


def test_backup_reserve_above_the_charge_buys_from_the_grid_even_when_that_is_off():
    b = bench(soc_pct=40)
    b.write(backup_soc=60)
    assert b.wait(20)["battery_power_w"] == pytest.approx(-2000, abs=10)
    assert b.read("charge_from_grid_enable") == 0


def test_time_of_use_charges_in_its_period_when_the_grid_may():
    b = bench(soc_pct=30)
    b.twin.set({"registers": {"storage_working_mode_setting": 5, "charge_from_grid_enable": 1}})
    row = b.twin.behaviour.bank.table["tou_periods"]
    b.twin.behaviour.bank.store(row, (1, 0, 1440, 0x007F, *([0] * 39)))
    assert b.wait(20)["battery_power_w"] == pytest.approx(-2000, abs=10)
    b.write(charge_from_grid_enable=0)
    assert b.wait(20)["battery_power_w"] == pytest.approx(0, abs=10)


# -- forcible ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("direction", "sign"), [(CHARGE, -1), (DISCHARGE, 1)])
def test_a_forcible_command_wins_over_the_own_mode(direction, sign):
    b = bench()
    force(b, direction, 1500)
    b.wait(40)
    assert b["battery_power_w"] == pytest.approx(sign * 1500, abs=5)
    assert (b["mode"], b.read("bat1_working_mode")) == ("forcible", 1)
    assert b.read("storage_power") == pytest.approx(-sign * 1500, abs=10)
    assert b.read("meter_active_power") == pytest.approx(-b["grid_power_w"], abs=10)


def test_parameters_alone_do_nothing_and_the_trigger_alone_holds_zero():
    b = bench()
    b.write(forcible_discharge_power=2000, forced_period=10)
    assert b.wait(20)["battery_power_w"] == pytest.approx(500, abs=5)
    b.write(forcible_discharge_power=0, forcible_command=DISCHARGE)
    assert b.wait(30)["battery_power_w"] == pytest.approx(0, abs=5)


def test_a_stop_gives_back_to_the_own_mode():
    b = bench(load_w=700)
    force(b, CHARGE, 1000)
    b.wait(30).write(forcible_command=0)
    assert b.wait(20)["battery_power_w"] == pytest.approx(700, abs=5)
    assert b["mode"] == "max_self_consumption"


def seconds_until(b, reached, limit_s=60):
    for _ in range(limit_s * 10):
        if reached(b.wait(0.1)["battery_power_w"]):
            return b
    raise AssertionError("never")


def test_ninety_percent_from_rest_takes_about_twenty_seconds():
    b = at_rest()
    start_s = b.now_s
    force(b, DISCHARGE, 1000)
    seconds_until(b, lambda power_w: power_w >= 900)
    assert b.now_s - start_s == pytest.approx(19.7, abs=1)


def test_a_reversal_takes_about_eleven_seconds():
    b = at_rest()
    force(b, DISCHARGE, 1000)
    b.wait(60)
    start_s = b.now_s
    force(b, CHARGE, 1000)
    seconds_until(b, lambda power_w: power_w <= -900)
    assert b.now_s - start_s == pytest.approx(11.3, abs=1)


def test_a_command_moves_before_ten_seconds():
    b = at_rest()
    force(b, DISCHARGE, 1000)
    assert b.wait(9)["battery_power_w"] > 200


def test_new_set_points_every_second_do_not_starve_it():
    b = at_rest()
    for power_w in range(1000, 1040):
        force(b, DISCHARGE, power_w)
        b.wait(1)
    assert b["battery_power_w"] > 900


def test_the_remaining_minutes_count_down_and_the_command_ends_by_itself():
    b = bench(step_s=0.5, expires=1)
    force(b, DISCHARGE, 1000, minutes=3)
    b.wait(64)
    assert b.read("bat1_remaining_time") == 2
    b.wait(125)
    assert (b["mode"], b.read("forcible_command"), b.read("bat1_remaining_time")) == ("max_self_consumption", 0, 0)


def test_a_renewed_trigger_starts_the_period_again():
    b = bench(step_s=0.5, expires=1)
    force(b, DISCHARGE, 1000, minutes=1)
    for _ in range(4):
        b.wait(40).write(forcible_command=DISCHARGE)
    assert b["mode"] == "forcible"


def test_a_firmware_whose_command_never_ends_by_itself():
    b = bench(step_s=0.5, expires=0)
    force(b, DISCHARGE, 200, minutes=1)
    b.wait(1800)
    assert (b["mode"], b.read("forcible_command"), b.read("bat1_remaining_time")) == (
        "forcible",
        DISCHARGE,
        0,
    )


def test_until_a_state_of_charge():
    b = bench(step_s=0.5, soc_pct=50)
    b.write(forcible_discharge_power=5000, forcible_target_soc=49, forcible_mode=1, forcible_command=DISCHARGE)
    b.wait(60)
    assert b["mode"] == "forcible"
    b.wait(200)
    assert (b["mode"], b.read("forcible_command")) == ("max_self_consumption", 0)
    assert b["soc_pct"] == pytest.approx(49, abs=0.5)


def test_whether_a_new_power_acts_without_the_trigger_depends_on_the_firmware():
    for firmware, want_w in (("V100R001C00SPC172", 2000), ("V100R001C00SPC174", 1000)):
        b = bench(firmware=firmware)
        force(b, DISCHARGE, 1000)
        b.wait(30).write(forcible_discharge_power=2000)
        assert b.wait(40)["battery_power_w"] == pytest.approx(want_w, abs=10)


def test_an_older_firmware_charges_from_the_panels_only_unless_the_grid_is_allowed():
    b = bench(firmware="V100R001C00SPC147", pv_w=800)
    force(b, CHARGE, 2000)
    assert b.wait(40)["battery_power_w"] == pytest.approx(-800, abs=10)
    b.write(charge_from_grid_enable=1)
    assert b.wait(40)["battery_power_w"] == pytest.approx(-2000, abs=10)


# -- the ceiling on the panels -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("direction", "power_w", "pv_w"), [(CHARGE, 400, 364), (CHARGE, 3000, 1839), (CHARGE, 0, 55), (DISCHARGE, 1000, 0)]
)
def test_a_forcible_command_is_a_ceiling_on_the_panels(direction, power_w, pv_w):
    b = bench(pv_w=1839)
    force(b, direction, power_w)
    assert b.wait(60)["pv_power_w"] == pytest.approx(pv_w, abs=5)
    b.write(forcible_command=0)
    assert b.wait(3)["pv_power_w"] < max(pv_w + 100, 1840)
    assert b.wait(12)["pv_power_w"] == pytest.approx(1839, abs=30)


def test_without_the_effect_the_panels_stay():
    b = bench(pv_w=1839, ceiling=0)
    force(b, DISCHARGE, 1000)
    assert b.wait(60)["pv_power_w"] == pytest.approx(1839, abs=1)


def test_a_feed_limit_at_its_maximum_lifts_it_where_a_firmware_does_so():
    b = bench(pv_w=1839)
    force(b, CHARGE, 400)
    b.wait(30).write(max_feed_grid_power_percent=100)
    assert b.wait(30)["pv_power_w"] == pytest.approx(1839, abs=30)


# -- limits ------------------------------------------------------------------------------------


def test_power_beyond_the_ceiling_is_clamped_without_a_word():
    b = bench()
    force(b, DISCHARGE, 9000)
    assert b.wait(60)["battery_power_w"] == pytest.approx(5000, abs=10)
    assert b.read("forcible_discharge_power") == 9000


@pytest.mark.parametrize("name", ["storage_max_charging_power", "storage_max_discharging_power"])
def test_limits_above_the_live_ceiling_are_refused_and_the_old_value_stays(name):
    b = bench()
    b.write(**{name: 3000})
    assert refusal(b.write, **{name: 5001}) == 4
    assert b.read(name) == 3000


def test_limits_cap_every_mode():
    b = bench(load_w=3000)
    b.write(storage_max_discharging_power=0, storage_max_charging_power=700)
    assert b.wait(20)["battery_power_w"] == pytest.approx(0, abs=5)
    force(b, DISCHARGE, 2000)
    assert b.wait(40)["battery_power_w"] == pytest.approx(0, abs=5)
    force(b, CHARGE, 2000)
    assert b.wait(40)["battery_power_w"] == pytest.approx(-700, abs=5)


@pytest.mark.parametrize(("packs", "units", "want_w"), [(1, 1, 2500), (2, 1, 5000), (3, 1, 5000), (2, 2, 10000)])
def test_live_ceilings_follow_packs_and_units(packs, units, want_w):
    b = bench(packs=packs, units=units)
    assert (b.read("storage_max_charge_power"), b.read("storage_max_discharge_power")) == (want_w, want_w)
    assert b.read("storage_rated_capacity") == 5000 * packs * units


def test_heat_and_cold_lower_the_ceilings():
    b = bench()
    b.twin.set({"temperature_c": 50})
    assert b.wait(5).read("storage_max_discharge_power") == pytest.approx(2500, abs=50)
    b.twin.set({"temperature_c": -5})
    b.wait(5)
    assert (b.read("storage_max_charge_power"), b.read("storage_max_discharge_power")) == (0, 5000)


def test_end_stops_with_one_percent_of_hysteresis():
    b = bench(load_w=2000, soc_pct=15.2)
    assert b["battery_power_w"] == pytest.approx(2000, abs=10)
    assert b.wait(120)["battery_power_w"] == pytest.approx(0, abs=5)
    b.twin.set({"soc_pct": 15.5})
    assert b.wait(20)["battery_power_w"] == pytest.approx(0, abs=5)
    b.twin.set({"soc_pct": 17})
    assert b.wait(10)["battery_power_w"] == pytest.approx(2000, abs=10)


def test_the_upper_end_stop_has_it_too():
    b = bench(pv_w=3000, soc_pct=89.9)
    b.write(charge_cutoff_soc=90)
    assert b.wait(60)["battery_power_w"] == pytest.approx(0, abs=5)
    b.twin.set({"soc_pct": 89.5})
    assert b.wait(20)["battery_power_w"] == pytest.approx(0, abs=5)
    b.twin.set({"soc_pct": 88})
    assert b.wait(10)["battery_power_w"] == pytest.approx(-2500, abs=20)


def test_a_forcible_charge_at_the_top_gives_silence_not_power():
    b = bench(soc_pct=100)
    force(b, CHARGE, 1000)
    b.wait(30)
    assert (b["battery_power_w"], b["mode"]) == (pytest.approx(0, abs=5), "forcible")


def test_discharge_and_panels_share_the_ac_ceiling():
    b = bench(pv_w=9000, units=2, ceiling=0)
    force(b, DISCHARGE, 8000)
    b.wait(60)
    assert b["ac_power_w"] == pytest.approx(11000, abs=10)
    assert b["battery_power_w"] == pytest.approx(2000, abs=10)


@pytest.mark.parametrize(
    ("registers", "export_w"),
    [
        ({"active_power_control_mode": 0}, 5300),
        ({"active_power_control_mode": 5}, 0),
        ({"max_feed_grid_power_w": 2000, "active_power_control_mode": 6}, 2000),
        ({"max_feed_grid_power_percent": 10, "active_power_control_mode": 7}, 1100),
        ({"active_power_percent": 20}, 1500),
        ({"active_power_fixed_w": 3000}, 2300),
    ],
)
def test_schedule_and_export_limit_cap_the_inverter(registers, export_w):
    b = bench(pv_w=6000, load_w=700, soc_pct=100)
    b.write(**registers)
    assert -b.wait(30)["grid_power_w"] == pytest.approx(export_w, abs=20)


def test_a_schedule_ends_after_its_validity_and_moves_by_its_gradient():
    b = bench(pv_w=6000, load_w=0, soc_pct=100)
    b.write(active_gradient=1, schedule_valid_duration=60, active_power_percent=20)
    assert 4500 < b.wait(10)["ac_power_w"] <= 6000
    assert b.wait(45)["ac_power_w"] == pytest.approx(5500, abs=400)
    assert b.wait(120)["ac_power_w"] == pytest.approx(6000, abs=20)


def test_a_negative_schedule_draws_from_the_grid():
    b = bench()
    b.write(active_power_percent=-20)
    assert b.wait(30)["battery_power_w"] == pytest.approx(-2200, abs=20)
    assert b.read("active_power") == pytest.approx(-2200, abs=20)


def test_stopped_and_started():
    b = bench(pv_w=2000)
    b.write(shutdown_command=0)
    b.wait(10)
    assert (b["ac_power_w"], b.read("device_status")) == (pytest.approx(0, abs=5), 0x0301)
    b.write(startup_command=0)
    assert b.wait(10)["ac_power_w"] > 400


def test_an_mb0_gives_its_own_figures():
    b = bench(model=MB0, units=2)
    assert b.read("model_name") == MB0
    assert (b.read("rated_power"), b.read("max_active_power")) == (20000, 22000)
    assert b["firmware"].startswith("V200")
