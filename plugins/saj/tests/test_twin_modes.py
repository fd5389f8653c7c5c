"""Who decides the battery's power in the simulated H2, and what caps it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samspel_saj.twin import slots
from samspel_saj.twin.equipment import inverter_bank
from samspel_saj.twin.profile import choose
from samspel_sim.behaviour import TwinOptions
from samspel_sim.testing import Bench

STANDBY, DISCHARGE, CHARGE = 0, 1, 2
SELF_USE, TIME_OF_USE, BACKUP, PASSIVE = 0, 1, 2, 3
ALL_DAYS = 0x7F00
MONDAY_NOON_S = 1_782_129_600.0  # 2026-06-22 12:00


def bench(*, pv_w=0, load_w=600, soc_pct=50, model=None, firmware=None, epoch_s=MONDAY_NOON_S, step_s=0.1, **settings):
    settings = {"readback_s": 0, **settings}
    options = TwinOptions(model=model, firmware=firmware, soc_pct=soc_pct, epoch_s=epoch_s, settings=settings)
    return Bench("saj", options, step_s=step_s).house(pv_w, load_w).wait(10)


def passive(b, enable, permille=0, seconds=30):
    side = "charge" if enable == CHARGE else "discharge"
    raw(b, **{f"passive_battery_{side}_power": permille}, passive_enable=enable, app_mode=PASSIVE)
    return b.wait(seconds)


def raw(b, **values):
    table = b.twin.behaviour.bank.table
    b.write(**{name: value * table[name].scale for name, value in values.items()})


def slot(b, side, percent, *, start=(11, 0), end=(13, 0), days=ALL_DAYS, number=1):
    raw(
        b,
        **{
            f"{side}_slot{number}_start": start[0] << 8 | start[1],
            f"{side}_slot{number}_end": end[0] << 8 | end[1],
            f"{side}_slot{number}_days_power": days | percent,
        },
        app_mode=TIME_OF_USE,
        **{f"{side}_slots_enable": 1 << number - 1},
    )
    return b.wait(30)


# -- own regulation ----------------------------------------------------------------------------


def test_self_use_holds_the_meter_at_zero():
    b = bench(load_w=800)
    assert b["battery_power_w"] == pytest.approx(800, abs=5)
    b.twin.set({"pv_power_w": 3000})
    assert b.wait(20)["battery_power_w"] == pytest.approx(-2200, abs=20)
    assert b["grid_power_w"] == pytest.approx(0, abs=20)
    assert (b["mode"], b["forced"]) == ("self_use", False)


def test_backup_fills_its_reserve_from_the_grid_at_full_rate_and_then_keeps_it():
    b = bench(soc_pct=50)
    raw(b, backup_soc_reserve=60, app_mode=BACKUP)
    assert b.wait(20)["battery_power_w"] == pytest.approx(-10_000, abs=50)
    b.twin.set({"soc_pct": 60})
    assert b.wait(20)["battery_power_w"] == pytest.approx(0, abs=5)
    b.twin.set({"soc_pct": 70})
    assert b.wait(20)["battery_power_w"] == pytest.approx(600, abs=5)


# -- passive mode ------------------------------------------------------------------------------


def test_charging_is_exact_and_the_sun_is_taken_off_the_import():
    b = passive(bench(pv_w=2000, load_w=0), CHARGE, 500)
    assert b["battery_power_w"] == pytest.approx(-5000, abs=5)
    assert b["grid_power_w"] == pytest.approx(3000, abs=10)
    assert (b["mode"], b["forced"]) == ("passive", True)


def test_discharging_follows_the_load_with_a_small_surplus():
    b = passive(bench(load_w=1500), DISCHARGE, 800)
    assert b["battery_power_w"] == pytest.approx(2300, abs=10)
    assert b["grid_power_w"] == pytest.approx(-800, abs=10)
    b.twin.set({"load_power_w": 3000})
    assert b.wait(20)["battery_power_w"] == pytest.approx(3800, abs=10)


def test_discharging_never_gives_more_than_was_asked_for():
    assert passive(bench(load_w=5000), DISCHARGE, 200)["battery_power_w"] == pytest.approx(2000, abs=5)


def test_the_surplus_of_a_discharge_is_a_setting():
    assert passive(bench(load_w=500, push_w=1100), DISCHARGE, 800)["battery_power_w"] == pytest.approx(1600, abs=10)


def test_discharging_can_be_made_exact():
    b = passive(bench(load_w=500, exact_discharge=1), DISCHARGE, 400)
    assert b["battery_power_w"] == pytest.approx(4000, abs=5)


def test_per_mille_is_of_the_rated_power():
    b = passive(bench(model="H2-30K-T2"), CHARGE, 100)
    assert b["battery_power_w"] == pytest.approx(-3000, abs=5)


@pytest.mark.parametrize(("enable", "permille"), [(STANDBY, 500), (CHARGE, 0), (DISCHARGE, 0)])
def test_standby_and_zero_keep_still_and_export_the_sun(enable, permille):
    b = passive(bench(pv_w=3000, load_w=500), enable, permille)
    assert b["battery_power_w"] == pytest.approx(0, abs=1)
    assert b["grid_power_w"] == pytest.approx(-2500, abs=10)


def test_neither_the_mode_nor_the_enable_acts_alone():
    b = bench(load_w=700)
    raw(b, passive_battery_charge_power=500, passive_enable=CHARGE)
    assert b.wait(20)["battery_power_w"] == pytest.approx(700, abs=5)
    raw(b, passive_enable=STANDBY, app_mode=PASSIVE)
    assert b.wait(20)["battery_power_w"] == pytest.approx(0, abs=5)


def test_nothing_ends_passive_mode_by_itself():
    b = passive(bench(soc_pct=20, packs=4, step_s=5), CHARGE, 100)
    assert b.wait(3600)["battery_power_w"] == pytest.approx(-1000, abs=5)


def test_a_stop_gives_back_to_the_own_mode():
    b = passive(bench(), CHARGE, 300)
    raw(b, passive_enable=STANDBY, app_mode=SELF_USE, passive_battery_charge_power=1100)
    assert b.wait(20)["battery_power_w"] == pytest.approx(600, abs=5)


def test_the_export_ceiling_of_passive_mode():
    b = bench(exact_discharge=1)
    raw(b, passive_grid_discharge_power=100)
    assert passive(b, DISCHARGE, 500)["grid_power_w"] == pytest.approx(-1000, abs=10)


@pytest.mark.parametrize(("setting", "battery_w"), [(0, -5000), (1, -1400)])
def test_the_import_ceiling_has_an_effect_where_it_is_said_to(setting, battery_w):
    b = bench(import_ceiling=setting)
    raw(b, passive_grid_charge_power=200)
    assert passive(b, CHARGE, 500)["battery_power_w"] == pytest.approx(battery_w, abs=10)


def test_a_command_moves_within_one_poll_of_ten_seconds():
    b = passive(bench(pv_w=600), CHARGE, 170, seconds=10)
    assert b["battery_power_w"] == pytest.approx(-1700, abs=50)


def test_a_load_that_jitters_does_not_starve_a_following_discharge():
    b = bench()
    raw(b, passive_battery_discharge_power=800, passive_enable=DISCHARGE, app_mode=PASSIVE)
    for tick in range(40):
        b.twin.set({"load_power_w": 3000 + 50 * (tick % 2)})
        b.wait(0.5)
    assert b["battery_power_w"] == pytest.approx(3825, abs=60)


# -- what stays --------------------------------------------------------------------------------


def left_over(b):
    """A session that left small values behind."""
    passive(b, CHARGE, 20)
    raw(b, passive_battery_discharge_power=30, passive_enable=STANDBY, app_mode=SELF_USE)
    return b.wait(20)


def test_leftovers_cap_every_other_mode():
    b = left_over(bench(load_w=2000))
    assert b["battery_power_w"] == pytest.approx(300, abs=5)
    b.twin.set({"pv_power_w": 5000})
    assert b.wait(20)["battery_power_w"] == pytest.approx(-200, abs=5)
    assert slot(b, "charge", 40)["battery_power_w"] == pytest.approx(-200, abs=5)
    raw(b, passive_battery_charge_power=1000, passive_battery_discharge_power=1000)
    assert b.wait(20)["battery_power_w"] == pytest.approx(-4000, abs=5)


def test_leftovers_cap_nothing_where_that_is_switched_off():
    assert left_over(bench(load_w=2000, sticky=0))["battery_power_w"] == pytest.approx(2000, abs=5)


@pytest.mark.parametrize(
    ("name", "permille", "load_w", "pv_w", "battery_w"),
    [
        ("battery_discharge_limit", 75, 2000, 0, 750),
        ("battery_charge_limit", 75, 0, 5000, -750),
        ("battery_discharge_limit", 0, 2000, 0, 2000),
        ("battery_charge_limit", 0, 0, 5000, 0),
    ],
)
def test_limits_cap_and_a_zero_discharge_limit_is_no_lock(name, permille, load_w, pv_w, battery_w):
    b = bench(load_w=load_w, pv_w=pv_w)
    raw(b, **{name: permille})
    assert b.wait(20)["battery_power_w"] == pytest.approx(battery_w, abs=5)


def test_a_zero_discharge_limit_locks_where_it_is_said_to():
    b = bench(load_w=2000, zero_locks=1)
    raw(b, battery_discharge_limit=0)
    assert b.wait(20)["battery_power_w"] == pytest.approx(0, abs=5)


def test_limits_cap_passive_mode_too():
    b = bench()
    raw(b, battery_charge_limit=100)
    assert passive(b, CHARGE, 500)["battery_power_w"] == pytest.approx(-1000, abs=5)


# -- slots -------------------------------------------------------------------------------------


def test_a_charge_slot_charges_its_percent():
    b = slot(bench(pv_w=1000), "charge", 30)
    assert b["battery_power_w"] == pytest.approx(-3000, abs=5)
    assert (b["mode"], b["forced"]) == ("time_of_use", True)


def test_a_charge_slot_of_zero_percent_still_charges_a_little():
    assert slot(bench(), "charge", 0)["battery_power_w"] == pytest.approx(-100, abs=2)


def test_a_discharge_slot_is_exact_once_the_battery_may_feed_the_grid():
    b = slot(bench(load_w=500, pv_w=0), "discharge", 40)
    assert b["battery_power_w"] == pytest.approx(500, abs=5)
    raw(b, tou_battery_to_grid=1)
    assert b.wait(20)["battery_power_w"] == pytest.approx(4000, abs=5)
    assert b["grid_power_w"] == pytest.approx(-3500, abs=10)


@pytest.mark.parametrize(("meaning", "battery_w"), [("beyond_load", 5500), ("load_following", 2300)])
def test_the_percent_of_a_discharge_slot_has_other_meanings_too(meaning, battery_w):
    b = bench(load_w=1500, slot_discharge=meaning)
    raw(b, tou_battery_to_grid=1)
    assert slot(b, "discharge", 40)["battery_power_w"] == pytest.approx(battery_w, abs=10)


def test_a_firmware_with_load_following_slots():
    b = bench(load_w=1500, firmware="V4.040")
    raw(b, tou_battery_to_grid=1)
    assert slot(b, "discharge", 40)["battery_power_w"] == pytest.approx(2300, abs=10)


def test_a_slot_ends_by_the_inverters_own_clock():
    b = slot(bench(), "charge", 30, end=(12, 2))
    assert b["battery_power_w"] == pytest.approx(-3000, abs=5)
    b.wait(120)
    assert (b["forced"], b["battery_power_w"]) == (False, pytest.approx(600, abs=5))


def test_a_clock_that_is_off_ends_it_at_another_time():
    b = slot(bench(clock_offset_s=-600), "charge", 30, end=(12, 2))
    assert b.wait(120)["battery_power_w"] == pytest.approx(-3000, abs=5)
    b.twin.set({"clock_offset_s": 0})
    assert b.wait(20)["battery_power_w"] == pytest.approx(600, abs=5)


@pytest.mark.parametrize(("behaviour", "battery_w"), [(0, 0), (1, 600)])
def test_outside_its_slots_time_mode_rests_or_regulates(behaviour, battery_w):
    b = bench()
    raw(b, tou_outside_behaviour=behaviour)
    assert slot(b, "charge", 30, start=(14, 0), end=(15, 0))["battery_power_w"] == pytest.approx(battery_w, abs=5)


@pytest.mark.parametrize(
    "wrong",
    [
        {"days": 0x7E00},  # every day but Monday
        {"start": (23, 0), "end": (13, 0)},  # across midnight
        {"start": (12, 0), "end": (12, 0)},
        {"start": (12, 30)},
    ],
)
def test_slots_that_are_not_in_force(wrong):
    assert slot(bench(), "charge", 30, **wrong)["battery_power_w"] == pytest.approx(600, abs=5)


def test_a_slot_needs_its_own_bit_and_its_mode():
    b = slot(bench(), "charge", 30, number=7)
    assert b["battery_power_w"] == pytest.approx(-3000, abs=5)
    raw(b, charge_slots_enable=1)
    assert b.wait(20)["battery_power_w"] == pytest.approx(600, abs=5)
    raw(b, charge_slots_enable=0x40, app_mode=SELF_USE)
    assert b.wait(20)["battery_power_w"] == pytest.approx(600, abs=5)


def test_writing_a_slot_makes_power_swing_where_that_is_switched_on():
    b = slot(bench(slot_swing_s=5), "charge", 50)
    raw(b, charge_slot1_end=0x0D00)
    assert b.wait(4)["battery_power_w"] > -2500
    assert b.wait(20)["battery_power_w"] == pytest.approx(-5000, abs=5)


@given(
    start=st.integers(0, 1439),
    end=st.integers(0, 1439),
    now=st.integers(0, 1439),
    day=st.integers(0, 6),
    days=st.integers(0, 127),
)
def test_a_slot_is_in_force_from_its_start_until_before_its_end(start, end, now, day, days):
    bank = SLOT_BANK
    bank.put("charge_slot3_start", start // 60 << 8 | start % 60)
    bank.put("charge_slot3_end", end // 60 << 8 | end % 60)
    bank.put("charge_slot3_days_power", days << 8 | 25)
    bank.put("charge_slots_enable", 0b100)
    moment = st_moment(day, now)
    wanted = slots.Slot(True, 3, 25) if start <= now < end and days >> day & 1 else None
    assert slots.active(bank, moment) == wanted


SLOT_BANK = inverter_bank(choose(TwinOptions()))


def st_moment(day, minute):
    from datetime import UTC, datetime  # noqa: PLC0415

    return datetime(2026, 6, 22 + day, minute // 60, minute % 60, tzinfo=UTC)  # the 22nd is a Monday


# -- caps --------------------------------------------------------------------------------------


def test_anti_reflux_acts_once_it_is_switched_on_and_then_exports_nothing():
    b = bench(pv_w=4000, load_w=500, soc_pct=100)
    assert b["grid_power_w"] == pytest.approx(-3500, abs=10)
    raw(b, anti_reflux_mode=1)
    assert b.wait(20)["grid_power_w"] == pytest.approx(0, abs=10)
    raw(b, anti_reflux_power_limit=100)
    assert b.wait(20)["grid_power_w"] == pytest.approx(-1000, abs=10)


def test_the_export_limit_keeps_a_slot_below_its_target():
    b = bench(load_w=500)
    raw(b, tou_battery_to_grid=1, grid_export_limit=100)
    assert slot(b, "discharge", 40)["battery_power_w"] == pytest.approx(1500, abs=10)


def test_the_import_limit_keeps_charging_below_its_target():
    b = bench(load_w=500)
    raw(b, grid_import_limit=200)
    assert passive(b, CHARGE, 500)["battery_power_w"] == pytest.approx(-1500, abs=10)


def test_the_bms_limits_by_current_times_voltage_and_zero_forbids():
    b = bench(soc_pct=50, model="H2-5K-T2")
    b.twin.set({"charge_current_limit_a": 5.0})
    passive(b, CHARGE, 500)
    volts, amperes = b.read("pack1_voltage"), b.read("battery_charge_current_limit")
    assert b["battery_power_w"] == pytest.approx(-volts * amperes, abs=20)
    b.twin.set({"charge_current_limit_a": 0})
    assert b.wait(20)["battery_power_w"] == pytest.approx(0, abs=1)
    assert b.read("battery_status") == 1
    b.twin.set({"charge_current_limit_a": None, "discharge_current_limit_a": 0})
    assert b.wait(20)["battery_power_w"] == pytest.approx(-2500, abs=5)
    assert b.read("battery_status") == 2


def test_cold_cells_take_no_charge():
    b = passive(bench(), CHARGE, 500)
    b.twin.set({"temperature_c": -1.0})
    assert b.wait(20)["battery_power_w"] == pytest.approx(0, abs=5)
    assert b.read("battery_charge_current_limit") == 0


def test_soc_limits_end_both_directions():
    b = bench(load_w=2000, soc_pct=30)
    raw(b, soc_min_ongrid=100)
    assert b.wait(20)["battery_power_w"] == pytest.approx(0, abs=1)
    raw(b, soc_min_ongrid=20, soc_max=30)
    b.twin.set({"pv_power_w": 4000, "soc_pct": 30})
    assert b.wait(20)["battery_power_w"] == pytest.approx(0, abs=1)


def test_a_stopped_inverter_and_a_started_one():
    b = bench(pv_w=1000)
    raw(b, inverter_stop=1)
    b.wait(20)
    assert (b["battery_power_w"], b["pv_power_w"], b.read("working_mode"), b.read("inverter_a_voltage")) == (0, 0, 1, 0)
    raw(b, inverter_stop=0)
    assert b.wait(20)["pv_power_w"] == pytest.approx(1000, abs=5)


# -- the H1 ------------------------------------------------------------------------------------


def test_the_h1_has_the_other_polarity_and_watts():
    b = bench(model="H1-6K-S2")
    raw(b, passive_grid_charge_power=1200, passive_enable=1, h1_app_mode=PASSIVE)
    assert b.wait(30)["battery_power_w"] == pytest.approx(-1200, abs=5)
    raw(b, passive_grid_discharge_power=900, passive_enable=2)
    assert b.wait(30)["battery_power_w"] == pytest.approx(900, abs=5)
