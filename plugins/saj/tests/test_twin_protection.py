"""What switches the simulated H2 off: the floor, and reversing too fast. Only a power cycle helps."""

import pytest
from samspel_sim.behaviour import TwinOptions
from samspel_sim.testing import Bench

DISCHARGE, CHARGE, PASSIVE = 1, 2, 3


def bench(*, soc_pct=50, **settings):
    settings = {"readback_s": 0, "exact_discharge": 1, **settings}
    return Bench("saj", TwinOptions(soc_pct=soc_pct, settings=settings)).house(0, 500).wait(10)


def command(b, enable, seconds):
    side = "charge" if enable == CHARGE else "discharge"
    b.write(**{f"passive_battery_{side}_power": 30.0}, passive_enable=enable, app_mode=PASSIVE)
    return b.wait(seconds)


def reverse(b, times, seconds):
    for turn in range(times + 1):
        command(b, CHARGE if turn % 2 else DISCHARGE, seconds)
    return b


def test_a_commanded_discharge_into_the_floor_locks_the_converter_out():
    b = command(bench(soc_pct=20.2), DISCHARGE, 20)
    assert not b["locked_out"]
    b.wait(60)
    assert b["locked_out"]
    assert (b.read("working_mode"), b.read("inverter_a_voltage"), b["battery_power_w"]) == (4, 0, 0)
    command(b, CHARGE, 60)
    assert b["battery_power_w"] == 0
    b.ask(bytes.fromhex("06801a0001"))
    assert b.wait(60)["locked_out"]
    b.twin.misbehave("reboot")
    assert command(b, CHARGE, 30)["battery_power_w"] == pytest.approx(-3000, abs=5)
    assert b.read("inverter_a_voltage") == 230


def test_the_own_regulation_stops_at_the_floor_unharmed():
    b = bench(soc_pct=20.05).wait(120)
    assert b["battery_power_w"] == pytest.approx(0, abs=1)
    assert not b["locked_out"]
    assert b.read("working_mode") == 2


def test_a_discharge_commanded_below_the_floor_does_nothing():
    b = command(bench(soc_pct=15), DISCHARGE, 30)
    assert b["battery_power_w"] == pytest.approx(0, abs=1)
    assert not b["locked_out"]


def test_the_lock_out_can_be_switched_off_and_on_from_outside():
    b = command(bench(soc_pct=20.2, lockout=0), DISCHARGE, 120)
    assert not b["locked_out"]
    b.twin.set({"locked_out": True})
    assert b.wait(5).read("working_mode") == 4
    b.twin.set({"locked_out": False})
    assert b.wait(5).read("working_mode") == 2


def test_reversals_within_seconds_trip_the_bms():
    b = reverse(bench(), 4, 3)
    b.wait(5)
    assert b["bms_tripped"]
    assert (b.read("working_mode"), b["battery_power_w"], b.read("battery_status")) == (4, 0, 3)
    assert b["faults"] == {"fault_bms": [0]}
    b.twin.misbehave("reboot")
    assert command(b, CHARGE, 30)["battery_power_w"] == pytest.approx(-3000, abs=5)


def test_alternating_charge_and_normal_trips_it_too():
    b = bench()
    for _ in range(2):
        command(b, CHARGE, 3)
        b.write(passive_battery_charge_power=100.0, passive_enable=0, app_mode=0)
        b.wait(3)
    assert b["bms_tripped"]


def test_reversals_with_time_between_them_do_not():
    assert not reverse(bench(), 8, 8)["bms_tripped"]


def test_the_own_regulation_may_turn_as_fast_as_the_clouds():
    b = bench()
    for _ in range(10):
        b.twin.set({"pv_power_w": 3000})
        b.wait(2)
        b.twin.set({"pv_power_w": 0})
        b.wait(2)
    assert not b["bms_tripped"]


def test_an_idle_machine_shows_bypass_half_the_time_where_it_does_so():
    b = bench(idle_bypass=1)
    b.twin.set({"load_power_w": 0})
    seen = {(b.wait(10).read("working_mode"), b.read("inverter_a_voltage")) for _ in range(30)}
    assert seen == {(2, 230), (4, 230)}


def test_in_any_other_working_mode_nothing_works():
    b = command(bench(), CHARGE, 20)
    b.twin.set({"working_mode": 5})
    assert b.wait(5)["battery_power_w"] == 0
    assert b.read("working_mode") == 5
    b.twin.set({"working_mode": None})
    assert b.wait(20)["battery_power_w"] == pytest.approx(-3000, abs=5)
