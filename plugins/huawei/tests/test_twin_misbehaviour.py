"""The device misbehaviours of the simulated SUN2000: each acts while on, and not when off."""

import pytest
from samspel_contract.misbehaving import *  # noqa: F403 - its tests are this module's
from samspel_contract.misbehaving import OWN_W, Order
from samspel_sim.behaviour import OptionError, TwinOptions
from samspel_sim.testing import Bench


@pytest.fixture
def b():
    return Bench("huawei", TwinOptions(soc_pct=50, settings={"ceiling": 0})).house(0, OWN_W).wait(10)


def send(b):
    b.write(forcible_discharge_power=2000, forced_period=600, forcible_mode=0, forcible_command=2)


discharge = Order(send, power_w=2000, settle_s=40, stored={"forcible_command": 2})


@pytest.fixture
def order():
    return discharge


def test_sleep_is_shown(b):
    b.twin.misbehave("sleep")
    discharge(b)
    assert b.read("storage_status") == 4
    assert b.read("storage_max_charging_power") == 0xFFFFFFFF
    b.twin.misbehave("sleep", False)
    b.wait(40)
    assert b.read("storage_max_charging_power") == 5000


def test_night(b):
    b.twin.set({"pv_power_w": 3000})
    b.wait(10)
    b.twin.misbehave("night")
    b.wait(20)
    with pytest.raises(TimeoutError):
        b.read("model_name")
    with pytest.raises(TimeoutError):
        b.write(forced_period=1)
    assert b.read("model_name", 100) == "SDongleA-05"
    assert b["pv_power_w"] == pytest.approx(0, abs=1)
    b.twin.misbehave("night", silent=False)
    assert b.wait(5).read("pv1_voltage") == 0
    b.twin.misbehave("night", False)
    assert b.wait(20)["pv_power_w"] == pytest.approx(3000, abs=5)


def test_battery_fault_is_shown(b):
    b.twin.misbehave("battery_fault")
    discharge(b)
    assert (b.read("storage_status"), b.read("storage_max_discharge_power")) == (3, 0)
    assert b["alarms"] == [2068]
    b.twin.misbehave("battery_fault", False)
    b.wait(40)
    assert b["alarms"] == []


def test_calibration_is_shown(b):
    b.twin.misbehave("calibration")
    discharge(b)
    assert b.read("soh_calibration_status") != 0


def test_reboot_loses_what_is_volatile_and_keeps_the_rest(b):
    b.write(storage_max_discharging_power=0, discharge_cutoff_soc=12)
    discharge(b)
    b.twin.misbehave("reboot")
    b.wait(20)
    assert (b.read("forcible_command"), b.read("forcible_discharge_power"), b["mode"]) == (0, 0, "max_self_consumption")
    assert (b.read("storage_max_discharging_power"), b.read("discharge_cutoff_soc")) == (0, 12)


def test_leftovers_of_a_crashed_controller_stay(b):
    b.twin.set({"registers": {"storage_max_discharging_power": 0}})
    assert b.wait(600)["battery_power_w"] == pytest.approx(0, abs=5)


def test_firmware_changes_what_there_is(b):
    assert "daylight_saving" in b.twin.behaviour.bank.table
    b.write(discharge_cutoff_soc=12)
    b.twin.misbehave("firmware", version="V100R001C00SPC147")
    assert b.wait(4).read("firmware_version") == "V100R001C00SPC147"
    assert "daylight_saving" not in b.twin.behaviour.bank.table
    assert b.read("discharge_cutoff_soc") == 12
    with pytest.raises(OptionError, match="no firmware 'V9'"):
        b.twin.misbehave("firmware", version="V9")
