"""Who decides the battery's power in the simulated SH, for how long, how fast it follows and what it says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samspel_sim.behaviour import TwinOptions
from samspel_sim.testing import Bench
from samspel_sungrow.twin.ems import Heartbeat

CHARGE, DISCHARGE, STOP = 0xAA, 0xBB, 0xCC
SELF, COMPULSORY, EXTERNAL, VPP = 0, 2, 3, 4
RUNNING, FORCED, EXTERNAL_EMS, STANDBY, STARTING, STOPPED = 0x0000, 0x0800, 0x4000, 0x1400, 0x1600, 0x1300


def bench(*, pv_w=0, load_w=500, soc_pct=50, step_s=0.1, model=None, firmware=None, path=None, **settings):
    options = TwinOptions(model=model, firmware=firmware, path=path, soc_pct=soc_pct, settings=settings)
    return Bench("sungrow", options, step_s=step_s).house(pv_w, load_w).wait(10)


def block(b, mode, command, power_w):
    """The three control registers in one request."""
    return b.write_words(13049, mode, command, power_w)


# -- modes -------------------------------------------------------------------------------------


def test_self_consumption_holds_the_meter_at_zero():
    b = bench(load_w=800)
    assert b["battery_power_w"] == pytest.approx(800, abs=10)
    b.twin.set({"pv_power_w": 3000})
    assert b.wait(20)["battery_power_w"] == pytest.approx(-2200, abs=20)
    assert b["grid_power_w"] == pytest.approx(0, abs=20)
    assert (b["mode"], b.read("running_state")) == ("self_consumption", RUNNING)


@pytest.mark.parametrize(("mode", "state"), [(COMPULSORY, FORCED), (EXTERNAL, EXTERNAL_EMS), (VPP, EXTERNAL_EMS)])
@pytest.mark.parametrize(("command", "sign"), [(CHARGE, -1), (DISCHARGE, 1), (STOP, 0)])
def test_a_command_is_followed_in_its_direction(mode, state, command, sign):
    b = bench()
    b.write(external_ems_heartbeat=100)
    block(b, mode, command, 1500)
    b.wait(15)
    assert b["battery_power_w"] == pytest.approx(sign * 1500, abs=10)
    assert b.read("battery_power") == pytest.approx(sign * 1500, abs=10)
    assert b.read("running_state") == state


def test_one_frame_takes_effect_as_a_whole_and_single_writes_do_too():
    b = bench()
    block(b, COMPULSORY, DISCHARGE, 2000)
    assert b.wait(10)["battery_power_w"] == pytest.approx(2000, abs=10)
    c = bench()
    c.write(charge_discharge_power=2000, charge_discharge_cmd=DISCHARGE)
    assert c.wait(20)["battery_power_w"] == pytest.approx(500, abs=10)
    c.write(ems_mode=COMPULSORY)
    assert c.wait(10)["battery_power_w"] == pytest.approx(2000, abs=10)


def test_the_magnitude_alone_may_change():
    b = bench()
    block(b, COMPULSORY, CHARGE, 3000)
    b.wait(10).write(charge_discharge_power=700)
    assert b.wait(10)["battery_power_w"] == pytest.approx(-700, abs=10)


def test_mode_0_ignores_what_the_command_registers_hold():
    b = bench()
    block(b, SELF, DISCHARGE, 9000)
    assert b.wait(20)["battery_power_w"] == pytest.approx(500, abs=10)
    assert (b.read("charge_discharge_cmd"), b.read("charge_discharge_power")) == (DISCHARGE, 9000)


def test_compulsory_mode_never_times_out():
    b = bench(step_s=0.5, soc_pct=80)
    block(b, COMPULSORY, DISCHARGE, 1000)
    assert b.wait(1500)["battery_power_w"] == pytest.approx(1000, abs=10)


def test_compulsory_mode_survives_a_stop_and_a_start():
    b = bench(pv_w=500, step_s=0.5)
    block(b, COMPULSORY, DISCHARGE, 1000)
    b.wait(10).write(start_stop=0xCE)
    b.wait(20)
    assert (b["battery_power_w"], b["pv_power_w"]) == (0, 0)
    b.write(start_stop=0xCF)
    assert b.wait(240)["battery_power_w"] == pytest.approx(1000, abs=10)


# -- heartbeat ---------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [EXTERNAL, VPP])
def test_the_heartbeat_counts_down_readably_and_ends_in_self_consumption(mode):
    b = bench()
    b.write(external_ems_heartbeat=30)
    block(b, mode, CHARGE, 2000)
    seen = [b.wait(3).read("external_ems_heartbeat") for _ in range(9)]
    assert seen == [27, 24, 21, 18, 15, 12, 9, 6, 3]
    assert b["battery_power_w"] == pytest.approx(-2000, abs=10)
    b.wait(4)
    assert (b.read("ems_mode"), b.read("charge_discharge_cmd"), b.read("external_ems_heartbeat")) == (SELF, STOP, 0)
    assert b.wait(20)["battery_power_w"] == pytest.approx(500, abs=10)
    assert b.read("charge_discharge_power") == 2000


def test_a_fed_heartbeat_goes_on():
    b = bench(step_s=0.5)
    b.write(external_ems_heartbeat=20)
    block(b, EXTERNAL, DISCHARGE, 1200)
    for _ in range(30):
        b.wait(10).write(external_ems_heartbeat=20)
    assert b["battery_power_w"] == pytest.approx(1200, abs=10)


def test_without_a_heartbeat_the_default_counts():
    b = bench()
    block(b, EXTERNAL, CHARGE, 2000)
    assert b.wait(18).read("ems_mode") == EXTERNAL
    assert b.wait(4).read("ems_mode") == SELF


def test_it_counts_in_the_external_modes_only():
    b = bench()
    b.write(external_ems_heartbeat=30)
    block(b, COMPULSORY, CHARGE, 2000)
    assert b.wait(60).read("external_ems_heartbeat") == 30
    assert b.read("ems_mode") == COMPULSORY


def test_the_fallback_may_come_a_third_later():
    b = bench(late_fallback=1)
    b.write(external_ems_heartbeat=60)
    block(b, EXTERNAL, CHARGE, 2000)
    assert (b.wait(70).read("ems_mode"), b.read("external_ems_heartbeat")) == (EXTERNAL, 0)
    assert b.wait(12).read("ems_mode") == SELF


@given(st.lists(st.tuples(st.integers(1, 1000), st.integers(1, 60)), min_size=1, max_size=20), st.booleans())
def test_the_heartbeat_ends_when_its_time_is_over_and_not_before(feeds, late):
    heartbeat, grace = Heartbeat(20.0, late), 4 / 3 if late else 1.0
    for seconds, wait_s in feeds:
        heartbeat.write(seconds)
        lived = 0
        while lived < wait_s and not heartbeat.step(True, 1.0):
            lived += 1
        assert lived == min(wait_s, -int(-seconds * grace // 1) - 1)
        assert heartbeat.shown == max(0, seconds - lived) or lived < wait_s


def test_outside_its_modes_the_heartbeat_stands():
    heartbeat = Heartbeat(20.0)
    heartbeat.write(5)
    assert not any(heartbeat.step(False, 1.0) for _ in range(100))
    assert heartbeat.shown == 5


# -- following ---------------------------------------------------------------------------------


def test_the_battery_is_at_a_new_set_point_within_about_five_seconds():
    b = bench(pv_w=500)
    block(b, COMPULSORY, CHARGE, 4000)
    assert b.wait(0.4)["battery_power_w"] == pytest.approx(0, abs=10)
    assert b.wait(1.3)["battery_power_w"] == pytest.approx(-4000 * 0.632, abs=300)
    assert b.wait(3.3)["battery_power_w"] == pytest.approx(-4000, abs=200)


def test_the_running_state_lags_about_five_seconds():
    b = bench()
    block(b, COMPULSORY, CHARGE, 4000)
    assert b.wait(4).read("running_state") == RUNNING
    assert b.wait(3).read("running_state") == FORCED


def test_set_points_that_come_faster_than_the_wait_are_followed_all_the_same():
    b = bench()
    for power_w in range(1000, 2000, 100):
        block(b, COMPULSORY, DISCHARGE, power_w)
        b.wait(0.3)
    assert b["battery_power_w"] > 1300


# -- stop, start, standby ----------------------------------------------------------------------


def test_stop_takes_two_seconds_and_start_minutes():
    b = bench(pv_w=3000, step_s=0.5)
    b.write(start_stop=0xCE)
    assert b.wait(1)["pv_power_w"] == pytest.approx(3000, abs=10)
    assert (b.wait(2)["pv_power_w"], b["ac_power_w"]) == (0, 0)
    assert b.wait(6).read("running_state") == STOPPED
    b.write(start_stop=0xCF)
    assert b.wait(20).read("running_state") == STARTING
    assert (b.wait(155)["ac_power_w"], b["doing"]) == (0, "starting")
    assert b.wait(15)["pv_power_w"] == pytest.approx(3000, abs=10)
    assert b.read("running_state") == RUNNING


def test_a_start_takes_longer_in_the_dark():
    b = bench(pv_w=0, step_s=0.5)
    b.write(start_stop=0xCE)
    b.wait(10).write(start_stop=0xCF)
    assert b.wait(360)["doing"] == "starting"
    assert b.wait(20)["doing"] == "running"


def asleep():
    b = bench(pv_w=0, soc_pct=10, min_soc=10, step_s=0.5)
    b.wait(120)
    return b


def test_an_empty_battery_in_the_dark_falls_asleep_and_ignores_forced_modes():
    b = asleep()
    assert b.read("running_state") == STANDBY
    block(b, COMPULSORY, CHARGE, 3000)
    assert b.wait(600)["battery_power_w"] == 0
    assert (b.read("running_state"), b.read("ems_mode")) == (STANDBY, COMPULSORY)


def test_a_forced_start_wakes_it_after_about_two_minutes():
    b = asleep()
    b.write(forced_startup_low_soc=0xAA)
    block(b, COMPULSORY, CHARGE, 3000)
    assert (b.wait(108)["battery_power_w"], b["doing"]) == (0, "starting")
    assert b.wait(20)["battery_power_w"] == pytest.approx(-3000, abs=20)
    assert b.read("running_state") == FORCED


def test_awake_without_a_command_it_falls_asleep_again_and_can_be_woken_again():
    b = asleep()
    b.write(forced_startup_low_soc=0xAA)
    b.wait(130)
    assert b["doing"] == "running"
    b.wait(90)
    assert (b["doing"], b.read("forced_startup_low_soc")) == ("standby", 0x55)
    b.write(forced_startup_low_soc=0xAA)
    assert b.wait(130)["doing"] == "running"


def test_light_wakes_it_too():
    b = asleep()
    b.twin.set({"pv_power_w": 2000})
    assert b.wait(130)["pv_power_w"] == pytest.approx(2000, abs=10)


def test_a_battery_with_charge_stays_awake_in_the_dark():
    assert bench(pv_w=0, soc_pct=40, step_s=0.5).wait(600)["doing"] == "running"


# -- reserve and emergency charging ------------------------------------------------------------


def test_a_reserve_above_the_charge_buys_from_the_grid_whatever_was_commanded():
    b = bench(soc_pct=40, step_s=0.5, pack="SBR064")
    block(b, COMPULSORY, DISCHARGE, 2000)
    b.wait(10).write(backup_reserve_soc=42)
    b.wait(20)
    assert (b["mode"], b.read("running_state")) == ("emergency_charge", 0x4001)
    assert b["battery_power_w"] == pytest.approx(-3000, abs=10)
    b.wait(240)
    assert b["soc_pct"] == pytest.approx(42, abs=0.6)
    assert b["mode"] == "compulsory"


def test_a_minimum_above_the_charge_buys_from_the_grid_in_self_consumption():
    b = bench(soc_pct=30)
    b.write(min_soc=40)
    assert b.wait(20)["battery_power_w"] == pytest.approx(-3000, abs=10)
    assert b["mode"] == "self_consumption"


# -- state word --------------------------------------------------------------------------------


@pytest.mark.parametrize("switch", ["feed_in_limitation", "active_power_limitation"])
def test_an_armed_cap_shows_dispatch_in_self_consumption(switch):
    b = bench()
    b.write(**{switch: 0xAA})
    assert b.wait(10).read("running_state") == 0x8200
    block(b, COMPULSORY, STOP, 0)
    assert b.wait(10).read("running_state") == FORCED


def test_old_firmware_has_other_states():
    b = bench(old_states=1)
    assert b.read("running_state") == 0x0040
    b.write(start_stop=0xCE)
    assert b.wait(15).read("running_state") == 0x0002


def test_the_running_state_can_be_set_from_outside():
    b = bench()
    b.twin.set({"running_state": 0x1900})
    assert b.wait(3).read("running_state") == 0x1900
    b.twin.set({"running_state": None})
    assert b.wait(3).read("running_state") == RUNNING
