"""The device misbehaviours of the simulated H2: each acts while on, and not when off."""

import pytest
from samspel_contract.misbehaving import *  # noqa: F403 - its tests are this module's
from samspel_contract.misbehaving import OWN_W, Order
from samspel_sim.behaviour import OptionError, TwinOptions
from samspel_sim.testing import Bench


@pytest.fixture
def b():
    return Bench("saj", TwinOptions(soc_pct=50, settings={"readback_s": 0})).house(0, OWN_W).wait(10)


def send(b):
    b.write(passive_battery_charge_power=20.0, passive_enable=2, app_mode=3)


charge = Order(send, power_w=-2000, settle_s=40, stored={"app_mode": 3})


@pytest.fixture
def order():
    return charge


def test_sleep_is_shown(b):
    b.twin.misbehave("sleep")
    charge(b)
    assert (b.read("battery_charge_current_limit"), b.read("battery_status")) == (0, 3)


def test_night(b):
    b.twin.set({"pv_power_w": 3000})
    b.wait(10)
    b.twin.misbehave("night")
    b.wait(20)
    with pytest.raises(TimeoutError):
        b.read("serial_number")
    with pytest.raises(TimeoutError):
        b.write(app_mode=0)
    with pytest.raises(TimeoutError):
        b.ask(bytes([0x2B, 0x0E, 1, 0]))
    assert b["pv_power_w"] == pytest.approx(0, abs=1)
    b.twin.misbehave("night", silent=False)
    assert (b.wait(5).read("pv1_voltage"), b.read("pv_direction")) == (0, 0)
    b.twin.misbehave("night", False)
    assert b.wait(20)["pv_power_w"] == pytest.approx(3000, abs=5)


def test_battery_fault_is_shown(b):
    b.twin.misbehave("battery_fault")
    charge(b)
    assert (b.read("battery_charge_current_limit"), b.read("battery_discharge_current_limit")) == (0, 0)
    assert b["faults"] == {"fault_bms": [0], "pack1_fault": [11]}
    b.twin.misbehave("battery_fault", False)
    b.wait(40)
    assert b["faults"] == {}


def test_calibration_is_shown(b):
    b.twin.misbehave("calibration")
    charge(b)
    assert b.read("battery_status") == 4


def test_meter_offline_is_shown_until_it_is_set_online(b):
    b.twin.misbehave("meter_offline")
    b.wait(10)
    assert (b.read("meter_a_status"), b.read("grid_power"), b["faults"]) == (0, 0, {"fault_h": [1]})
    b.twin.set({"meter_online": True})
    assert b.wait(10)["battery_power_w"] == pytest.approx(500, abs=5)
    assert (b.read("meter_a_status"), b["faults"]) == (1, {})


def test_reboot_keeps_what_was_set(b):
    charge(b)
    serial = b.read("settings_serial")
    b.twin.misbehave("reboot")
    assert b.wait(20)["battery_power_w"] == pytest.approx(-2000, abs=5)
    assert (b.read("passive_enable"), b.read("app_mode"), b.read("settings_serial")) == (2, 3, serial)


def test_reboot_loses_the_passive_values_where_they_are_volatile():
    b = Bench("saj", TwinOptions(soc_pct=50, settings={"readback_s": 0, "volatile_passive": 1})).wait(5)
    charge(b)
    b.write(soc_min_ongrid=12)
    b.twin.misbehave("reboot")
    assert b.wait(20)["battery_power_w"] == pytest.approx(0, abs=5)
    assert (b.read("passive_enable"), b.read("passive_battery_charge_power"), b.read("soc_min_ongrid")) == (0, 110, 12)


def test_firmware_changes_what_there_is(b):
    assert "rated_power" in b.twin.behaviour.bank.table
    b.write(soc_min_ongrid=12)
    b.twin.misbehave("firmware", version="V4.020")
    assert b.wait(4).read("fw_master") == pytest.approx(4.020)
    assert "rated_power" not in b.twin.behaviour.bank.table
    assert b.read("soc_min_ongrid") == 12
    with pytest.raises(OptionError, match="no firmware 'V9'"):
        b.twin.misbehave("firmware", version="V9")


def test_somebody_else_is_seen_in_the_count_of_changes(b):
    before = b.read("settings_serial")
    b.twin.misbehave("second_master", period_s=20, registers={"app_mode": 2})
    b.wait(10)
    assert (b.read("app_mode"), b.read("settings_serial")) == (2, before + 1)
    b.write(app_mode=0)
    b.wait(30)
    assert (b.read("app_mode"), b.read("settings_serial")) == (2, before + 3)
